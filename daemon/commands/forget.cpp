#include "history/forget.hpp"

#include "commands/commands.hpp"
#include "commands/exclusive.hpp"
#include "commands/run_settings.hpp"
#include "commands/run_to_its_end.hpp"
#include "commands/schema.hpp"
#include "core/clock.hpp"
#include "core/counted.hpp"
#include "core/printable.hpp"
#include "documents/original.hpp"
#include "documents/utf8.hpp"
#include "foreground.hpp"
#include "logging.hpp"

#include <pwd.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <array>
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

using history::Erasure;
using history::ErasureReceipt;
using history::ErasureSubject;

/// What is known before anything is erased.
struct Look {
    ErasureSubject subject;
    std::optional<std::string> name;  ///< of the organisation
    Erasure erasure;
    std::vector<std::int64_t> reports_with_the_same_rounds;
};

std::string describe(const ErasureSubject& subject) {
    const std::string what =
        subject.report_id ? fmt::format("report {} of organisation {}", *subject.report_id, subject.organisation_id)
                          : fmt::format("organisation {}", subject.organisation_id);
    return subject.open_answers_only ? "open answers of " + what : what;
}

std::int64_t id_of(const ErasureSubject& subject) {
    return subject.report_id.value_or(subject.organisation_id);
}

ErasureSubject resolve(history::Transaction& transaction, const ForgetCommand& command) {
    ErasureSubject subject{command.organisation_id.value_or(0), command.report_id, command.open_answers_only};
    if (!command.organisation_id) {
        const std::vector<std::int64_t> owners = history::organisations_with_report(transaction, *command.report_id);
        if (owners.empty()) {
            throw CommandError{core::ExitCode::usage,
                               fmt::format("nothing is known of a report {}; nothing was erased", *command.report_id)};
        }
        if (owners.size() > 1) {
            throw CommandError{
                core::ExitCode::usage,
                fmt::format("several organisations have a report {}: {}; say which with --organisation ID",
                            *command.report_id, fmt::join(owners, ", "))};
        }
        subject.organisation_id = owners.front();
    }
    if (!history::is_known(transaction, subject)) {
        throw CommandError{core::ExitCode::usage,
                           fmt::format("nothing is known of {}; nothing was erased", describe(subject))};
    }
    return subject;
}

void require_reason_without_names(history::Transaction& transaction, const ErasureSubject& subject,
                                  const std::string& reason) {
    if (documents::as_utf8(reason) != reason) {
        throw CommandError{core::ExitCode::usage, "--reason: not UTF-8"};
    }
    const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
    if (std::ranges::count_if(reason, is_first_byte) > static_cast<std::ptrdiff_t>(ErasureReceipt::max_reason_size)) {
        throw CommandError{core::ExitCode::usage,
                           fmt::format("--reason: at most {} characters are kept", ErasureReceipt::max_reason_size)};
    }
    if (history::names_the_subject(transaction, subject, reason)) {
        throw CommandError{
            core::ExitCode::usage,
            "--reason: it names what is to be erased, and the receipt stays: use ids, or a ticket's number"};
    }
}

/// By the name of the user, as the password file has it, and of the machine.
std::string this_user(const std::string& host) {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    const bool has_name =
        ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
    return fmt::format("{}@{}", has_name ? std::string{found->pw_name} : std::to_string(::geteuid()), host);
}

/// Asks for the id on the terminal.
bool is_confirmed_by_hand(const Look& look) {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) {
        throw CommandError{core::ExitCode::usage,
                           fmt::format("nobody can be asked here; confirm with --confirm {}", id_of(look.subject))};
    }
    std::cerr << fmt::format("This erases {}{} for good: {}.\nType {} to erase it: ", describe(look.subject),
                             look.name ? fmt::format(" ({})", core::printable(*look.name)) : "",
                             core::counted(look.erasure.total(), look.subject.open_answers_only ? "document" : "row"),
                             id_of(look.subject));
    std::string answer;
    std::getline(std::cin, answer);
    return answer == std::to_string(id_of(look.subject));
}

