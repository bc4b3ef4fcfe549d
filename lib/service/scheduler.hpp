#pragma once

#include "core/clock.hpp"
#include "history/day.hpp"
#include "service/decision.hpp"
#include "service/state.hpp"
#include "sync/run.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <optional>

namespace spdlog {
class logger;
}

namespace heiasync::service {

/// What the scheduler has others do.
class Work {
public:
    Work() = default;
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    virtual ~Work() = default;

    /// What the ledger says of a date whose slot this is. Throws history::DatabaseError.
    virtual boost::asio::awaitable<history::DayState> read_day(core::Date date, core::Instant slot) = 0;

    /// Reads anew what is told of the ledger (State::standing), where the last read_day() found it changed.
    virtual boost::asio::awaitable<void> refresh() = 0;

    /// One run, to its end; cancelled, it ends with what is in hand stored.
    virtual boost::asio::awaitable<sync::RunReport> run(sync::RunRequest request) = 0;

    /// Nothing is to be done until the next slot or retry: what is held for the next step may be let go.
    virtual void rest() = 0;
};

/// How often is looked again, in real time, where the world hinders.
struct Pace {
    std::chrono::milliseconds shortest{1'000};  ///< doubles with each attempt
    std::chrono::milliseconds longest{60'000};
    std::chrono::milliseconds run_elsewhere{2'000};
};

/// Runs every slot's run on its date, by what the ledger says; between them it sleeps. All members are called on the
/// loop's thread.
class Scheduler {
public:
    /// All but `schedule` and `pace` must outlive it.
    Scheduler(boost::asio::any_io_executor executor, core::Clock& clock, Work& work, State& state, spdlog::logger& log,
              const Schedule& schedule, const Pace& pace = {});

    /// Ends once it was stopped and the run in hand has ended. Throws history::DatabaseError where the schema or the
    /// settings of the database make every attempt useless, and what is a bug of ours.
    boost::asio::awaitable<void> execute();

    /// What is due is decided anew, as at a start; a run in hand goes on.
    void reschedule(const Schedule& schedule);

    /// Looks into the ledger now: somebody else found the database away.
    void look_now() { wake(); }

    /// Starts a run over everything as soon as the database is there, unless one is going on or due anyway.
    void run_now();

    /// Stops the run in hand; what is due is decided anew.
    void interrupt_run();

    void stop();

private:
    boost::asio::awaitable<void> look();
    void arm(const Decision& decision);
    boost::asio::awaitable<void> act(Decision decision, core::Date date);
    boost::asio::awaitable<void> wait(Decision decision);
    boost::asio::awaitable<void> perform(sync::RunRequest request);
    boost::asio::awaitable<void> conclude(const sync::RunReport& report);
    boost::asio::awaitable<void> nap(boost::asio::awaitable<void> sleep, std::chrono::steady_clock::duration length);
    boost::asio::awaitable<void> back_off();
    void wake();

    boost::asio::any_io_executor executor_;
    core::Clock& clock_;
    Work& work_;
    State& state_;
    spdlog::logger& log_;
    Schedule schedule_;
    Pace pace_;

    std::optional<core::Instant> awaited_;  ///< the slot that it waits for, or waited for last
    std::chrono::milliseconds next_back_off_;
    bool woken_ = false;  ///< what was read and decided is out of date
    bool manual_run_asked_ = false;
    bool ledger_is_away_ = false;
    bool stopping_ = false;
    boost::asio::cancellation_signal wake_;
    boost::asio::cancellation_signal stop_run_;
};

}  // namespace heiasync::service
