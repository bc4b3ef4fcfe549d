#include "sync/session.hpp"

#include "core/printable.hpp"
#include "sync/failure.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

constexpr int status_ok = 200;
constexpr int status_bad_request = 400;
constexpr const char* not_mapped_reason = "business_id_not_mapped";

/// Whose task it is, for a log line.
std::string subject_of(const history::TaskRecord& task) {
    if (task.organisation_id == 0) {
        return "the listing";
    }
    std::string subject = fmt::format("organisation {}", task.organisation_id);
    if (!task.business_id.empty()) {
        subject += fmt::format(" business id {}", core::printable(task.business_id));
    }
    return subject;
}

}  // namespace

Session::Session(RunContext run_context, RunSettings run_settings, RunReport& run_report)
    : context{std::move(run_context)},
      settings{std::move(run_settings)},
      report{run_report},
      writer{context.executor, context.database, [this](const history::TaskRecord& task) { count(task); }} {}

history::TaskRecord Session::begin(history::Stream stream, std::int64_t organisation_id,
                                   std::string business_id) const {
    history::TaskRecord task;
    task.sync_run_id = report.sync_run_id;
    task.run_on = report.run_on;
    task.organisation_id = organisation_id;
    task.business_id = std::move(business_id);
    task.stream = stream;
    task.started_at = context.clock.now();
    task.finished_at = task.started_at;
    return task;
}

asio::awaitable<history::TaskStatus> Session::perform(history::TaskRecord& task, asio::awaitable<void> work,
                                                      bool whole_succeeded) {
    if (context.clock.now() >= last_moment) {
        throw RunEnd{EarlyEnd::date_over, "date_over: the run's date ended two hours ago"};
    }
    try {
        co_await std::move(work);
        co_return history::TaskStatus::done;
    } catch (const heiaheia::CredentialsRejected&) {
        throw;
    } catch (const heiaheia::ApiError& error) {
        task.http_status = error.status();
        task.attempts = error.attempts();
        task.error = error.what();
        task.reason = error.code().empty() ? "http_status" : error.code();
        if (error.deferred()) {
            held_off = error.what();
        }
    } catch (const http::TransportError& error) {
        task.attempts = error.attempts();
        task.error = error.what();
        task.reason = "transport";
    } catch (const documents::DecodeError& error) {
        task.error = error.what();
        task.reason = "not_decodable";
    }

    task.status = history::TaskStatus::failed;
    task.finished_at = context.clock.now();
    if (task.http_status == status_bad_request && whole_succeeded) {
        task.status = history::TaskStatus::skipped;
        task.reason = not_mapped_reason;
        not_mapped.emplace(task.organisation_id, task.business_id);
    }
    Write write{task, {}};
    co_await writer.store(std::move(write));
    co_return task.status;
}

asio::awaitable<void> Session::settle(history::TaskRecord task, history::TaskStatus status, std::string reason,
                                      std::optional<std::string> error) {
    task.status = status;
    task.reason = std::move(reason);
    task.error = std::move(error);
    Write write{std::move(task), {}};
    co_await writer.store(std::move(write));
}

void Session::received(history::TaskRecord& task, core::Instant at, int attempts) {
    task.finished_at = at;
    task.attempts = attempts;
    task.http_status = status_ok;
}

void Session::count(const history::TaskRecord& task) {
    TaskCounts& counts = report.tasks[task.stream];
    switch (task.status) {
        case history::TaskStatus::done:
            ++counts.done;
            break;
        case history::TaskStatus::skipped:
            ++counts.skipped;
            break;
        case history::TaskStatus::failed:
            ++counts.failed;
            context.log.warn("{}: {} failed: {} ({})", subject_of(task), history::to_string(task.stream),
                             task.error.value_or(task.reason.value_or("")), task.reason.value_or(""));
            break;
    }
}

}  // namespace heiasync::sync
