#include "commands/daemon_work.hpp"

#include "commands/rehearsal.hpp"
#include "commands/run_settings.hpp"
#include "commands/schema.hpp"
#include "history/day.hpp"
#include "history/sync_runs.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/logger.h>

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

}  // namespace

ApiAccess::ApiAccess(const config::Config& config, bool rehearsal, core::Clock& clock, spdlog::logger& log)
    : settings{api_settings(config, rehearsal)},
      client{make_client(config.api, real_clock, watched_client_settings(config.api, traffic, log))},
      api{*client, clock, settings} {}

DaemonWork::DaemonWork(asio::any_io_executor executor, core::Clock& clock, spdlog::logger& log, service::State& state,
                       bool rehearsal, std::shared_ptr<const Setup> setup)
    : executor_{std::move(executor)},
      clock_{clock},
      log_{log},
      state_{state},
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
    setup_ = std::move(setup);
    settings_changed_at_ = clock_.now();
}

asio::awaitable<history::DayState> DaemonWork::read_day(core::Date date, core::Instant slot) {
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
    co_return co_await read_ledger(date, slot);
}

asio::awaitable<history::DayState> DaemonWork::read_ledger(core::Date date, core::Instant slot) {
    const std::shared_ptr<const Setup> setup = setup_;
    if (!prepared_) {
        co_await prepare(setup);
    }
    const std::optional<core::Instant> changed_at = settings_changed_at_;
    const history::Settings expected = run_settings(setup->config, rehearsal_).expected;
    auto job = [&](history::Transaction& transaction) {
        if (changed_at) {
            history::record_settings(transaction, expected, *changed_at);
        }
        return history::day_state(transaction, date, slot, clock_.now());
    };
    history::DayState state = co_await database(setup->config.database.url).transact(job);
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
    sync::RunContext context{executor_,  clock_, setup->access->api, database, log_, setup->access->traffic,
                             on_progress};
    sync::RunSettings settings = run_settings(setup->config, rehearsal_);
    sync::RunReport report = co_await sync::run(std::move(context), std::move(settings), std::move(request));
    co_await release_run_lock();
    co_return report;
}

asio::awaitable<void> DaemonWork::release_run_lock() {
    auto release = [](history::Transaction& transaction) { history::release_run_lock(transaction); };
    try {
        co_await database_->transact(release);
    } catch (const history::DatabaseError&) {
        // The lock goes with the session.
        database_.reset();
    }
}

history::Database& DaemonWork::database(const std::string& url) {
    if (!database_ || database_url_ != url) {
        database_ = std::make_unique<history::Database>(executor_, url);
        database_url_ = url;
    }
    return *database_;
}

asio::awaitable<void> DaemonWork::prepare(std::shared_ptr<const Setup> setup) {
    asio::awaitable<void> work = prepare_database(setup, rehearsal_, &clock_, &log_);
    co_await asio::co_spawn(preparation_.get_executor(), std::move(work), asio::use_awaitable);
    prepared_ = prepared_ || setup == setup_;
}

}  // namespace heiasync::commands
