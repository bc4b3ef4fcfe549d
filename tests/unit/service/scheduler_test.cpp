#include "service/scheduler.hpp"

#include "history/error.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace heiasync::service {
namespace {

namespace asio = boost::asio;
using history::DatabaseError;
using history::RunStatus;
using history::Trigger;
using sync::EarlyEnd;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

core::Instant at(const std::string& text) {
    return core::parse_instant(text);
}

/// A clock whose hands the test moves. Like the machine's, it tells whoever naps of a step.
class Hands final : public core::Clock {
public:
    Hands(asio::io_context& loop, core::Instant start) : now_{start}, wait_{loop} {
        wait_.expires_at(asio::steady_timer::time_point::max());
    }

    [[nodiscard]] core::Instant now() const override { return now_; }

    asio::awaitable<void> sleep_until(core::Instant instant) override {
        while (now_ < instant) {
            co_await nap_until(instant);
        }
    }

    asio::awaitable<void> nap_until(core::Instant instant) override {
        if (now_ >= instant) {
            co_return;
        }
        due_ = instant;
        ++naps_;
        moved_ = false;
        static_cast<void>(co_await wait_.async_wait(asio::as_tuple(asio::use_awaitable)));
        due_.reset();
        if (!moved_) {
            throw boost::system::system_error{asio::error::operation_aborted};
        }
    }

    void set(core::Instant instant) {
        now_ = instant;
        moved_ = true;
        wait_.cancel();
    }
    void advance(core::Instant::duration by) { now_ += by; }

    /// When whoever naps is to wake.
    [[nodiscard]] std::optional<core::Instant> due() const { return due_; }
    /// How many naps have begun.
    [[nodiscard]] int naps() const { return naps_; }

private:
    core::Instant now_;
    asio::steady_timer wait_;
    std::optional<core::Instant> due_;
    bool moved_ = false;
    int naps_ = 0;
};

/// A ledger in memory, and runs that take a quarter of an hour.
class Ledger final : public Work {
public:
    struct Started {
        Trigger trigger = Trigger::manual;
        std::optional<core::Instant> scheduled_for;
        core::Instant at{};
        core::Date run_on{};
    };

    Ledger(Hands& hands, const Schedule& schedule) : hands_{hands}, schedule_{schedule} {}

    asio::awaitable<history::DayState> read_day(core::Date date, core::Instant slot) override {
        ++looks;
        if (database_error) {
            throw DatabaseError{*database_error, "the connection was refused", ""};
        }
        history::DayState state;
        for (const history::DayRun& run : days_[date]) {
            state.runs.push_back(run);
            state.mendable = history::counts_for(run, slot) && run.status == RunStatus::failed;
        }
        if (run_elsewhere) {
            state.runs.push_back({99, slot, slot, {}, RunStatus::running});
        }
        co_return state;
    }

    asio::awaitable<sync::RunReport> run(sync::RunRequest request) override {
        const core::Date date = calendar::local_date(hands_.now(), *schedule_.zone);
        started.push_back({request.trigger, request.scheduled_for, hands_.now(), date});
        sync::RunReport report;
        report.early_end = early_end;
        report.error = early_end == EarlyEnd::none ? std::nullopt : std::optional<std::string>{"why"};
        if (!recorded) {
            co_return report;
        }
        report.sync_run_id = ++ids_;
        report.status = early_end == EarlyEnd::none ? RunStatus::succeeded : RunStatus::failed;
        history::DayRun row{report.sync_run_id, request.scheduled_for, hands_.now(), {}, report.status};
        if (hang) {
            asio::steady_timer never{co_await asio::this_coro::executor, asio::steady_timer::time_point::max()};
            release = [&never] { never.cancel(); };
            static_cast<void>(co_await never.async_wait(asio::as_tuple(asio::use_awaitable)));
            const asio::cancellation_state cancelled = co_await asio::this_coro::cancellation_state;
            if (cancelled.cancelled() != asio::cancellation_type::none) {
                row.status = RunStatus::interrupted;
                report.early_end = EarlyEnd::stopped;
            }
        }
        hands_.advance(15min);
        row.finished_at = hands_.now();
        days_[date].push_back(row);
        co_return report;
    }

