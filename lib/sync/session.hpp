#pragma once

#include "sync/run.hpp"
#include "sync/writer.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace heiasync::sync {

/// A run in progress: what its streams share.
struct Session {
    Session(RunContext run_context, RunSettings run_settings, RunReport& run_report);

    RunContext context;
    RunSettings settings;
    RunReport& report;
    Writer writer;
    AcceptedMembers accepted;                             ///< of run_on, kept up to date while stats arrive
    std::set<Subject> not_mapped;                         ///< business ids that no user is mapped to
    std::vector<history::ReportVersion> stored_versions;  ///< before the run, sorted
    core::Instant last_moment = core::Instant::max();     ///< rule 1: from then on nothing is asked
    std::optional<std::string> held_off;                  ///< the API asks for more patience than retry.max_delay

    /// A task that begins now.
    [[nodiscard]] history::TaskRecord begin(history::Stream stream, std::int64_t organisation_id,
                                            std::string business_id) const;

    /// Awaits the work of one task. Here, and only here, what it throws becomes a failed task; or a skipped one, where
    /// the API answers 400 to a business id although the same call for the whole organisation succeeded in this run
    /// (`whole_succeeded`). Returns how the task ended as far as fetching is concerned. Throws RunEnd
    /// where the date of the run is over.
    boost::asio::awaitable<history::TaskStatus> perform(history::TaskRecord& task, boost::asio::awaitable<void> work,
                                                        bool whole_succeeded = false);

    /// Records a task that needed no request.
    boost::asio::awaitable<void> settle(history::TaskRecord task, history::TaskStatus status, std::string reason,
                                        std::optional<std::string> error);

    /// Notes that the answer to a task arrived.
    static void received(history::TaskRecord& task, core::Instant at, int attempts);

private:
    void count(const history::TaskRecord& task);
};

/// The streams, one file each: everything a run does for one organisation.
boost::asio::awaitable<std::vector<documents::Organisation>> sync_organisations(Session& session);
boost::asio::awaitable<void> sync_usage_stats(Session& session, const OrganisationPlan& plan);
boost::asio::awaitable<void> sync_energy_levels(Session& session, const OrganisationPlan& plan);
boost::asio::awaitable<void> sync_reports(Session& session, std::int64_t organisation_id);

}  // namespace heiasync::sync
