#include "sync/run_report.hpp"

namespace heiasync::sync {

std::int64_t RunReport::failures() const {
    std::int64_t failures = 0;
    for (const auto& [stream, counts] : tasks) {
        failures += counts.failed;
    }
    return failures;
}

history::RunStatus status_of(const RunReport& report) {
    using history::RunStatus;
    switch (report.early_end) {
        case EarlyEnd::none:
            return report.failures() == 0 && report.not_listed.empty() && !report.refused_before ? RunStatus::succeeded
                                                                                                 : RunStatus::partial;
        case EarlyEnd::stopped:
        case EarlyEnd::database_unavailable:
            return RunStatus::interrupted;
        case EarlyEnd::date_over:
            return RunStatus::partial;
        case EarlyEnd::clock_skew:
            return RunStatus::failed;
        default:
            return report.organisations > 0 ? RunStatus::partial : RunStatus::failed;
    }
}

}  // namespace heiasync::sync
