#include "calendar/calendar.hpp"
#include "commands/commands.hpp"
#include "commands/daemon_work.hpp"
#include "commands/rehearsal.hpp"
#include "commands/schema.hpp"
#include "config/changes.hpp"
#include "heartbeat.hpp"
#include "history/error.hpp"
#include "logging.hpp"
#include "service/scheduler.hpp"
#include "status/metrics.hpp"
#include "status/pages.hpp"
#include "status/server.hpp"
#include "status/summary.hpp"
#include "stop_limit.hpp"
#include "supervisor.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync::commands {

namespace asio = boost::asio;

namespace {

/// How much later than it is to a deadline may end a request.
constexpr std::chrono::minutes late_deadline{1};

service::Schedule schedule_of(const config::Config& config) {
    service::Schedule schedule;
    schedule.zone = &calendar::find_zone(config.schedule.time_zone);
    schedule.daily_at = config.schedule.daily_at;
    schedule.retry_interval = config.schedule.retry_interval;
    return schedule;
}

bool has_prefix(const std::vector<std::string>& changes, std::string_view prefix) {
    return std::ranges::any_of(changes, [prefix](const std::string& change) { return change.starts_with(prefix); });
}

void set_held_signals(int how) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(how, &signals, nullptr);
}

/// The daemon: its parts, and what the signals make them do.
class Daemon {
public:
    Daemon(const config::Config& config, const RunCommand& command, bool quiet, std::shared_ptr<spdlog::logger> log)
        : quiet_{quiet},
          log_{std::move(log)},
          rehearsal_{command.simulated_time.has_value()},
          clock_{make_clock(command.simulated_time)},
          metrics_{version()},
          setup_{first_setup(config)},
          work_{loop_.get_executor(), *clock_, *log_, state_, metrics_, rehearsal_, setup_},
          scheduler_{loop_.get_executor(), *clock_, work_, state_, *log_, schedule_of(config)} {
        signals_.add(SIGUSR1);
        set_held_signals(SIG_UNBLOCK);
        note_loaded(*setup_);
        state_.configuration.client_secret_loaded_at = state_.configuration.loaded_at;
        state_.configuration.magic_token_loaded_at = state_.configuration.loaded_at;
        listen(setup_->config);
        state_.on_change = [this](bool passing) {
            const bool is_armed = state_.next_run || state_.run;
            if (is_armed && !reloading_ && !reload_asked_) {
                supervisor_.ready();
            }
            supervisor_.status(status::summary(report()), passing);
        };
    }

    core::ExitCode run() {
        for (const std::string& warning : setup_->config.warnings) {
            log_->warn(warning);
        }
        log_->info("heiasyncd {} started, {}", version(), setup_->config.file.string());
        wait_for_signal();
        heartbeat_.start();
        std::exception_ptr failure;
        asio::co_spawn(loop_, scheduler_.execute(), [this, &failure](std::exception_ptr thrown) {
            failure = std::move(thrown);
            ending_ = true;
            boost::system::error_code ignored;
            signals_.cancel(ignored);
            signals_.clear(ignored);
            endpoint_.close();
            heartbeat_.stop();
        });
        loop_.run();
        if (failure && !stopped_) {
            std::rethrow_exception(failure);
        }
        log_->info("heiasyncd stopped");
        return core::ExitCode::done;
    }

private:
    /// The configuration read anew, and what is different.
    struct Reading {
        std::shared_ptr<const Setup> setup;
        std::vector<std::string> changes;
        bool is_prepared = false;  ///< DaemonWork::try_out
    };

    std::shared_ptr<const Setup> first_setup(const config::Config& config) {
        if (rehearsal_) {
            require_loopback(config);
        }
        auto setup = std::make_shared<Setup>();
        setup->config = config;
        setup->access = access(config);
        return setup;
    }