    asio::awaitable<void> refresh() override {
        ++refreshes;
        if (on_refresh) {
            on_refresh();
        }
        co_return;
    }

    void rest() override { ++rests; }

    void add(core::Date date, const history::DayRun& run) { days_[date].push_back(run); }

    int looks = 0;
    int refreshes = 0;
    std::function<void()> on_refresh;
    int rests = 0;
    std::vector<Started> started;
    std::optional<DatabaseError::Kind> database_error;
    bool run_elsewhere = false;
    EarlyEnd early_end = EarlyEnd::none;  ///< of the runs to come
    bool recorded = true;
    bool hang = false;
    std::function<void()> release;

private:
    Hands& hands_;
    const Schedule& schedule_;
    std::map<core::Date, std::vector<history::DayRun>> days_;
    std::int64_t ids_ = 0;
};

/// `schedule for 2026-06-15T01:30:00Z at 2026-06-15T01:30:00Z`.
std::string words(const Ledger::Started& run) {
    return std::string{history::to_string(run.trigger)} +
           (run.scheduled_for ? " for " + core::format_instant(*run.scheduled_for) : "") + " at " +
           core::format_instant(run.at);
}

class SchedulerTest : public ::testing::Test {
protected:
    SchedulerTest() {
        asio::co_spawn(loop, scheduler.execute(), [this](std::exception_ptr thrown) {
            failure = std::move(thrown);
            ended = true;
        });
    }
    ~SchedulerTest() override {
        if (!ended) {
            scheduler.stop();
            loop.restart();
            loop.run_for(10s);
            EXPECT_TRUE(ended);
        }
    }

    /// Lets the loop turn until it is so.
    void until(const std::function<bool()>& so) {
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (!so()) {
            loop.restart();
            loop.run_one_for(1s);
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error{"it never happened"};
            }
        }
    }
    void until_it_waits() {
        loop.restart();
        loop.poll();
        until([this] { return ended || hands.due().has_value(); });
    }

    /// Time passes, and whoever naps is woken when it is due.
    void pass_to(core::Instant instant) {
        until_it_waits();
        while (hands.due() && *hands.due() <= instant) {
            step_to(*hands.due());
        }
        if (hands.now() < instant) {
            hands.advance(instant - hands.now());
        }
    }
    void step_to(core::Instant instant) {
        until_it_waits();
        const int before = hands.naps();
        hands.set(instant);
        until([&] { return ended || hands.naps() > before; });
        until_it_waits();
    }

    std::vector<std::string> started() const {
        std::vector<std::string> runs;
        std::ranges::transform(work.started, std::back_inserter(runs), words);
        return runs;
    }
    std::size_t lines_with(const std::string& text) const {
        std::istringstream lines{log_text.str()};
        std::size_t count = 0;
        for (std::string line; std::getline(lines, line);) {
            count += line.find(text) != std::string::npos ? 1U : 0U;
        }
        return count;
    }

    static Schedule helsinki() {
        Schedule schedule;
        schedule.zone = &calendar::find_zone("Europe/Helsinki");
        schedule.daily_at = 4h + 30min;
        schedule.retry_interval = 1h;
        return schedule;
    }

    asio::io_context loop;
    Schedule schedule = helsinki();
    Hands hands{loop, at("2026-06-15T03:00:00+03:00")};
    Ledger work{hands, schedule};
    State state;
    std::ostringstream log_text;
    spdlog::logger log{"test", std::make_shared<spdlog::sinks::ostream_sink_st>(log_text)};
    Scheduler scheduler{loop.get_executor(), hands, work, state, log, schedule, Pace{1ms, 4ms, 1ms}};
    std::exception_ptr failure;
    bool ended = false;
};

TEST_F(SchedulerTest, RunsEverySlotOnce) {
    pass_to(at("2026-06-17T12:00:00+03:00"));
    EXPECT_THAT(started(), ElementsAre("schedule for 2026-06-15T01:30:00Z at 2026-06-15T01:30:00Z",
                                       "schedule for 2026-06-16T01:30:00Z at 2026-06-16T01:30:00Z",
                                       "schedule for 2026-06-17T01:30:00Z at 2026-06-17T01:30:00Z"));
    EXPECT_EQ(state.next_run, at("2026-06-18T01:30:00Z"));
    EXPECT_EQ(work.rests, 4) << "before the first slot, and after each";
}

