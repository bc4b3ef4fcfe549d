#include "core/nearest.hpp"

#include <gtest/gtest.h>

namespace heiasync::core {
namespace {

const std::vector<std::string> keys{"daily_at", "time_zone", "retry_interval", "url", "level"};

TEST(Nearest, finds_what_was_likely_meant) {
    EXPECT_EQ(nearest("dialy_at", keys), "daily_at");     // swapped
    EXPECT_EQ(nearest("time_zones", keys), "time_zone");  // inserted
    EXPECT_EQ(nearest("timezone", keys), "time_zone");    // deleted
    EXPECT_EQ(nearest("levle", keys), "level");
    EXPECT_EQ(nearest("retryintervall", keys), "retry_interval");  // two
    EXPECT_EQ(nearest("url", keys), "url");
}

TEST(Nearest, prefers_the_nearer) {
    EXPECT_EQ(nearest("stat", {"start", "state", "stat1s"}), "start");
    EXPECT_EQ(nearest("status1", {"statistics", "status"}), "status");
}

TEST(Nearest, finds_nothing_that_is_too_far) {
    EXPECT_EQ(nearest("colour", keys), std::nullopt);
    EXPECT_EQ(nearest("retrxintxrvxl", keys), std::nullopt);
    EXPECT_EQ(nearest("ur", keys), std::nullopt);
    EXPECT_EQ(nearest("", keys), std::nullopt);
    EXPECT_EQ(nearest("url", {}), std::nullopt);
}

}  // namespace
}  // namespace heiasync::core
