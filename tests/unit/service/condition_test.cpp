#include "service/condition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>

namespace heiasync::service {
namespace {

using ::testing::HasSubstr;

class ConditionTest : public ::testing::Test {
protected:
    [[nodiscard]] std::ptrdiff_t lines() const {
        const std::string text = told.str();
        return std::ranges::count(text, '\n');
    }

    std::ostringstream told;
    spdlog::logger log{"test", std::make_shared<spdlog::sinks::ostream_sink_st>(told)};
    Condition condition{"it is over"};
};

TEST_F(ConditionTest, IsToldAtItsBeginAndAtItsEnd) {
    condition.holds(log, "lost");
    condition.holds(log, "lost");
    EXPECT_EQ(lines(), 1);
    condition.has_ended(log);
    condition.has_ended(log);
    EXPECT_EQ(lines(), 2);
    EXPECT_THAT(told.str(), HasSubstr("it is over, after 0 s and 2 attempts"));
    condition.holds(log, "lost");
    EXPECT_EQ(lines(), 3) << "another one";
}

TEST_F(ConditionTest, IsToldOnceForEachOfAFewReasons) {
    condition.holds(log, "lost");
    condition.holds(log, "password authentication failed");
    condition.holds(log, "lost");
    EXPECT_EQ(lines(), 2);
    for (int number = 0; number < 100; ++number) {
        condition.holds(log, "reason " + std::to_string(number));
    }
    EXPECT_EQ(lines(), 5);
    EXPECT_EQ(condition.message(), "reason 99");
    condition.tell_again();
    condition.holds(log, "lost");
    EXPECT_EQ(lines(), 6);
}

}  // namespace
}  // namespace heiasync::service