TEST_F(SchedulerTest, IsArmedBeforeWhatIsToldOfTheLedgerIsRead) {
    std::vector<std::optional<core::Instant>> armed;
    work.on_refresh = [&] { armed.push_back(state.next_run); };
    until_it_waits();
    EXPECT_THAT(armed, ElementsAre(at("2026-06-15T01:30:00Z")));
    EXPECT_EQ(work.rests, 1);
}

TEST_F(SchedulerTest, DecidesAnewWhereTheDateEndsMeanwhile) {
    work.on_refresh = [&] {
        if (work.refreshes == 2) {
            hands.set(at("2026-06-16T12:00:00+03:00"));
        }
    };
    step_to(at("2026-06-15T12:00:00+03:00"));
    EXPECT_THAT(started(), ElementsAre("catch_up for 2026-06-16T01:30:00Z at 2026-06-16T09:00:00Z"));
}

TEST_F(SchedulerTest, DecidesAnewWhereTheDateEndsWhileItIsArmedFirst) {
    hands.set(at("2026-06-15T12:00:00+03:00"));
    work.on_refresh = [&] {
        if (work.refreshes == 1) {
            hands.set(at("2026-06-16T12:00:00+03:00"));
        }
    };
    until_it_waits();
    EXPECT_THAT(started(), ElementsAre("catch_up for 2026-06-16T01:30:00Z at 2026-06-16T09:00:00Z"));
}

TEST_F(SchedulerTest, ASlotThatComesWhileItIsArmedWasWaitedFor) {
    work.on_refresh = [&] { hands.set(at("2026-06-15T05:00:00+03:00")); };
    until_it_waits();
    EXPECT_THAT(started(), ElementsAre("schedule for 2026-06-15T01:30:00Z at 2026-06-15T02:00:00Z"));
}

TEST_F(SchedulerTest, CatchesUpTodayAndNoOtherDate) {
    step_to(at("2026-06-18T12:00:00+03:00"));
    EXPECT_THAT(started(), ElementsAre("catch_up for 2026-06-18T01:30:00Z at 2026-06-18T09:00:00Z"));
}

TEST_F(SchedulerTest, ASlotThatComesDuringAManualRunIsNotMissed) {
    pass_to(at("2026-06-15T04:20:00+03:00"));
    scheduler.run_now();
    pass_to(at("2026-06-15T05:00:00+03:00"));
    EXPECT_THAT(started(), ElementsAre("manual at 2026-06-15T01:20:00Z",
                                       "schedule for 2026-06-15T01:30:00Z at 2026-06-15T01:35:00Z"));
}

TEST_F(SchedulerTest, AManualRunIsStartedOnceAndNotBesideAnother) {
    work.hang = true;
    until_it_waits();
    scheduler.run_now();
    scheduler.run_now();
    until([this] { return static_cast<bool>(work.release); });
    scheduler.run_now();
    EXPECT_EQ(lines_with("no other is started"), 1U);
    work.release();
    until_it_waits();
    EXPECT_THAT(started(), ElementsAre("manual at 2026-06-15T00:00:00Z"));
}

TEST_F(SchedulerTest, AClockThatIsSteppedBackAndForthMakesNoSecondRunAndMissesNone) {
    std::mt19937 random{5};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same steps each time
    const core::Instant end = at("2026-07-01T00:00:00+03:00");
    // Steps go to and fro by hours, and time passes more than it is stepped back.
    std::set<core::Instant> landings;
    while (hands.now() < end) {
        pass_to(hands.now() + std::chrono::minutes{random() % 600});
        const core::Instant landing = hands.now() + std::chrono::minutes{static_cast<int>(random() % 600) - 300};
        landings.insert(landing);
        step_to(landing);
    }
    std::map<core::Date, int> runs;
    for (const auto& run : work.started) {
        EXPECT_GE(run.at, run.scheduled_for.value()) << words(run);
        EXPECT_TRUE(run.at == *run.scheduled_for || landings.contains(run.at)) << "late: " << words(run);
        EXPECT_EQ(calendar::local_date(*run.scheduled_for, *schedule.zone), run.run_on) << words(run);
        ++runs[run.run_on];
    }
    for (const auto& [date, count] : runs) {
        EXPECT_EQ(count, 1) << core::format_date(date);
    }
    EXPECT_EQ(runs.begin()->first, core::parse_date("2026-06-15"));
    const auto dates = date::sys_days{runs.rbegin()->first} - date::sys_days{runs.begin()->first} + date::days{1};
    EXPECT_EQ(static_cast<long>(runs.size()), dates.count()) << "none was left out";
}