void print(const ErasureSubject& subject, const Erasure& erasure, bool dry_run) {
    std::cout << fmt::format("{}: {} {}\n", describe(subject),
                             core::counted(erasure.total(), subject.open_answers_only ? "document" : "row"),
                             dry_run ? "would be erased" : "erased");
    for (const Erasure::Rows& rows : erasure.rows) {
        std::cout << fmt::format("  {:<24} {:>10}\n", rows.relation, rows.count);
    }
}

void warn_of_the_same_rounds(const Look& look, spdlog::logger& log) {
    if (!look.reports_with_the_same_rounds.empty()) {
        log.warn("rounds of this report stand in other reports of the organisation too, which are left as they are: {}",
                 fmt::join(look.reports_with_the_same_rounds, ", "));
    }
}

/// Unset where it was stopped before it began.
asio::awaitable<std::optional<Erasure>> erase(history::Database& database, spdlog::logger& log,
                                              history::LockTaker taker, bool wait, ErasureSubject subject,
                                              ErasureReceipt receipt) {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::optional<Erasure> erasure;
    std::exception_ptr failure;
    try {
        if (co_await take_run_lock(database, log, std::move(taker), wait, history::require_right_to_forget)) {
            auto job = [&subject, &receipt](history::Transaction& transaction) {
                return history::forget(transaction, subject, receipt);
            };
            erasure = co_await database.transact(job);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    database.release_run_lock();
    if (failure) {
        std::rethrow_exception(failure);
    }
    co_return erasure;
}

Look look_at(history::Transaction& transaction, const ForgetCommand& command) {
    Look look;
    look.subject = resolve(transaction, command);
    if (command.reason) {
        require_reason_without_names(transaction, look.subject, *command.reason);
    }
    look.name = history::name_of_organisation(transaction, look.subject.organisation_id);
    look.erasure = history::preview_forget(transaction, look.subject);
    if (look.subject.report_id) {
        look.reports_with_the_same_rounds = history::reports_with_the_same_rounds(transaction, look.subject);
    }
    return look;
}

core::ExitCode forget_known(const config::Config& config, const ForgetCommand& command, bool quiet) {
    const auto log = make_logger(config.log, quiet);
    const std::string& url = owner_url(config);
    require_current_schema(url);

    asio::io_context loop{1};
    history::Database database{loop.get_executor(), url};
    auto job = [&command](history::Transaction& transaction) {
        history::require_right_to_forget(transaction);
        return look_at(transaction, command);
    };
    const Look look = run_to_its_end(loop, database.transact(job));
    if (command.dry_run) {
        print(look.subject, look.erasure, true);
        warn_of_the_same_rounds(look, *log);
        return core::ExitCode::done;
    }
    if (!command.confirm && !is_confirmed_by_hand(look)) {
        std::cerr << "heiasyncd: not confirmed; nothing was erased\n";
        return core::ExitCode::usage;
    }

    const core::SystemClock clock;
    history::LockTaker taker = lock_taker("forget", clock.now());
    ErasureReceipt receipt{command.reason, this_user(taker.host)};
    loop.restart();
    Foreground<std::optional<Erasure>> foreground{loop, "heiasyncd forget"};
    const std::optional<Erasure> erasure =
        foreground.await(erase(database, *log, std::move(taker), command.wait, look.subject, std::move(receipt)));
    if (!erasure) {
        std::cerr << "heiasyncd: stopped; nothing was erased\n";
        return foreground.signal() == SIGINT ? core::ExitCode::interrupted : core::ExitCode::terminated;
    }
    if (!quiet) {
        print(look.subject, *erasure, false);
    }
    warn_of_the_same_rounds(look, *log);
    return core::ExitCode::done;
}

}  // namespace

core::ExitCode forget(const config::Config& config, const ForgetCommand& command, bool quiet) {
    try {
        return forget_known(config, command, quiet);
    } catch (const documents::DamagedOriginal& error) {
        throw CommandError{core::ExitCode::incomplete, error.what()};
    } catch (const history::DatabaseError& error) {
        if (error.kind() == history::DatabaseError::Kind::fenced) {
            throw CommandError{core::ExitCode::busy, fmt::format("{}; forget again", error.what())};
        }
        throw;
    }
}

}  // namespace heiasync::commands
