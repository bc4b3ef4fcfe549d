#include "history/reports.hpp"

#include "sync/session.hpp"

#include <algorithm>
#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

/// Appends to `due` what the listing shows and is not stored.
asio::awaitable<void> fetch_listing(Session& session, history::TaskRecord& task, bool recorded, const Again& again,
                                    std::vector<ReportTask>& due) {
    auto answer = co_await session.context.api.list_reports(task.organisation_id);
    session.received(task, answer.received_at);
    if (!answer.value.rejected.empty()) {
        if (!session.last_pass) {
            throw documents::DecodeError{answer.value.rejected.front()};
        }
        task.status = history::TaskStatus::failed;
        task.reason = "not_decodable";
        task.error = answer.value.rejected.front().what();
    }
    std::erase_if(answer.value.reports, [&session, &task](const documents::Report& report) {
        return session.erasures.report(task.organisation_id, report.id);
    });
    for (documents::Report& report :
         due_reports(task.organisation_id, answer.value.reports, session.stored_versions, session.before)) {
        if (std::ranges::any_of(due, [&report](const ReportTask& known) { return known.report == report; })) {
            continue;
        }
        due.push_back({std::move(report), answer.received_at});
    }
    auto rows = [task, reports = std::move(answer.value.reports),
                 drift = std::move(answer.value.drift)](history::Transaction& transaction) {
        history::record_listed_reports(transaction, task.sync_run_id, task.organisation_id, reports, task.finished_at);
        history::record_drift(transaction, history::Stream::reports, drift, task.finished_at);
    };
    if (!recorded) {
        co_await session.store.transact_again(rows);
        co_return;
    }
    Write write{task, std::move(rows)};
    write.again = again;
    co_await session.writer.store(std::move(write));
}

asio::awaitable<void> list_reports(Session& session, const OrganisationPlan& plan, std::vector<ReportTask>& due) {
    const ReportListing kind = plan.report_listing;
    const Again again = [kind](OrganisationPlan& later) { later.report_listing = kind; };
    history::TaskRecord task = session.begin(history::Stream::reports, plan.organisation_id, "");
    asio::awaitable<void> work = fetch_listing(session, task, kind == ReportListing::ask, again, due);
    co_await session.perform(task, std::move(work), again);
}

asio::awaitable<void> fetch_report(Session& session, history::TaskRecord& task, ReportTask due, const Again& again) {
    auto answer = co_await session.context.api.report_data(due.report.data_instance_id);
    session.received(task, answer.received_at);

    history::ReportSnapshot snapshot;
    snapshot.sync_run_id = task.sync_run_id;
    snapshot.organisation_id = task.organisation_id;
    snapshot.report = std::move(due.report);
    snapshot.listed_at = due.listed_at;
    snapshot.downloaded_at = answer.received_at;
    const bool open_answers_erased = session.erasures.open_answers(task.organisation_id, snapshot.report.id);
    auto original = kept("report_data", std::move(answer.value), open_answers_erased);
    auto rows = [snapshot = std::move(snapshot), original](history::Transaction& transaction) {
        const history::StoredDocument stored = history::store_report(transaction, snapshot, *original);
        history::record_drift(transaction, history::Stream::reports, stored.drift, snapshot.downloaded_at);
    };
    Write write{task, std::move(rows)};
    write.document = true;
    write.again = again;
    co_await session.writer.store(std::move(write));
}

}  // namespace

asio::awaitable<void> sync_reports(Session& session, OrganisationPlan& plan) {
    std::vector<ReportTask> due = std::move(plan.reports);
    if (plan.report_listing != ReportListing::none) {
        co_await list_reports(session, plan, due);
    }
    for (ReportTask& report : due) {
        const Again again = [report](OrganisationPlan& later) { later.reports.push_back(report); };
        history::TaskRecord task =
            session.begin(history::Stream::reports, plan.organisation_id, report.report.business_id);
        task.report_id = report.report.id;
        asio::awaitable<void> work = fetch_report(session, task, std::move(report), again);
        co_await session.perform(task, std::move(work), again);
    }
}

}  // namespace heiasync::sync
