#include "service/scheduler.hpp"

#include "history/error.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

namespace heiasync::service {

namespace asio = boost::asio;
using Kind = history::DatabaseError::Kind;

namespace {

/// How much later than it wanted to the scheduler may wake.
constexpr std::chrono::minutes late_waking{1};

asio::awaitable<void> pause(std::chrono::milliseconds length) {
    asio::steady_timer timer{co_await asio::this_coro::executor, length};
    co_await timer.async_wait(asio::use_awaitable);
}

bool was_authenticated(const sync::RunReport& report) {
    return report.early_end == sync::EarlyEnd::none || report.organisations > 0;
}

}  // namespace

Scheduler::Scheduler(asio::any_io_executor executor, core::Clock& clock, Work& work, State& state, spdlog::logger& log,
                     const Schedule& schedule, const Pace& pace)
    : executor_{std::move(executor)},
      clock_{clock},
      work_{work},
      state_{state},
      log_{log},
      schedule_{schedule},
      pace_{pace},
      next_back_off_{pace.shortest} {}

asio::awaitable<void> Scheduler::execute() {
    while (!stopping_) {
        woken_ = false;
        co_await look();
    }
}

void Scheduler::reschedule(const Schedule& schedule) {
    schedule_ = schedule;
    for (Condition* condition : {&state_.database, &state_.api, &state_.credentials, &state_.clock}) {
        condition->tell_again();
    }
    wake();
}

void Scheduler::run_now() {
    if (state_.run) {
        log_.info("SIGUSR1: a run is going on already, no other is started");
        return;
    }
    manual_run_asked_ = true;
    wake();
}

void Scheduler::stop() {
    stopping_ = true;
    wake();
    interrupt_run();
}

void Scheduler::interrupt_run() {
    stop_run_.emit(asio::cancellation_type::terminal);
}

void Scheduler::wake() {
    woken_ = true;
    wake_.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> Scheduler::look() {
    const core::Instant now = clock_.now();
    const core::Date date = calendar::local_date(now, *schedule_.zone);
    const calendar::Slot slot = slot_today(now, schedule_);
    std::optional<history::DayState> today;
    std::optional<std::string> busy;
    try {
        today = co_await work_.read_day(date, slot.at);
    } catch (const history::DatabaseError& error) {
        if (!error.may_pass()) {
            throw;
        }
        if (error.kind() == Kind::busy) {
            busy = error.what();
        } else {
            state_.database.holds(log_, fmt::format("the database is not available: {}; asked again until it is, check "
                                                    "database.url and the server",
                                                    error.what()));
        }
    }
    if (busy) {
        state_.lock.holds(log_, *busy);
        state_.changed();
        co_await nap(pause(pace_.run_elsewhere), pace_.run_elsewhere);
        co_return;
    }
    if (!today) {
        ledger_is_away_ = true;
        state_.changed();
        co_await back_off();
        co_return;
    }
    // A database that can be read may still refuse to be written.
    if (std::exchange(ledger_is_away_, false)) {
        state_.database.has_ended(log_);
    }
    const auto is_out_of_date = [this, date] {
        return woken_ || calendar::local_date(clock_.now(), *schedule_.zone) != date;
    };
    // Who starts the daemon waits until it is armed; later, who sees it rest is to see the figures of the run as well.
    const bool is_start = !state_.next_run;
    if (!is_start) {
        co_await work_.refresh();
    }
    if (is_out_of_date()) {
        co_return;
    }
    const Decision decision = decide(*today, clock_.now(), schedule_, awaited_);
    arm(decision);
    if (is_start) {
        co_await work_.refresh();
    }
    if (!is_out_of_date()) {
        co_await act(decision, date);
    }
}

void Scheduler::arm(const Decision& decision) {
    const bool is_wait = decision.kind == Decision::Kind::wait;
    const core::Instant next = is_wait ? decision.until : decision.next_slot;
    if (is_wait) {
        awaited_ = decision.next_slot;
        if (state_.next_run != next) {
            log_.info("the next run is due at {}", calendar::format_local(next, *schedule_.zone));
        }
    }
    state_.next_run = next;
    state_.changed();
}

asio::awaitable<void> Scheduler::act(Decision decision, core::Date date) {
    const bool manual_run = std::exchange(manual_run_asked_, false);
    if (decision.kind != Decision::Kind::run && manual_run) {
        sync::RunRequest request;
        co_await perform(std::move(request));
        co_return;
    }
    switch (decision.kind) {
        case Decision::Kind::wait:
            co_await wait(decision);
            co_return;
        case Decision::Kind::look_again:
            state_.lock.holds(log_, "another process has a run in hand: the slot waits for it");
            state_.changed();
            co_await nap(pause(pace_.run_elsewhere), pace_.run_elsewhere);
            co_return;
        case Decision::Kind::run:
            break;
    }
    sync::Decided decided;
    decided.run_on = date;
    decided.last_run = decision.last_run;
    sync::RunRequest request;
    request.trigger = decision.trigger;
    request.scheduled_for = decision.scheduled_for;
    request.decided = decided;
    co_await perform(std::move(request));
}

asio::awaitable<void> Scheduler::wait(Decision decision) {
    state_.lock.has_ended(log_);
    state_.database.has_ended(log_);
    next_back_off_ = pace_.shortest;
    work_.rest();
    state_.changed();
    co_await nap(clock_.nap_until(decision.until), decision.until - clock_.now());
}

asio::awaitable<void> Scheduler::perform(sync::RunRequest request) {
    State::RunInHand in_hand;
    in_hand.trigger = request.trigger;
    in_hand.scheduled_for = request.scheduled_for;
    in_hand.started_at = clock_.now();
    in_hand.progressed_at = in_hand.started_at;
    state_.run = in_hand;
    state_.changed();
    const bool manual = !request.decided;
    asio::awaitable<sync::RunReport> work = work_.run(std::move(request));
    auto until_stopped = asio::bind_cancellation_slot(stop_run_.slot(), asio::use_awaitable);
    const sync::RunReport report = co_await asio::co_spawn(executor_, std::move(work), until_stopped);
    state_.run.reset();
    state_.changed();
    if (manual && report.early_end == sync::EarlyEnd::database_unavailable && report.sync_run_id == 0) {
        manual_run_asked_ = true;
    }
    if (manual && report.early_end == sync::EarlyEnd::busy && report.sync_run_id == 0) {
        log_.info("SIGUSR1: another process has a run in hand, no other is started");
    } else {
        co_await conclude(report);
    }
}

asio::awaitable<void> Scheduler::conclude(const sync::RunReport& report) {
    using sync::EarlyEnd;
    const std::string why = report.error.value_or("");
    if (was_authenticated(report)) {
        state_.credentials.has_ended(log_);
    }
    if (report.early_end == EarlyEnd::none || report.early_end == EarlyEnd::credentials_rejected) {
        state_.api.has_ended(log_);
    }
    if (report.sync_run_id != 0 && report.early_end != EarlyEnd::clock_skew) {
        state_.clock.has_ended(log_);
    }
    if (report.sync_run_id != 0 && report.early_end != EarlyEnd::busy) {
        state_.lock.has_ended(log_);
    }
    if (report.is_closed && report.early_end != EarlyEnd::database_unavailable) {
        state_.database.has_ended(log_);
    }
    bool hindered = true;
    switch (report.early_end) {
        case EarlyEnd::credentials_rejected:
            state_.credentials.holds(log_, fmt::format("the API rejected the credentials ({}): check api.email, "
                                                       "api.client_id, the client secret and the magic token, then "
                                                       "send SIGHUP and SIGUSR1",
                                                       why));
            hindered = false;
            break;
        case EarlyEnd::api_unavailable:
            state_.api.holds(log_, fmt::format("the API is not available: {}; asked again every retry_interval while "
                                               "the date lasts",
                                               why));
            hindered = false;
            break;
        case EarlyEnd::database_unavailable:
            state_.database.holds(log_, fmt::format("the database is not available: {}; asked again until it is, "
                                                    "check database.url and the server",
                                                    why));
            break;
        case EarlyEnd::replaced:
            state_.database.has_ended(log_);
            log_.warn("{}: another run fetches that", why);
            hindered = false;
            break;
        case EarlyEnd::clock_skew:
            state_.clock.holds(log_, fmt::format("{}; nothing is stored with a wrong date: set the clock", why));
            break;
        case EarlyEnd::busy:
            state_.lock.holds(log_, fmt::format("another process has a run in hand: the slot waits for it ({})", why));
            co_await nap(pause(pace_.run_elsewhere), pace_.run_elsewhere);
            co_return;
        case EarlyEnd::schema_unusable:
            throw history::DatabaseError{Kind::schema, why, ""};
        case EarlyEnd::bug:
            if (report.sync_run_id == 0) {
                throw std::runtime_error{why};
            }
            break;
        default:
            hindered = false;
            break;
    }
    state_.changed();
    if (hindered) {
        co_await back_off();
    } else {
        next_back_off_ = pace_.shortest;
    }
}

asio::awaitable<void> Scheduler::back_off() {
    const auto length = next_back_off_;
    next_back_off_ = std::min(2 * next_back_off_, pace_.longest);
    co_await nap(pause(length), length);
}

/// Until the sleep has ended or something happened.
asio::awaitable<void> Scheduler::nap(asio::awaitable<void> sleep, std::chrono::steady_clock::duration length) {
    if (woken_ || stopping_) {
        co_return;
    }
    state_.check_ins.scheduler.again_within(length + late_waking);
    auto until_woken = asio::bind_cancellation_slot(wake_.slot(), asio::as_tuple(asio::use_awaitable));
    const auto [failure] = co_await asio::co_spawn(executor_, std::move(sleep), until_woken);
    state_.check_ins.scheduler.rests();
    if (failure && !woken_) {
        std::rethrow_exception(failure);
    }
}

}  // namespace heiasync::service
