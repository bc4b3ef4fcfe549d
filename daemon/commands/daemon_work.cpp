#include "commands/daemon_work.hpp"

#include "commands/rehearsal.hpp"
#include "commands/run_settings.hpp"
#include "commands/schema.hpp"
#include "commands/standing.hpp"
#include "history/day.hpp"
#include "history/migrations.hpp"
#include "history/sync_runs.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <utility>

namespace heiasync::commands {

namespace asio = boost::asio;

namespace {

/// Blocks its thread.
asio::awaitable<void> prepare_database(std::shared_ptr<const Setup> setup, bool rehearsal, core::Clock* clock,
                                       spdlog::logger* log) {
    check_origin(history::origin(setup->config.database.url), rehearsal);
    prepare_schema(setup->config, *clock, *log);
    co_return;
}

/// Blocks its thread.
asio::awaitable<void> migrate(std::shared_ptr<const Setup> setup, core::Clock* clock, spdlog::logger* log) {
    update_schema(setup->config, *clock, *log, false);
    co_return;
}

/// Blocks its thread.
asio::awaitable<void> require_schema(std::shared_ptr<const Setup> setup) {
    if (!has_schema(setup->config)) {
        throw std::runtime_error{"the database has no schema yet"};
    }
    co_return;
}

/// How long a job may keep the database thread: each of its statements ends within a minute.
constexpr std::chrono::minutes longest_job{10};

/// Between two looks that were asked for.
constexpr std::chrono::minutes between_looks{1};

http::ClientSettings observed(http::ClientSettings settings, std::function<void(const http::AttemptReport&)> also,
                              std::function<void(std::optional<std::chrono::milliseconds>)> on_exchange) {
    settings.on_exchange = std::move(on_exchange);
    settings.on_attempt = [first = std::move(settings.on_attempt),
                           also = std::move(also)](const http::AttemptReport& attempt) {
        first(attempt);
        also(attempt);
    };
    return settings;
}

}  // namespace

ApiAccess::ApiAccess(const config::Config& config, bool rehearsal, core::Clock& clock, spdlog::logger& log,
                     std::function<void(const http::AttemptReport&)> on_attempt,
                     std::function<void(std::optional<std::chrono::milliseconds>)> on_exchange)
    : settings{api_settings(config, rehearsal)},
      client{make_client(
          config.api, real_clock,
          observed(watched_client_settings(config.api, traffic, log), std::move(on_attempt), std::move(on_exchange)))},
      api{*client, clock, settings} {}

DaemonWork::DaemonWork(asio::any_io_executor executor, core::Clock& clock, spdlog::logger& log, service::State& state,
                       status::Metrics& metrics, bool rehearsal, std::shared_ptr<const Setup> setup)
    : executor_{std::move(executor)},
      clock_{clock},
      log_{log},
      state_{state},
      metrics_{metrics},
      rehearsal_{rehearsal},
      setup_{std::move(setup)} {}

DaemonWork::~DaemonWork() {
    preparation_.join();
}

bool DaemonWork::has_same_database(const Setup& setup) const {
    const config::Database& now = setup_->config.database;
    const config::Database& next = setup.config.database;
    return now.url == next.url && now.owner_url == next.owner_url;
}

asio::awaitable<bool> DaemonWork::try_out(std::shared_ptr<const Setup> setup) {
    if (has_same_database(*setup)) {
        co_return prepared_;
    }
    try {
        asio::awaitable<void> work = prepare_database(setup, rehearsal_, &clock_, &log_);
        co_await asio::co_spawn(preparation_.get_executor(), std::move(work), asio::use_awaitable);
        co_return true;
    } catch (const history::DatabaseError& error) {
        if (!error.may_pass()) {
            throw;
        }
    }
    co_return false;
}

void DaemonWork::use(std::shared_ptr<const Setup> setup, bool is_prepared) {
    prepared_ = is_prepared;
    if (!has_same_database(*setup)) {
        gaps_ = std::make_shared<history::GapCounter>();
    }
    setup_ = std::move(setup);
    settings_changed_at_ = clock_.now();
    standing_after_.reset();
}

void DaemonWork::look_at_database(std::function<void()> on_failure) {
    const auto& last = state_.database_look;
    if (!looking_ && (!last || std::chrono::steady_clock::now() - last->at >= between_looks)) {
        looking_ = true;
        asio::co_spawn(executor_, ask_database(std::move(on_failure)), asio::detached);
    }
}

asio::awaitable<void> DaemonWork::ask_database(std::function<void()> on_failure) {
    const std::shared_ptr<const Setup> setup = setup_;  // so that it does not end on the other thread
    try {
        asio::awaitable<void> work = require_schema(setup);
        co_await asio::co_spawn(preparation_.get_executor(), std::move(work), asio::use_awaitable);
        note_look(std::nullopt);
    } catch (const std::exception& error) {
        note_look(error.what());
        on_failure();
    }
    looking_ = false;
}

void DaemonWork::note_look(std::optional<std::string> failure) {
    state_.database_look = {std::chrono::steady_clock::now(), std::move(failure)};
}

asio::awaitable<history::DayState> DaemonWork::read_day(core::Date date, core::Instant slot) {
    try {
        history::DayState today = co_await read_day_or_prepare(date, slot);
        seen_ = {date, today.runs.size(), today.runs.empty() ? history::RunStatus::running : today.runs.back().status};
        co_return today;
    } catch (const history::DatabaseError& error) {
        const bool is_reachable = error.kind() == history::DatabaseError::Kind::busy;
        note_look(is_reachable ? std::nullopt : std::optional<std::string>{error.what()});
        throw;
    } catch (const std::exception& error) {
        note_look(error.what());
        throw;
    }
}

asio::awaitable<void> DaemonWork::refresh() {
    const std::optional<Seen> seen = seen_;
    if (standing_after_ == seen) {
        co_return;
    }
    const std::shared_ptr<const Setup> setup = setup_;
    const std::shared_ptr<history::GapCounter> gaps = gaps_;
    auto job = [&](history::Transaction& transaction) {
        return standing(transaction, setup->config, rehearsal_, clock_.now(), *gaps);
    };
    try {
        state_.standing = co_await database(setup->config.database.url).transact(job);
        standing_after_ = seen;
    } catch (const history::DatabaseError& error) {
        // What is due does not depend on it.
        log_.warn("the figures of the metrics are those of an earlier look: {}", error.what());
    }
}

asio::awaitable<history::DayState> DaemonWork::read_day_or_prepare(core::Date date, core::Instant slot) {
    const bool was_prepared = prepared_;
    try {
        co_return co_await read_ledger(date, slot);
    } catch (const history::DatabaseError& error) {
        if (error.kind() != history::DatabaseError::Kind::schema || !was_prepared) {
            throw;
        }
    }
    // The database is another one than before: made anew, or put back from a copy.
    prepared_ = false;
    gaps_ = std::make_shared<history::GapCounter>();
    co_return co_await read_ledger(date, slot);
}

asio::awaitable<history::DayState> DaemonWork::read_ledger(core::Date date, core::Instant slot) {
    const std::shared_ptr<const Setup> setup = setup_;
    if (!prepared_) {
        co_await prepare(setup);
    }
    const std::optional<core::Instant> changed_at = settings_changed_at_;
    const history::Settings expected = run_settings(setup->config, rehearsal_).expected;
    bool stuck_holder_ended = false;
    auto job = [&](history::Transaction& transaction) {
        if (changed_at) {
            history::record_settings(transaction, expected, *changed_at);
        }
        history::DayState day =
            history::day_state(transaction, date, slot, lock_taker("close dead runs", clock_.now()));
        stuck_holder_ended = history::end_stuck_holder(transaction, holder_in_copy_, std::chrono::steady_clock::now());
        return day;
    };
    history::DayState state = co_await database(setup->config.database.url).transact(job);
    if (stuck_holder_ended) {
        log_.warn("the process that has the run lock stands still in the middle of a document: its session was ended");
    }
    if (settings_changed_at_ == changed_at) {
        settings_changed_at_.reset();
    }
    co_return state;
}

asio::awaitable<sync::RunReport> DaemonWork::run(sync::RunRequest request) {
    const std::shared_ptr<const Setup> setup = setup_;
    setup->access->traffic = {};
    history::Database& database = this->database(setup->config.database.url);
    const auto on_progress = [this](const sync::Progress& progress) {
        if (state_.run) {
            state_.run->progress = progress;
            state_.run->progressed_at = clock_.now();
        }
        // A run that is recorded holds the lock, and one that knows the listing was let in.
        if (progress.sync_run_id != 0) {
            state_.lock.has_ended(log_);
        }
        if (progress.organisations > 0) {
            state_.credentials.has_ended(log_);
        }
        state_.changed(true);
    };
    const auto on_outage = [this](const std::optional<std::string>& why) {
        if (why) {
            state_.database.holds(log_, fmt::format("the database is not available: {}; the run waits for it and goes "
                                                    "on while its date lasts, check database.url and the server",
                                                    *why));
        } else {
            state_.database.has_ended(log_);
        }
        state_.changed();
    };
    sync::RunContext context{executor_,   clock_,   setup->access->api, database, log_, setup->access->traffic,
                             on_progress, on_outage};
    sync::RunSettings settings = run_settings(setup->config, rehearsal_);
    settings.outlives_outages = true;
    sync::RunReport report = co_await sync::run(std::move(context), std::move(settings), std::move(request));
    metrics_.count(report);
    co_return report;
}

history::Database& DaemonWork::database(const std::string& url) {
    if (!database_ || database_url_ != url) {
        database_ = std::make_unique<history::Database>(executor_, url, observer());
        database_url_ = url;
    }
    return *database_;
}

history::DatabaseObserver DaemonWork::observer() {
    history::DatabaseObserver observer;
    observer.began = [this] {
        ++jobs_;
        state_.check_ins.database.again_within(longest_job);
    };
    observer.ended = [this](std::optional<history::TransactionOutcome> outcome) {
        state_.check_ins.database.again_within(longest_job);
        if (--jobs_ == 0) {
            state_.check_ins.database.rests();
        }
        if (outcome) {
            metrics_.count(*outcome);
        }
        if (outcome == history::TransactionOutcome::committed) {
            note_look(std::nullopt);
            if (std::exchange(is_silent_, false)) {
                state_.database.has_ended(log_);
                state_.changed();
            }
        }
    };
    observer.silent = [this] {
        is_silent_ = true;
        const std::string what = "it has said nothing for half a minute, look after the server";
        note_look(what);
        state_.database.holds(log_, fmt::format("the database is not available: {}", what));
        state_.changed();
    };
    return observer;
}

asio::awaitable<void> DaemonWork::prepare(std::shared_ptr<const Setup> setup) {
    history::Origin origin = history::Origin::empty;
    auto look = [&](history::Transaction& transaction) {
        origin = history::origin(transaction);
        return history::schema_status(transaction, history::embedded_migrations());
    };
    const history::SchemaStatus status = co_await database(setup->config.database.url).transact(look);
    check_origin(origin, rehearsal_);
    history::require_ours(status);
    if (status.state != history::SchemaStatus::State::current) {
        asio::awaitable<void> work = migrate(setup, &clock_, &log_);
        co_await asio::co_spawn(preparation_.get_executor(), std::move(work), asio::use_awaitable);
    }
    prepared_ = prepared_ || setup == setup_;
}

}  // namespace heiasync::commands