    std::shared_ptr<ApiAccess> access(const config::Config& config) {
        const auto on_attempt = [this](const http::AttemptReport& attempt) {
            metrics_.count(attempt, clock_->now());
            if (state_.run && attempt.status && !attempt.retry_in) {
                state_.run->progressed_at = clock_->now();
            }
        };
        const auto on_exchange = [this](std::optional<std::chrono::milliseconds> limit) {
            if (limit) {
                state_.check_ins.request.again_within(*limit + late_deadline);
            } else {
                state_.check_ins.request.rests();
            }
        };
        return std::make_shared<ApiAccess>(config, rehearsal_, *clock_, *log_, on_attempt, on_exchange);
    }

    status::Response readiness() {
        // The scheduler then goes on looking until it is back.
        work_.look_at_database([this] {
            if (!state_.database.since()) {
                scheduler_.look_now();
            }
        });
        return status::readiness_page(state_);
    }

    status::DaemonReport report() const {
        return status::report_of(state_, version(), clock_->now(),
                                 calendar::find_zone(setup_->config.schedule.time_zone));
    }

    void listen(const config::Config& config) {
        try {
            endpoint_.listen(config.status.listen);
        } catch (const std::runtime_error& error) {
            throw CommandError{core::ExitCode::configuration,
                               fmt::format("status.listen: {}; null turns the status endpoint off", error.what())};
        }
    }

    void note_loaded(const Setup& setup) {
        const auto can_change = [](const config::SecretSource& source) { return source.file || source.literal; };
        service::State::Configuration& configuration = state_.configuration;
        configuration.loaded_at = clock_->now();
        if (can_change(setup.config.api.client_secret)) {
            configuration.client_secret_loaded_at = configuration.loaded_at;
        }
        if (can_change(setup.config.api.magic_token)) {
            configuration.magic_token_loaded_at = configuration.loaded_at;
        }
    }

    void wait_for_signal() {
        signals_.async_wait([this](const boost::system::error_code& error, int number) {
            if (error) {
                return;
            }
            switch (number) {
                case SIGHUP:
                    reload_asked_ = true;
                    supervisor_.reloading();
                    if (!reloading_) {
                        asio::co_spawn(loop_, reload(), asio::detached);
                    }
                    break;
                case SIGUSR1:
                    scheduler_.run_now();
                    break;
                default:
                    stop(number);
                    return;
            }
            wait_for_signal();
        });
    }

    /// A second signal finds its default again, and ends the process at once.
    void stop(int signal) {
        stopped_ = true;
        ending_ = true;
        set_held_signals(SIG_BLOCK);  // else their default would cut the end short
        boost::system::error_code ignored;
        signals_.clear(ignored);
        log_->info("{}: stopping", signal == SIGINT ? "SIGINT" : "SIGTERM");
        stop_limit_.start(static_cast<int>(core::ExitCode::done), [this] {
            log_->warn(
                "something still hangs after {} s: ending all the same; a run in hand is continued at the next "
                "start",
                StopLimit::patience.count());
        });
        supervisor_.stopping();
        scheduler_.stop();
    }

    /// What is asked for meanwhile is one more reload.
    asio::awaitable<void> reload() {
        reloading_ = true;
        while (std::exchange(reload_asked_, false) && !ending_) {
            std::optional<Reading> reading;
            std::string error;
            try {
                Reading next = read_anew();
                next.is_prepared = co_await work_.try_out(next.setup);
                if (!ending_) {
                    listen(next.setup->config);
                }
                reading = std::move(next);
            } catch (const std::exception& mistake) {
                error = mistake.what();
            }
            if (!ending_) {
                conclude_reload(reading, error);
            }
        }
        reloading_ = false;
        state_.changed();
    }