TEST_F(SchedulerTest, AClockThatIsSetBackToADateThatHasNotRunIsBelieved) {
    step_to(at("2026-06-20T12:00:00+03:00"));
    step_to(at("2026-06-15T03:00:00+03:00"));
    pass_to(at("2026-06-15T05:00:00+03:00"));
    EXPECT_THAT(started(), ElementsAre("catch_up for 2026-06-20T01:30:00Z at 2026-06-20T09:00:00Z",
                                       "schedule for 2026-06-15T01:30:00Z at 2026-06-15T01:30:00Z"));
}

TEST_F(SchedulerTest, AnEarlierSlotIsDueAtOnceAfterAReload) {
    schedule.daily_at = 23h;
    scheduler.reschedule(schedule);
    pass_to(at("2026-06-15T12:00:00+03:00"));
    EXPECT_THAT(started(), IsEmpty());
    schedule.daily_at = 4h + 30min;
    scheduler.reschedule(schedule);
    until([this] { return !work.started.empty(); });
    scheduler.reschedule(schedule);
    pass_to(at("2026-06-15T23:30:00+03:00"));
    EXPECT_THAT(started(), ElementsAre("catch_up for 2026-06-15T01:30:00Z at 2026-06-15T09:00:00Z"));
}

TEST_F(SchedulerTest, AReloadLeavesARunInHandAlone) {
    work.hang = true;
    until_it_waits();
    hands.set(at("2026-06-15T04:30:00+03:00"));
    until([this] { return static_cast<bool>(work.release); });
    schedule.daily_at = 23h;
    scheduler.reschedule(schedule);
    EXPECT_TRUE(state.run.has_value());
    work.release();
    pass_to(at("2026-06-15T23:59:00+03:00"));
    EXPECT_THAT(started(), SizeIs(1)) << "the date has its run";
}

TEST_F(SchedulerTest, AnOutageOfTheDatabaseIsToldAtItsBeginAndAtItsEnd) {
    until_it_waits();
    work.database_error = DatabaseError::Kind::away;
    hands.set(at("2026-06-15T04:30:00+03:00"));
    const int before = work.looks;
    until([&] { return work.looks > before + 4; });
    EXPECT_EQ(lines_with("the database is not available: the connection was refused"), 1U);
    EXPECT_TRUE(state.database.since().has_value());
    work.database_error.reset();
    pass_to(at("2026-06-15T12:00:00+03:00"));
    EXPECT_THAT(started(), ElementsAre("schedule for 2026-06-15T01:30:00Z at 2026-06-15T01:30:00Z"));
    EXPECT_EQ(lines_with("the database is available again, after"), 1U);
    EXPECT_FALSE(state.database.since().has_value());
}

TEST_F(SchedulerTest, ASchemaThatIsBeingChangedIsWaitedFor) {
    until_it_waits();
    work.database_error = DatabaseError::Kind::busy;
    hands.set(at("2026-06-15T04:30:00+03:00"));
    const int before = work.looks;
    until([&] { return work.looks > before + 4; });
    EXPECT_FALSE(state.database.since().has_value());
    EXPECT_TRUE(state.lock.since().has_value());
    work.database_error.reset();
    pass_to(at("2026-06-15T05:00:00+03:00"));
    EXPECT_THAT(started(), ElementsAre(HasSubstr("schedule for")));
    EXPECT_FALSE(state.lock.since().has_value());
}

TEST_F(SchedulerTest, ASchemaThatCannotBeUsedEndsIt) {
    until_it_waits();
    work.database_error = DatabaseError::Kind::schema;
    hands.set(at("2026-06-15T04:30:00+03:00"));
    until([this] { return ended; });
    EXPECT_THROW(std::rethrow_exception(failure), DatabaseError);
}

