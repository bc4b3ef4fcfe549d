#pragma once

#include "commands/api_client.hpp"
#include "config/config.hpp"
#include "core/clock.hpp"
#include "heiaheia/admin_api.hpp"
#include "history/database.hpp"
#include "history/gaps.hpp"
#include "history/run_lock.hpp"
#include "http/client.hpp"
#include "service/scheduler.hpp"
#include "service/state.hpp"
#include "status/metrics.hpp"
#include "sync/run.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace heiasync::commands {

/// What a run asks the API with. It lives as long as its settings and secrets do, so that a token outlives a run.
struct ApiAccess {
    /// Reads the secret and certificate files; `on_attempt` and `on_exchange` are told of what the client does
    /// (http::ClientSettings). Throws ConfigError and CommandError.
    ApiAccess(const config::Config& config, bool rehearsal, core::Clock& clock, spdlog::logger& log,
              std::function<void(const http::AttemptReport&)> on_attempt,
              std::function<void(std::optional<std::chrono::milliseconds>)> on_exchange);
    ApiAccess(const ApiAccess&) = delete;
    ApiAccess& operator=(const ApiAccess&) = delete;

    heiaheia::AdminApiSettings settings;
    core::SystemClock real_clock;
    sync::Traffic traffic;  ///< of the run in hand
    std::unique_ptr<http::Client> client;
    heiaheia::AdminApi api;
};

/// What a run goes by, from its start to its end.
struct Setup {
    config::Config config;
    std::shared_ptr<ApiAccess> access;
};

/// The daemon's work: the database and the API as the configuration in force says.
class DaemonWork final : public service::Work {
public:
    /// The executor's loop, the clock, the log, the state and the metrics must outlive it.
    DaemonWork(boost::asio::any_io_executor executor, core::Clock& clock, spdlog::logger& log, service::State& state,
               status::Metrics& metrics, bool rehearsal, std::shared_ptr<const Setup> setup);
    ~DaemonWork() override;

    /// Whether a setup's database is known to be one that this daemon may use, brought up to date where the setup says
    /// so; false where it cannot be reached. Throws CommandError and DatabaseError where it is none and stays none.
    boost::asio::awaitable<bool> try_out(std::shared_ptr<const Setup> setup);

    /// From the next look and the next run on. The settings are recorded at the next look, as of now.
    void use(std::shared_ptr<const Setup> setup, bool is_prepared);

    /// Looks whether the database can be used, in a session of its own, unless the last look is less than a minute old.
    /// The state tells what became of it; `on_failure` is called where it cannot.
    void look_at_database(std::function<void()> on_failure);

    boost::asio::awaitable<history::DayState> read_day(core::Date date, core::Instant slot) override;
    boost::asio::awaitable<void> refresh() override;
    boost::asio::awaitable<sync::RunReport> run(sync::RunRequest request) override;
    /// An idle daemon holds no session of the database.
    void rest() override { database_.reset(); }

private:
    /// What the ledger said when it was read last.
    struct Seen {
        core::Date date{};
        std::size_t runs = 0;
        history::RunStatus last_status = history::RunStatus::running;

        friend bool operator==(const Seen&, const Seen&) = default;
    };

    history::Database& database(const std::string& url);
    history::DatabaseObserver observer();
    boost::asio::awaitable<history::DayState> read_day_or_prepare(core::Date date, core::Instant slot);
    boost::asio::awaitable<void> ask_database(std::function<void()> on_failure);
    void note_look(std::optional<std::string> failure);
    boost::asio::awaitable<history::DayState> read_ledger(core::Date date, core::Instant slot);
    [[nodiscard]] bool has_same_database(const Setup& setup) const;
    boost::asio::awaitable<void> prepare(std::shared_ptr<const Setup> setup);

    boost::asio::any_io_executor executor_;
    core::Clock& clock_;
    spdlog::logger& log_;
    service::State& state_;
    status::Metrics& metrics_;
    bool rehearsal_;
    std::shared_ptr<const Setup> setup_;
    bool prepared_ = false;                             ///< the database is one that this daemon may use
    std::optional<core::Instant> settings_changed_at_;  ///< and are not recorded yet
    std::unique_ptr<history::Database> database_;       ///< from a look to the run that it leads to, and to the next
    std::string database_url_;                          ///< of that
    int jobs_ = 0;                                      ///< on database threads
    bool is_silent_ = false;                            ///< the one in hand waits for a server that says nothing
    std::optional<history::HolderInCopy> holder_in_copy_;
    std::optional<Seen> seen_;
    std::shared_ptr<history::GapCounter> gaps_ = std::make_shared<history::GapCounter>();  ///< of this database
    std::optional<Seen> standing_after_;  ///< what had been seen when the standing was read: else it is out of date
    bool looking_ = false;
    boost::asio::thread_pool preparation_{1};
};

}  // namespace heiasync::commands
