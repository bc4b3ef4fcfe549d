#include "history/rebuild.hpp"

#include "calendar/calendar.hpp"
#include "commands/commands.hpp"
#include "commands/exclusive.hpp"
#include "commands/run_settings.hpp"
#include "commands/schema.hpp"
#include "core/clock.hpp"
#include "core/counted.hpp"
#include "documents/decode_error.hpp"
#include "documents/original.hpp"
#include "foreground.hpp"
#include "history/run_lock.hpp"
#include "logging.hpp"
#include "progress.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace heiasync::commands {

namespace asio = boost::asio;

namespace {

using documents::SurveyDocumentKind;
using std::chrono::steady_clock;

constexpr int keys_at_once = 100;

struct RebuildReport {
    std::int64_t all = 0;
    std::int64_t done = 0;  ///< looked at, whatever came of it
    std::int64_t changed = 0;
    std::int64_t damaged = 0;
    std::int64_t failed = 0;  ///< whole, and yet not read, not stored or held up by somebody else
    bool stopped = false;
};

std::vector<history::DocumentSelection> selections(const config::Config& config, const RebuildCommand& command) {
    std::optional<core::Instant> since;
    constexpr core::Date before_every_document = date::year{1970} / 1 / 1;
    if (command.since && *command.since > before_every_document) {
        const core::Date eve = date::sys_days{*command.since} - date::days{1};
        since = calendar::end_of_date(eve, calendar::find_zone(config.schedule.time_zone));
    }
    const auto is_asked = [&command](const char* stream) {
        return command.streams.empty() || std::ranges::find(command.streams, stream) != command.streams.end();
    };
    std::vector<history::DocumentSelection> selections;
    if (is_asked("energy-levels")) {
        selections.push_back({SurveyDocumentKind::energy_levels, since});
    }
    if (is_asked("reports")) {
        selections.push_back({SurveyDocumentKind::report, since});
    }
    return selections;
}

Advance advance_of(const RebuildReport& report) {
    return {"document",
            "counting the documents ...",
            report.done,
            report.all,
            {fmt::format("{} changed", report.changed), fmt::format("{} damaged", report.damaged),
             fmt::format("{} failed", report.failed)}};
}

/// Document after document, each in a transaction of its own.
class Rebuild {
public:
    Rebuild(history::Database& database, spdlog::logger& log, ProgressDisplay& display, bool wait)
        : database_{database}, log_{log}, display_{display}, wait_{wait} {}

    asio::awaitable<RebuildReport> execute(std::vector<history::DocumentSelection> selections,
                                           history::LockTaker taker) {
        // A job of the database is not cancelled: a signal is seen after it.
        co_await asio::this_coro::throw_if_cancelled(false);
        std::exception_ptr failure;
        try {
            report_.stopped =
                !co_await take_run_lock(database_, log_, std::move(taker), wait_, history::require_right_to_rebuild);
            if (!report_.stopped) {
                co_await count(selections);
            }
            for (const history::DocumentSelection& selection : selections) {
                co_await rebuild(selection);
            }
            if (!report_.stopped) {
                auto tidy = [](history::Transaction& transaction) { history::erase_unused_questions(transaction); };
                co_await database_.transact(tidy);
            }
        } catch (...) {
            failure = std::current_exception();
        }
        database_.release_run_lock();
        if (failure) {
            std::rethrow_exception(failure);
        }
        co_return report_;
    }

private:
    asio::awaitable<void> count(const std::vector<history::DocumentSelection>& selections) {
        auto job = [this, &selections](history::Transaction& transaction) {
            for (const history::DocumentSelection& selection : selections) {
                report_.all += history::count_documents(transaction, selection);
            }
        };
        co_await database_.transact(job);
        show();
    }

