#include "service/check_in.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heiasync::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

constexpr CheckIn::Clock::time_point begin{1h};

TEST(CheckIn, IsLateOnceItsLimitHasPassed) {
    CheckIn part{"a part"};
    EXPECT_FALSE(part.is_late(begin)) << "nothing was expected";
    part.again_within(10s, begin);
    EXPECT_FALSE(part.is_late(begin + 10s));
    EXPECT_TRUE(part.is_late(begin + 10s + 1ns));
    part.again_within(10s, begin + 11s);
    EXPECT_FALSE(part.is_late(begin + 20s));
    part.rests();
    EXPECT_FALSE(part.is_late(begin + 24h));
}

TEST(CheckIn, OfAllThoseThatAreLateAreNamed) {
    CheckIns all;
    EXPECT_THAT(all.late(begin), IsEmpty());
    all.scheduler.again_within(10s, begin);
    all.database.again_within(20s, begin);
    all.request.again_within(30s, begin);
    EXPECT_THAT(all.late(begin + 15s), ElementsAre("the scheduler"));
    EXPECT_THAT(all.late(begin + 25s), ElementsAre("the scheduler", "the database thread"));
    all.scheduler.rests();
    EXPECT_THAT(all.late(begin + 35s), ElementsAre("the database thread", "a request, beyond its deadline"));
}

}  // namespace
}  // namespace heiasync::service