TEST_F(SchedulerTest, TheSlotWaitsForARunElsewhere) {
    until_it_waits();
    work.run_elsewhere = true;
    hands.set(at("2026-06-15T04:30:00+03:00"));
    const int before = work.looks;
    until([&] { return work.looks > before + 4; });
    EXPECT_THAT(started(), IsEmpty());
    EXPECT_EQ(lines_with("another process has a run in hand"), 1U);
    EXPECT_EQ(state.next_run, at("2026-06-15T04:30:00+03:00"));
    work.run_elsewhere = false;
    pass_to(at("2026-06-15T05:00:00+03:00"));
    EXPECT_THAT(started(), ElementsAre(HasSubstr("schedule for")));
    EXPECT_EQ(lines_with("the other process's run has ended"), 1U);
}

TEST_F(SchedulerTest, ALockWithoutARunIsToldOnceToo) {
    work.early_end = EarlyEnd::busy;
    work.recorded = false;
    until_it_waits();
    hands.set(at("2026-06-15T04:30:00+03:00"));
    until([this] { return work.started.size() > 4; });
    EXPECT_EQ(lines_with("another process has a run in hand"), 1U);
    work.early_end = EarlyEnd::none;
    work.recorded = true;
    until_it_waits();
    EXPECT_EQ(lines_with("the other process's run has ended"), 1U);
}

TEST_F(SchedulerTest, ManualRunsDoNotWaitForTheLock) {
    work.early_end = EarlyEnd::busy;
    work.recorded = false;
    until_it_waits();
    scheduler.run_now();
    until([this] { return work.started.size() == 1; });
    until_it_waits();
    EXPECT_EQ(lines_with("SIGUSR1: another process has a run in hand"), 1U);
    EXPECT_THAT(started(), SizeIs(1));
}

TEST_F(SchedulerTest, RejectedCredentialsAreToldAtTheirBeginAndAtTheirEnd) {
    work.early_end = EarlyEnd::credentials_rejected;
    pass_to(at("2026-06-15T07:30:00+03:00"));
    EXPECT_THAT(started(), ElementsAre(HasSubstr("schedule"), "retry for 2026-06-15T01:30:00Z at 2026-06-15T02:45:00Z",
                                       "retry for 2026-06-15T01:30:00Z at 2026-06-15T04:00:00Z"));
    EXPECT_EQ(lines_with("the API rejected the credentials"), 1U);
    EXPECT_TRUE(state.credentials.since().has_value());
    work.early_end = EarlyEnd::none;
    pass_to(at("2026-06-15T12:00:00+03:00"));
    EXPECT_THAT(started(), SizeIs(4));
    EXPECT_EQ(lines_with("the API accepts the credentials again"), 1U);
}

TEST_F(SchedulerTest, AnOutageOfTheApiIsToldAtItsBeginAndAtItsEnd) {
    work.early_end = EarlyEnd::api_unavailable;
    pass_to(at("2026-06-15T07:30:00+03:00"));
    EXPECT_EQ(lines_with("the API is not available: why"), 1U);
    work.early_end = EarlyEnd::none;
    pass_to(at("2026-06-15T12:00:00+03:00"));
    EXPECT_THAT(started(), SizeIs(4));
    EXPECT_EQ(lines_with("the API is available again, after"), 1U);
}

TEST_F(SchedulerTest, ClocksThatDisagreeAreAskedAgainWithPauses) {
    work.early_end = EarlyEnd::clock_skew;
    work.recorded = false;
    until_it_waits();
    hands.set(at("2026-06-15T04:30:00+03:00"));
    const auto begin = std::chrono::steady_clock::now();
    until([this] { return work.started.size() == 4; });
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 1ms + 2ms + 4ms);
    EXPECT_EQ(lines_with("set the clock"), 1U);
    work.early_end = EarlyEnd::none;
    work.recorded = true;
    until_it_waits();
    EXPECT_EQ(lines_with("the clocks agree again"), 1U);
}

