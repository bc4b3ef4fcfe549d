#include "sync/session.hpp"

#include "core/printable.hpp"
#include "documents/open_answers.hpp"
#include "sync/failure.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

constexpr int status_ok = 200;
constexpr int status_bad_request = 400;
constexpr int status_forbidden = 403;
constexpr int status_not_found = 404;
constexpr const char* not_mapped_reason = "business_id_not_mapped";

/// How long a second pass waits, all in all, for a server that asks for patience; who asks for more is asked by a later
/// run.
constexpr std::chrono::minutes longest_wait{15};
constexpr std::chrono::seconds wait_worth_a_line{10};

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

/// Asking again on the same day would change nothing (rule 8).
bool is_final(const history::TaskRecord& task) {
    return task.http_status == status_bad_request || task.http_status == status_forbidden ||
           task.http_status == status_not_found;
}

}  // namespace

Session::Session(RunContext run_context, RunSettings run_settings, RunReport& run_report)
    : context{std::move(run_context)},
      settings{std::move(run_settings)},
      report{run_report},
      store{context.executor, context.database,
            [this] { return settings.outlives_outages && context.clock.now() < last_moment; }, context.on_outage},
      writer{context.executor, context.clock, store, [this](const history::TaskRecord& task) { count(task); },
             [this](const Write& write) { return postpone(write.task, write.again); }},
      patience_{longest_wait} {}

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

asio::awaitable<Outcome> Session::perform(history::TaskRecord& task, asio::awaitable<void> work, const Again& again,
                                          bool whole_succeeded) {
    if (last_pass) {
        co_await wait_for_api();
    }
    co_await writer.wait_out_outage();
    if (context.clock.now() >= last_moment) {
        throw RunEnd{EarlyEnd::date_over, "date_over: the run's date ended two hours ago"};
    }
    const auto earlier = postponed.find(task);
    const bool asked_before = earlier != postponed.end();
    if (asked_before) {
        task.attempts = earlier->second.attempts;
        task.started_at = earlier->second.started_at;
    }
    requests_before_ = context.traffic.requests - task.attempts;
    try {
        co_await std::move(work);
        if (asked_before) {
            postponed.erase(task);
        }
        co_return Outcome::done;
    } catch (const heiaheia::CredentialsRejected&) {
        throw;
    } catch (const heiaheia::ApiError& error) {
        task.http_status = error.status();
        task.error = error.what();
        task.reason = error.code().empty() ? "http_status" : error.code();
    } catch (const http::TransportError& error) {
        task.error = error.what();
        task.reason = error.kind() == http::TransportError::Kind::too_large ? "too_large" : "transport";
    } catch (const documents::DecodeError& error) {
        task.http_status = status_ok;
        task.error = error.what();
        task.reason = "not_decodable";
    }

    task.status = history::TaskStatus::failed;
    task.finished_at = context.clock.now();
    note_requests(task);
    if (task.attempts == 0) {
        task.http_status.reset();
        task.reason = "not_asked";
    }
    if (postpone(task, again)) {
        co_return Outcome::postponed;
    }
    postponed.erase(task);
    if (task.http_status == status_bad_request && whole_succeeded) {
        task.status = history::TaskStatus::skipped;
        task.reason = not_mapped_reason;
        not_mapped.emplace(task.organisation_id, task.business_id);
    }
    Write write{task, {}};
    co_await writer.store(std::move(write));
    co_return task.status == history::TaskStatus::skipped ? Outcome::skipped : Outcome::failed;
}

asio::awaitable<void> Session::wait_for_api() {
    const auto hold = context.api.held_for();
    if (hold > patience_) {
        throw RunEnd{EarlyEnd::api_unavailable, fmt::format("api_unavailable: the server asks to wait for another {} s",
                                                            std::chrono::ceil<std::chrono::seconds>(hold).count())};
    }
    if (hold >= wait_worth_a_line) {
        context.log.info("the server asks to wait for another {} s",
                         std::chrono::ceil<std::chrono::seconds>(hold).count());
    }
    patience_ -= hold;
    co_await context.api.wait_out_hold();
}

bool Session::postpone(const history::TaskRecord& failed, const Again& again) {
    const history::TaskKey whole{failed.organisation_id, "", failed.stream, failed.period_start, failed.report_id};
    // What a 400 to a business id means is known once the whole organisation has been asked again.
    const bool undecided = failed.http_status == status_bad_request && !failed.business_id.empty() &&
                           !failed.report_id && postponed.contains(whole);
    if (last_pass || (is_final(failed) && !undecided)) {
        return false;
    }
    context.log.debug("{}: {}: asked again later: {}", subject_of(failed), history::to_string(failed.stream),
                      failed.error.value_or(failed.reason.value_or("")));
    postponed.insert_or_assign(failed, failed);
    OrganisationPlan& plan = second_pass[failed.organisation_id];
    plan.organisation_id = failed.organisation_id;
    again(plan);
    return true;
}

asio::awaitable<void> Session::settle(history::TaskRecord task, history::TaskStatus status, std::string reason,
                                      std::optional<std::string> error) {
    postponed.erase(task);
    task.status = status;
    task.reason = std::move(reason);
    task.error = std::move(error);
    Write write{std::move(task), {}};
    co_await writer.store(std::move(write));
}

asio::awaitable<void> Session::settle_postponed() {
    for (auto& [key, task] : std::exchange(postponed, {})) {
        Write write{std::move(task), {}};
        co_await writer.store(std::move(write));
    }
    co_await writer.drain();
}

void Session::received(history::TaskRecord& task, core::Instant at) const {
    task.finished_at = at;
    task.http_status = status_ok;
    note_requests(task);
}

void Session::note_requests(history::TaskRecord& task) const {
    task.attempts = static_cast<int>(context.traffic.requests - requests_before_);
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

std::shared_ptr<const documents::Original> kept(std::string_view operation, documents::Original original,
                                                bool open_answers_erased) {
    if (open_answers_erased) {
        if (auto rest = documents::without_open_answers(operation, original)) {
            original = *std::move(rest);
        }
    }
    return std::make_shared<const documents::Original>(std::move(original));
}

}  // namespace heiasync::sync
