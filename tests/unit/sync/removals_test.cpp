#include "sync/removals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace heiasync::sync {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Organisations 1 to `count`, of size class 50.
std::vector<history::KnownOrganisation> known(std::int64_t count) {
    std::vector<history::KnownOrganisation> result;
    for (std::int64_t id = 1; id <= count; ++id) {
        result.emplace_back().organisation.id = id;
        result.back().organisation.size_class = 50;
    }
    return result;
}

/// Organisations `first` to `last`.
std::vector<documents::Organisation> listed(std::int64_t first, std::int64_t last) {
    std::vector<documents::Organisation> result;
    for (std::int64_t id = first; id <= last; ++id) {
        result.emplace_back().id = id;
    }
    return result;
}

RemovalPolicy twenty_percent() {
    RemovalPolicy policy;
    policy.size_classes = {50, 10000};
    return policy;
}

TEST(Removals, AreWhatTheListingLacks) {
    const Removals removals = decide_removals(known(10), listed(3, 10), twenty_percent());
    EXPECT_THAT(removals.removed, ElementsAre(1, 2));
    EXPECT_THAT(removals.held_back, IsEmpty());
}

TEST(Removals, OfFiveAreBelievedEvenIfNobodyIsLeft) {
    EXPECT_THAT(decide_removals(known(5), {}, twenty_percent()).removed, SizeIs(5));
    EXPECT_THAT(decide_removals(known(6), {}, twenty_percent()).held_back, SizeIs(6));
}

TEST(Removals, OfJustThePercentageAreBelieved) {
    EXPECT_THAT(decide_removals(known(50), listed(11, 50), twenty_percent()).removed, SizeIs(10));
    const Removals one_more = decide_removals(known(50), listed(12, 50), twenty_percent());
    EXPECT_THAT(one_more.removed, IsEmpty());
    EXPECT_THAT(one_more.held_back, SizeIs(11));
}

TEST(Removals, AreBelievedWhereTheOperatorAcceptsThem) {
    RemovalPolicy policy = twenty_percent();
    policy.accept_vanished = true;
    EXPECT_THAT(decide_removals(known(50), listed(40, 50), policy).removed, SizeIs(39));
}

TEST(Removals, AreBelievedOnTheThirdDate) {
    auto organisations = known(50);
    for (auto& item : organisations) {
        item.dates_missed = item.organisation.id <= 30 ? 1 : 0;
    }
    EXPECT_THAT(decide_removals(organisations, listed(31, 50), twenty_percent()).held_back, SizeIs(30));
    for (auto& item : organisations) {
        item.dates_missed *= 2;
    }
    EXPECT_THAT(decide_removals(organisations, listed(31, 50), twenty_percent()).removed, SizeIs(30));
    const Removals more = decide_removals(organisations, listed(41, 50), twenty_percent());
    EXPECT_THAT(more.removed, SizeIs(30)) << "those that were missing before";
    EXPECT_THAT(more.held_back, SizeIs(10)) << "half of those left, for the first time";
}

TEST(Removals, OfSizeClassesThatAreNotAskedForAreNoLoss) {
    auto organisations = known(50);
    for (auto& item : organisations) {
        if (item.organisation.id <= 30) {
            item.organisation.size_class = 20;
        }
    }
    EXPECT_THAT(decide_removals(organisations, listed(31, 50), twenty_percent()).removed, SizeIs(30));
    const Removals too_many = decide_removals(organisations, listed(37, 50), twenty_percent());
    EXPECT_THAT(too_many.removed, SizeIs(30));
    EXPECT_THAT(too_many.held_back, SizeIs(6)) << "more than a fifth of the 20 that were asked for";
}

TEST(Removals, OfAnUnknownSizeClassAreALoss) {
    auto organisations = known(10);
    for (auto& item : organisations) {
        item.organisation.size_class.reset();
    }
    EXPECT_THAT(decide_removals(organisations, {}, twenty_percent()).held_back, SizeIs(10));
}

}  // namespace
}  // namespace heiasync::sync
