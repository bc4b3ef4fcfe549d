#include "sync/run_report.hpp"

#include <gtest/gtest.h>

namespace heiasync::sync {
namespace {

using history::RunStatus;

RunReport ended(EarlyEnd early_end, std::int64_t organisations) {
    RunReport report;
    report.early_end = early_end;
    report.organisations = organisations;
    return report;
}

TEST(RunStatusOf, a_run_that_has_asked_everything) {
    RunReport report = ended(EarlyEnd::none, 3);
    EXPECT_EQ(status_of(report), RunStatus::succeeded);
    report.tasks[history::Stream::reports] = {.done = 2, .skipped = 1, .failed = 0};
    EXPECT_EQ(status_of(report), RunStatus::succeeded);
    RunReport lacking = report;
    lacking.not_listed = {7};
    EXPECT_EQ(status_of(lacking), RunStatus::partial);
    RunReport refused = report;
    refused.refused_before = true;
    EXPECT_EQ(status_of(refused), RunStatus::partial);
    report.tasks[history::Stream::usage_stats].failed = 1;
    EXPECT_EQ(status_of(report), RunStatus::partial);
}

TEST(RunStatusOf, a_run_that_is_to_be_continued) {
    for (const std::int64_t organisations : {0, 3}) {
        EXPECT_EQ(status_of(ended(EarlyEnd::stopped, organisations)), RunStatus::interrupted);
        EXPECT_EQ(status_of(ended(EarlyEnd::database_unavailable, organisations)), RunStatus::interrupted);
    }
}

TEST(RunStatusOf, a_run_that_ended_early) {
    EXPECT_EQ(status_of(ended(EarlyEnd::date_over, 0)), RunStatus::partial);
    EXPECT_EQ(status_of(ended(EarlyEnd::clock_skew, 3)), RunStatus::failed);
    for (const auto early_end : {EarlyEnd::credentials_rejected, EarlyEnd::api_unavailable, EarlyEnd::bug}) {
        EXPECT_EQ(status_of(ended(early_end, 0)), RunStatus::failed);
        EXPECT_EQ(status_of(ended(early_end, 3)), RunStatus::partial);
    }
}

}  // namespace
}  // namespace heiasync::sync
