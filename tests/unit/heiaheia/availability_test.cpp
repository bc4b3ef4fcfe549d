#include "heiaheia/availability.hpp"

#include <gtest/gtest.h>

namespace heiasync::heiaheia {
namespace {

using enum Availability::Outcome;

TEST(Availability, IsTakenForGrantedAtFirst) {
    const Availability availability;
    EXPECT_EQ(availability.attempts(), std::nullopt);
    EXPECT_FALSE(availability.given_up());
}

TEST(Availability, OneUnreachableCallLeavesTheNextOnesOneAttemptEachUntilOneSucceeds) {
    Availability availability;
    availability.note(unreachable);
    EXPECT_EQ(availability.attempts(), 1);
    availability.note(refusal);
    EXPECT_EQ(availability.attempts(), 1);
    availability.note(success);
    EXPECT_EQ(availability.attempts(), std::nullopt);
}

TEST(Availability, IsGivenUpAfterFiveUnreachableCallsInARow) {
    Availability availability;
    for (int i = 0; i < 4; ++i) {
        availability.note(unreachable);
        EXPECT_FALSE(availability.given_up());
    }
    availability.note(unreachable);
    EXPECT_TRUE(availability.given_up());
}

TEST(Availability, AnAnswerOfAnyKindBreaksTheRow) {
    for (const auto answer : {success, refusal}) {
        Availability availability;
        for (int i = 0; i < 4; ++i) {
            availability.note(unreachable);
        }
        availability.note(answer);
        availability.note(unreachable);
        EXPECT_FALSE(availability.given_up());
    }
}

}  // namespace
}  // namespace heiasync::heiaheia
