#include "logging.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace heiasync {
namespace {

using ::testing::MatchesRegex;

/// What is written to stderr, which is the journal or not.
class LoggingTest : public ::testing::Test {
protected:
    LoggingTest() { ::testing::internal::CaptureStderr(); }
    ~LoggingTest() override { ::unsetenv("JOURNAL_STREAM"); }

    static void make_stderr_the_journal() {
        struct stat file {};
        ::fstat(STDERR_FILENO, &file);
        ::setenv("JOURNAL_STREAM", fmt::format("{}:{}", file.st_dev, file.st_ino).c_str(), 1);
    }
    std::string written() { return ::testing::internal::GetCapturedStderr(); }

    config::Log settings;
};

TEST_F(LoggingTest, TextHasTimeAndLevel) {
    ::setenv("JOURNAL_STREAM", "1:1", 1);
    make_logger(settings, false)->warn("one");
    EXPECT_THAT(written(), MatchesRegex("....-..-..T..:..:..[.]......Z warning one\n"));
}

TEST_F(LoggingTest, InTheJournalEachLineHasItsLevelBeforeIt) {
    make_stderr_the_journal();
    settings.level = config::LogLevel::debug;
    const auto logger = make_logger(settings, false);
    logger->debug("one");
    logger->info("two");
    logger->warn("three");
    logger->error("four:\nfive\n\nsix");
    complain("seven\neight");
    EXPECT_EQ(written(), "<7>one\n<6>two\n<4>three\n<3>four:\n<3>five\n<3>\n<3>six\n<3>seven\n<3>eight\n");
}

TEST_F(LoggingTest, InTheJournalJsonIsWhatItIsElsewhere) {
    make_stderr_the_journal();
    settings.format = config::LogFormat::json;
    make_logger(settings, false)->error("one\ntwo");
    EXPECT_THAT(written(), MatchesRegex("<3>.\"time\":\"[^\"]*\",\"level\":\"error\",\"message\":\"one.ntwo\".\n"));
}

TEST_F(LoggingTest, ElsewhereAComplaintIsWhatItIs) {
    complain("one");
    EXPECT_EQ(written(), "one\n");
}

}  // namespace
}  // namespace heiasync
