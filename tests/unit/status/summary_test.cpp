#include "status/summary.hpp"

#include "calendar/calendar.hpp"

#include <gtest/gtest.h>

namespace heiasync::status {
namespace {

DaemonReport waiting() {
    DaemonReport report;
    report.zone = &calendar::find_zone("Europe/Helsinki");
    report.next_run = core::parse_instant("2026-12-01T02:30:00Z");
    return report;
}

DaemonReport hindered_by(const char* condition) {
    DaemonReport report = waiting();
    report.hindrances.push_back({condition, std::chrono::minutes{3}, "why"});
    return report;
}

TEST(Summary, names_the_next_run) {
    EXPECT_EQ(summary(waiting()), "next run Tue 04:30 EET");
    EXPECT_EQ(summary(DaemonReport{}), "starting");
    DaemonReport due = waiting();
    due.now = *due.next_run;
    EXPECT_EQ(summary(due), "the run of Tue 04:30 EET is due");
}

TEST(Summary, counts_what_the_run_in_hand_has_done) {
    DaemonReport report = hindered_by("lock");
    report.run.emplace();
    report.run->progress.organisations_done = 412;
    report.run->progress.organisations = 1034;
    report.run->progress.failures = 2;
    EXPECT_EQ(summary(report), "sync 412/1034, 2 failed");
    report.run->progress = {};
    EXPECT_EQ(summary(report), "sync begins");
}

TEST(Summary, tells_of_the_database_that_a_run_waits_for) {
    DaemonReport report = hindered_by("database");
    report.run.emplace();
    report.run->progress.organisations_done = 412;
    report.run->progress.organisations = 1034;
    EXPECT_EQ(summary(report), "sync 412/1034, 0 failed; database away for 3 min, trying");
}

TEST(Summary, says_what_hinders_and_since_when) {
    EXPECT_EQ(summary(hindered_by("database")), "database away for 3 min, trying");
    EXPECT_EQ(summary(hindered_by("lock")), "waiting for another process's run for 3 min");
    EXPECT_EQ(summary(hindered_by("clock")), "clocks disagree for 3 min, trying");
    EXPECT_EQ(summary(hindered_by("api")), "API away for 3 min, next run Tue 04:30 EET");
    EXPECT_EQ(summary(hindered_by("credentials")), "credentials rejected for 3 min, next run Tue 04:30 EET");
}

TEST(Summary, does_not_forget_a_reload_that_was_refused) {
    DaemonReport report = waiting();
    report.configuration.last_reload_ok = false;
    EXPECT_EQ(summary(report), "next run Tue 04:30 EET; the last reload was refused, see the log");
}

}  // namespace
}  // namespace heiasync::status