    void conclude_reload(const std::optional<Reading>& reading, const std::string& error) {
        state_.configuration.last_reload_ok = reading.has_value();
        if (!reading) {
            state_.configuration.last_reload_error = error;
            log_->error("SIGHUP: the configuration is not used, the earlier one stays in force: {}", error);
            return;
        }
        state_.configuration.last_reload_error.reset();
        for (const std::string& warning : reading->setup->config.warnings) {
            log_->warn(warning);
        }
        log_->info("SIGHUP: the configuration is in force: {}",
                   reading->changes.empty() ? "nothing changed" : fmt::format("{}", fmt::join(reading->changes, "; ")));
        const bool waits_elsewhere =
            state_.database.since() && setup_->config.database.url != reading->setup->config.database.url;
        setup_ = reading->setup;
        note_loaded(*setup_);
        work_.use(setup_, reading->is_prepared);
        reconfigure(*log_, setup_->config.log, quiet_);
        scheduler_.reschedule(schedule_of(setup_->config));
        if (waits_elsewhere) {
            scheduler_.interrupt_run();
        }
    }

    Reading read_anew() {
        auto next = std::make_shared<Setup>();
        next->config = config::load(setup_->config.file);
        if (rehearsal_) {
            require_loopback(next->config);
        }
        next->access = access(next->config);
        std::vector<std::string> changes = config::changes(setup_->config, next->config);
        const heiaheia::AdminApiSettings& before = setup_->access->settings;
        const heiaheia::AdminApiSettings& after = next->access->settings;
        if (before.client_secret != after.client_secret) {
            changes.emplace_back("api.client_secret: another secret");
        }
        if (before.magic_token != after.magic_token) {
            changes.emplace_back("api.magic_token: another secret");
        }
        // The token goes with what it was got with; a file of certificates may say something else under the same name.
        if (!has_prefix(changes, "api.") && !next->config.api.ca_file) {
            next->access = setup_->access;
        }
        if (next->config.api.ca_file) {
            changes.emplace_back("api.ca_file: read anew");
        }
        return {std::move(next), std::move(changes), false};
    }

    StopLimit stop_limit_;  // first, so that it goes last: what hangs may hang in a destructor
    Supervisor supervisor_;
    bool quiet_;
    std::shared_ptr<spdlog::logger> log_;
    bool rehearsal_;
    bool stopped_ = false;  ///< by a signal
    bool ending_ = false;
    bool reload_asked_ = false;
    bool reloading_ = false;
    std::unique_ptr<core::Clock> clock_;
    service::State state_;
    status::Metrics metrics_;
    asio::io_context loop_{1};
    std::shared_ptr<const Setup> setup_;  // behind the loop: it may hold a connection
    const std::array<status::Page, 5> pages_{
        {{"/", [this] { return status::front_page(report()); }},
         {"/api/v1/status", [this] { return status::status_page(report()); }},
         {"/healthz", [this] { return status::health_page(state_.check_ins); }},
         {"/readyz", [this] { return readiness(); }},
         {"/metrics", [this] { return status::metrics_page(metrics_.text(state_)); }}}};
    status::Server endpoint_{loop_.get_executor(), [this](std::string_view method, std::string_view target) {
                                 return status::respond(method, target, pages_);
                             }};
    asio::signal_set signals_{loop_, SIGHUP, SIGTERM, SIGINT};
    Heartbeat heartbeat_{loop_.get_executor(), supervisor_, state_.check_ins, *log_,
                         [this] { return status::summary(report()); }};
    DaemonWork work_;
    service::Scheduler scheduler_;
};

}  // namespace

void hold_daemon_signals() {
    set_held_signals(SIG_BLOCK);
}

core::ExitCode run(const config::Config& config, const RunCommand& command, bool quiet) {
    const std::shared_ptr<spdlog::logger> log = make_logger(config.log, quiet);
    // The last word is in the log too, in its format.
    try {
        Daemon daemon{config, command, quiet, log};
        return daemon.run();
    } catch (const config::ConfigError&) {
        throw;
    } catch (const CommandError& error) {
        log->error(error.what());
        return error.code();
    } catch (const history::DatabaseError& error) {
        log->error(error.what());
        return exit_code(error);
    } catch (const std::exception& error) {
        log->error("a bug of ours, please report it: {}", error.what());
        return core::ExitCode::bug;
    }
}

}  // namespace heiasync::commands
