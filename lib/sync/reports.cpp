#include "history/reports.hpp"

#include "sync/session.hpp"

#include <memory>
#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

struct Listed {
    std::vector<documents::Report> reports;
    core::Instant at{};
};

asio::awaitable<void> fetch_listing(Session& session, history::TaskRecord& task, Listed& listed) {
    auto answer = co_await session.context.api.list_reports(task.organisation_id);
    Session::received(task, answer.received_at, answer.attempts);
    listed.reports = std::move(answer.value.reports);
    listed.at = answer.received_at;
    if (!answer.value.rejected.empty()) {
        task.status = history::TaskStatus::failed;
        task.reason = "not_decodable";
        task.error = answer.value.rejected.front().what();
    }

    auto rows = [task, reports = listed.reports,
                 drift = std::move(answer.value.drift)](history::Transaction& transaction) {
        history::record_listed_reports(transaction, task.sync_run_id, task.organisation_id, reports, task.finished_at);
        history::record_drift(transaction, history::Stream::reports, drift, task.finished_at);
    };
    Write write{task, std::move(rows)};
    co_await session.writer.store(std::move(write));
}

asio::awaitable<void> fetch_report(Session& session, history::TaskRecord& task, documents::Report report,
                                   core::Instant listed_at) {
    auto answer = co_await session.context.api.report_data(report.data_instance_id);
    Session::received(task, answer.received_at, answer.attempts);

    history::ReportSnapshot snapshot;
    snapshot.sync_run_id = task.sync_run_id;
    snapshot.organisation_id = task.organisation_id;
    snapshot.report = std::move(report);
    snapshot.listed_at = listed_at;
    snapshot.downloaded_at = answer.received_at;
    auto original = std::make_shared<const documents::Original>(std::move(answer.value));
    auto rows = [snapshot = std::move(snapshot), original](history::Transaction& transaction) {
        const history::StoredDocument stored = history::store_report(transaction, snapshot, *original);
        history::record_drift(transaction, history::Stream::reports, stored.drift, snapshot.downloaded_at);
    };
    Write write{task, std::move(rows)};
    write.document = true;
    co_await session.writer.store(std::move(write));
}

}  // namespace

asio::awaitable<void> sync_reports(Session& session, std::int64_t organisation_id) {
    Listed listed;
    history::TaskRecord listing_task = session.begin(history::Stream::reports, organisation_id, "");
    asio::awaitable<void> listing_work = fetch_listing(session, listing_task, listed);
    co_await session.perform(listing_task, std::move(listing_work));

    for (documents::Report& report : due_reports(organisation_id, listed.reports, session.stored_versions)) {
        history::TaskRecord task = session.begin(history::Stream::reports, organisation_id, report.business_id);
        task.report_id = report.id;
        asio::awaitable<void> work = fetch_report(session, task, std::move(report), listed.at);
        co_await session.perform(task, std::move(work));
    }
}

}  // namespace heiasync::sync
