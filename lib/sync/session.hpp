#pragma once

#include "documents/original.hpp"
#include "history/erasures.hpp"
#include "sync/run.hpp"
#include "sync/store.hpp"
#include "sync/writer.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::sync {

/// How a task ended as far as fetching is concerned.
enum class Outcome {
    done,
    skipped,
    failed,
    postponed  ///< it failed, and is asked again in the second pass
};

/// A run in progress: what its streams share.
struct Session {
    Session(RunContext run_context, RunSettings run_settings, RunReport& run_report);

    RunContext context;
    RunSettings settings;
    RunReport& report;
    Store store;
    Writer writer;
    AcceptedMembers accepted;                             ///< of run_on, kept up to date while stats arrive
    std::set<Subject> not_mapped;                         ///< business ids that no user is mapped to
    std::vector<history::ReportVersion> stored_versions;  ///< of the organisations that are worked on, sorted
    history::SettledTasks before;                         ///< by the runs that this one goes on from
    history::Erasures erasures;                           ///< what is not asked for, or not kept
    core::Instant last_moment = core::Instant::max();     ///< rule 1: from then on nothing is asked

    bool last_pass = false;                                     ///< what fails now has failed
    std::map<history::TaskKey, history::TaskRecord> postponed;  ///< as they failed in the first pass
    std::map<std::int64_t, OrganisationPlan> second_pass;       ///< the same tasks, by organisation

    /// A task that begins now.
    [[nodiscard]] history::TaskRecord begin(history::Stream stream, std::int64_t organisation_id,
                                            std::string business_id) const;

    /// Awaits the work of one task. Here, and only here, what it throws becomes a failed task; or, in the first pass,
    /// one that `again` adds to the second; or a skipped one, where the API answers 400 to a business id although the
    /// same call for the whole organisation succeeded in this run (`whole_succeeded`). In the second pass it waits for
    /// a server that asks for patience, a quarter of an hour in all. Throws RunEnd where that does not suffice, and
    /// where the date of the run is over.
    boost::asio::awaitable<Outcome> perform(history::TaskRecord& task, boost::asio::awaitable<void> work,
                                            const Again& again, bool whole_succeeded = false);

    /// Puts a task that failed off to the second pass. False in that pass, and where the failure is final for the day.
    bool postpone(const history::TaskRecord& failed, const Again& again);

    /// Records a task that needed no request.
    boost::asio::awaitable<void> settle(history::TaskRecord task, history::TaskStatus status, std::string reason,
                                        std::optional<std::string> error);

    /// Records what was put off and not asked again, as it failed.
    boost::asio::awaitable<void> settle_postponed();

    /// Notes that the answer to the task in hand arrived.
    void received(history::TaskRecord& task, core::Instant at) const;

private:
    boost::asio::awaitable<void> wait_for_api();
    void count(const history::TaskRecord& task);
    void note_requests(history::TaskRecord& task) const;

    std::int64_t requests_before_ = 0;    ///< of the run, when the task in hand began
    std::chrono::milliseconds patience_;  ///< how long the second pass may still wait for a server that asks for it
};

/// What is kept of a document that arrived: all but the open answers where those were erased. Throws DecodeError.
std::shared_ptr<const documents::Original> kept(std::string_view operation, documents::Original original,
                                                bool open_answers_erased);

/// The streams, one file each: everything a run does for one organisation.
boost::asio::awaitable<std::vector<documents::Organisation>> sync_organisations(Session& session, bool accept_vanished);
boost::asio::awaitable<void> sync_usage_stats(Session& session, OrganisationPlan& plan);
boost::asio::awaitable<void> sync_energy_levels(Session& session, OrganisationPlan& plan);
boost::asio::awaitable<void> sync_reports(Session& session, OrganisationPlan& plan);

}  // namespace heiasync::sync