TEST_F(SchedulerTest, ADatabaseThatCanOnlyBeReadIsAwayUntilItIsWritten) {
    until_it_waits();
    work.early_end = EarlyEnd::database_unavailable;
    work.recorded = false;
    hands.set(at("2026-06-15T04:30:00+03:00"));
    until([this] { return work.started.size() > 4; });
    EXPECT_EQ(lines_with("the database is not available: why"), 1U);
    EXPECT_EQ(lines_with("the database is available again"), 0U);
    work.early_end = EarlyEnd::none;
    work.recorded = true;
    until_it_waits();
    EXPECT_EQ(lines_with("the database is available again"), 1U);
}

TEST_F(SchedulerTest, AnOutageIsToldAgainAfterAReload) {
    until_it_waits();
    work.database_error = DatabaseError::Kind::away;
    hands.set(at("2026-06-15T04:30:00+03:00"));
    const auto looks = [this](int more) { until([this, last = work.looks + more] { return work.looks > last; }); };
    looks(3);
    scheduler.reschedule(schedule);
    looks(3);
    EXPECT_EQ(lines_with("the database is not available"), 2U);
}

TEST_F(SchedulerTest, AManualRunThatFindsNoDatabaseIsStartedOnceThereIsOne) {
    until_it_waits();
    work.early_end = EarlyEnd::database_unavailable;
    work.recorded = false;
    scheduler.run_now();
    until([this] { return work.started.size() > 2; });
    work.early_end = EarlyEnd::none;
    work.recorded = true;
    until_it_waits();
    EXPECT_THAT(started().back(), HasSubstr("manual"));
    const auto runs = work.started.size();
    pass_to(at("2026-06-15T04:00:00+03:00"));
    EXPECT_EQ(work.started.size(), runs) << "once it was there";
}

TEST_F(SchedulerTest, AClockThatTheApiContradictsDoesNotAgreeForHavingARow) {
    work.early_end = EarlyEnd::clock_skew;
    until_it_waits();
    hands.set(at("2026-06-15T04:30:00+03:00"));
    pass_to(at("2026-06-15T08:00:00+03:00"));
    EXPECT_GT(work.started.size(), 2U);
    EXPECT_EQ(lines_with("set the clock"), 1U);
    EXPECT_EQ(lines_with("the clocks agree again"), 0U);
}

TEST_F(SchedulerTest, AStopEndsAWait) {
    until_it_waits();
    scheduler.stop();
    until([this] { return ended; });
    EXPECT_FALSE(failure);
}

TEST_F(SchedulerTest, AStopEndsTheRunInHand) {
    work.hang = true;
    until_it_waits();
    hands.set(at("2026-06-15T04:30:00+03:00"));
    until([this] { return static_cast<bool>(work.release); });
    scheduler.stop();
    until([this] { return ended; });
    EXPECT_FALSE(failure);
    EXPECT_THAT(started(), SizeIs(1)) << "what was interrupted is not continued";
}

TEST_F(SchedulerTest, AStopEndsTheWaitForTheDatabase) {
    work.database_error = DatabaseError::Kind::away;
    until([this] { return work.looks > 3; });
    scheduler.stop();
    until([this] { return ended; });
    EXPECT_FALSE(failure);
}

TEST_F(SchedulerTest, ChecksInForAsLongAsItNapsAndNotWhileOthersWork) {
    until_it_waits();
    const auto now = std::chrono::steady_clock::now();
    const auto until_slot = *hands.due() - hands.now();
    EXPECT_FALSE(state.check_ins.scheduler.is_late(now + until_slot));
    EXPECT_TRUE(state.check_ins.scheduler.is_late(now + until_slot + 2min)) << "by then it is to have woken";
    work.hang = true;
    hands.set(*hands.due());
    until([this] { return state.run.has_value(); });
    EXPECT_FALSE(state.check_ins.scheduler.is_late(now + until_slot + 24h));
}

TEST_F(SchedulerTest, LooksAgainWhereItIsToldTo) {
    until_it_waits();
    const int before = work.looks;
    work.database_error = DatabaseError::Kind::away;
    scheduler.look_now();
    until([this] { return state.database.since().has_value(); });
    EXPECT_EQ(work.looks, before + 1);
    work.database_error.reset();
    until([this] { return !state.database.since(); });
    until_it_waits();
}

}  // namespace
}  // namespace heiasync::service