    asio::awaitable<void> rebuild(const history::DocumentSelection& selection) {
        history::DocumentKey last = history::before_every_document;
        std::vector<history::DocumentKey> keys;
        auto read = [&](history::Transaction& transaction) {
            keys = history::documents_after(transaction, selection, last, keys_at_once);
        };
        for (co_await look_for_a_stop(); !report_.stopped; last = keys.back()) {
            co_await database_.transact(read);
            if (keys.empty()) {
                co_return;
            }
            for (const history::DocumentKey& key : keys) {
                co_await look_for_a_stop();
                if (report_.stopped) {
                    co_return;
                }
                co_await rebuild(selection.kind, key);
                show();
            }
        }
    }

    asio::awaitable<void> rebuild(SurveyDocumentKind kind, history::DocumentKey key) {
        auto job = [kind, &key](history::Transaction& transaction) {
            return history::rebuild_document(transaction, kind, key);
        };
        try {
            report_.changed += co_await database_.transact(job) ? 1 : 0;
        } catch (const documents::DamagedOriginal& error) {
            ++report_.damaged;
            tell(kind, key, error.what());
        } catch (const documents::DecodeError& error) {
            ++report_.failed;
            tell(kind, key, error.what());
        } catch (const history::DatabaseError& error) {
            using Kind = history::DatabaseError::Kind;
            if (error.kind() != Kind::refused && error.kind() != Kind::hindered) {
                throw;
            }
            ++report_.failed;
            tell(kind, key, error.what());
        }
        ++report_.done;
    }

    void tell(SurveyDocumentKind kind, const history::DocumentKey& key, const char* what) {
        log_.warn("organisation {}, {} {}: {}; its rows are left as they are", key.organisation_id,
                  kind == SurveyDocumentKind::report ? "report version" : "energy levels", key.id, what);
    }

    asio::awaitable<void> look_for_a_stop() { report_.stopped = report_.stopped || co_await is_cancelled(); }

    void show() { display_.show(advance_of(report_)); }

    history::Database& database_;
    spdlog::logger& log_;
    ProgressDisplay& display_;
    bool wait_;
    RebuildReport report_;
};

void print_summary(const RebuildReport& report, std::chrono::duration<double> took) {
    std::cout << fmt::format("{}{}, {} changed, {} damaged{} in {:.1f} s\n",
                             report.stopped ? fmt::format("{} of ", report.done) : "",
                             core::counted(report.all, "document"), report.changed, report.damaged,
                             report.failed > 0 ? fmt::format(", {} failed", report.failed) : "", took.count());
}

}  // namespace

core::ExitCode rebuild(const config::Config& config, const RebuildCommand& command, bool quiet) {
    const auto log = make_logger(config.log, quiet);
    const std::string& url = owner_url(config);
    require_current_schema(url);

    const core::SystemClock clock;
    const auto began = steady_clock::now();
    asio::io_context loop{1};
    history::Database database{loop.get_executor(), url};
    ProgressDisplay display{loop.get_executor(), *log, quiet, advance_of({})};
    Rebuild rebuild{database, *log, display, command.wait};
    Foreground<RebuildReport> foreground{loop, "heiasyncd rebuild"};
    RebuildReport report;
    try {
        report = foreground.await(rebuild.execute(selections(config, command), lock_taker("rebuild", clock.now())));
    } catch (const history::DatabaseError& error) {
        if (error.kind() == history::DatabaseError::Kind::fenced) {
            throw CommandError{core::ExitCode::busy, fmt::format("{}; rebuild again", error.what())};
        }
        throw;
    }
    display.finish();
    if (!quiet) {
        print_summary(report, steady_clock::now() - began);
    }
    if (report.stopped) {
        std::cerr << "heiasyncd: stopped; no document is half rebuilt, and `heiasyncd rebuild` completes it\n";
        return foreground.signal() == SIGINT ? core::ExitCode::interrupted : core::ExitCode::terminated;
    }
    return report.damaged + report.failed > 0 ? core::ExitCode::incomplete : core::ExitCode::done;
}

}  // namespace heiasync::commands
