#include "history/session.hpp"

#include <libpq-fe.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace heiasync::history {
namespace {

using Kind = DatabaseError::Kind;

Kind kind_of(std::string_view state) {
    const auto is = [state](auto... prefixes) { return (state.starts_with(prefixes) || ...); };
    // Of the server as a whole, and not of what it was given: out of disk, of connections, shutting down, read-only.
    if (is("08", "25006", "53100", "53300", "57P")) {
        return Kind::away;
    }
    if (is("40", "53", "55P03", "57", "58", "XX")) {
        return Kind::hindered;
    }
    if (is("22", "23", "54")) {
        return Kind::refused;
    }
    if (is("3F000", "42501", "42703", "42704", "42883", "42P01")) {
        return Kind::schema;
    }
    return Kind::ours;
}

bool ends_session(std::string_view state) {
    // A server that takes no writes may have been replaced by another one, which only a new connection finds.
    return state.starts_with("08") || state.starts_with("57P") || state == "25P03" || state == "25006";
}

/// The first line of libpq's text, without its severity. Of a refused row not even that: it may quote it.
std::string reason_of(Kind kind, std::string_view text) {
    if (kind == Kind::refused) {
        return "the data was refused";
    }
    text = text.substr(0, text.find('\n'));
    for (const std::string_view severity : {"ERROR:  ", "FATAL:  "}) {
        if (text.starts_with(severity)) {
            text.remove_prefix(severity.size());
        }
    }
    return std::string{text};
}

/// Adds what `url` and the environment leave open. libpq's own text about a URL that it cannot read may quote a
/// password, so it is not used.
std::string connection_string(const std::string& url, std::string_view target_session_attrs = "read-write") {
    struct Setting {
        std::string_view name, value;
    };
    // A connection that went silent is noticed after a minute; of several hosts the one that takes writes is used.
    const std::array settings{Setting{"connect_timeout", "10"},
                              Setting{"keepalives_idle", "30"},
                              Setting{"keepalives_interval", "10"},
                              Setting{"keepalives_count", "3"},
                              Setting{"tcp_user_timeout", "60000"},
                              Setting{"target_session_attrs", target_session_attrs},
                              Setting{"fallback_application_name", "heiasyncd"}};

    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{PQconninfoParse(url.c_str(), nullptr),
                                                                               &PQconninfoFree};
    if (!options) {
        throw DatabaseError{Kind::settings,
                            "cannot connect to the database: database.url is none that libpq can read (expected "
                            "postgresql://user@host:port/name or key=value pairs)",
                            ""};
    }
    std::string result = "client_encoding='UTF8'";
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        const std::string_view name = option->keyword;
        std::string value;
        if (option->val != nullptr) {
            value = option->val;
        } else if (option->envvar == nullptr || std::getenv(option->envvar) == nullptr) {
            const auto* const setting =
                std::find_if(settings.begin(), settings.end(), [name](const Setting& s) { return s.name == name; });
            if (setting != settings.end()) {
                value = setting->value;
            }
        }
        if (value.empty() || name == "client_encoding") {
            continue;
        }
        result += fmt::format(" {}='", name);
        for (const char c : value) {
            if (c == '\'' || c == '\\') {
                result += '\\';
            }
            result += c;
        }
        result += '\'';
    }
    return result;
}

/// libpq's text about a failed connection has a line for each host that was tried.
std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        if (c != '\n' && c != '\t') {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

/// Of several hosts the one that takes writes is looked for even by who only reads: it is the one that is up to date.
std::string connection_string(const std::string& url, Access access) {
    std::string string = connection_string(url);
    if (access == Access::read) {
        const std::unique_ptr<PGconn, decltype(&PQfinish)> attempt{PQconnectdb(string.c_str()), &PQfinish};
        if (PQstatus(attempt.get()) != CONNECTION_OK &&
            std::string_view{PQerrorMessage(attempt.get())}.find("session is read-only") != std::string_view::npos) {
            return connection_string(url, "any");
        }
    }
    return string;
}

int backend_of(pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    return work.exec("SELECT pg_backend_pid()")[0][0].as<int>();
}

}  // namespace

Session::Session(const std::string& url, const Limits& limits) try
    : connection_{connection_string(url, limits.access)} {
    require_session_of_its_own(url, limits.access);
    set_up(limits);
} catch (const pqxx::failure& error) {
    throw DatabaseError{Kind::away, fmt::format("cannot connect to the database: {}", one_line(error.what())), ""};
}

void Session::require_session_of_its_own(const std::string& url, Access access) {
    const int server = backend_of(connection_);
    // A pooler tells its clients a process id of its own.
    if (server == connection_.backendpid()) {
        return;
    }
    pqxx::connection second{connection_string(url, access)};
    if (backend_of(second) == server || backend_of(connection_) != server) {
        throw DatabaseError{Kind::settings,
                            "database.url leads to a connection pooler that lends sessions for a transaction or a "
                            "statement, and a run needs one for itself: set pool_mode = session for this database, or "
                            "connect to the server itself",
                            ""};
    }
}

void Session::set_up(const Limits& limits) {
    constexpr int silence_ms = 60'000;
    // Verbose texts quote keys and rows.
#if PQXX_VERSION_MAJOR < 7
    connection_.set_verbosity(pqxx::connection::terse);
#else
    connection_.set_verbosity(pqxx::error_verbosity::terse);
    connection_.set_notice_handler([](pqxx::zview) noexcept {});
#endif
    pqxx::nontransaction work{connection_};
    work.exec(
        fmt::format("SET search_path = pg_catalog, pg_temp;"
                    "SET client_min_messages = warning;"
                    "SET standard_conforming_strings = on;"
                    "SET TimeZone = 'UTC';"
                    "SET DateStyle = 'ISO, YMD';"
                    "SET IntervalStyle = 'postgres';"
                    "SET statement_timeout = {};"
                    "SET lock_timeout = {};"
                    "SET idle_in_transaction_session_timeout = '8s';"
                    // How soon the server lets go of the locks of a client that went silent.
                    "SET tcp_keepalives_idle = 30;"
                    "SET tcp_keepalives_interval = 10;"
                    "SET tcp_keepalives_count = 3;"
                    "SET tcp_user_timeout = {};"
                    // What a run holds for stored must not be lost with the server's memory.
                    "SELECT set_config('synchronous_commit', 'local', false) "
                    "WHERE current_setting('synchronous_commit') = 'off'",
                    limits.statement.count(), limits.lock.count(), silence_ms));
}

void Session::transact(const std::function<void(Transaction&)>& body) {
    purpose_ = "begin a transaction";
    try {
        pqxx::work work{connection_};
        Transaction transaction{*this, work};
        body(transaction);
        transaction.flush();
        purpose_ = "commit a transaction";
        work.commit();
        executed_once_.merge(transaction.executed_once_);
    } catch (...) {
        rethrow();
    }
}

void Session::prepare(const Statement& statement) {
    const auto known = prepared_.find(statement.purpose);
    if (known == prepared_.end()) {
        connection_.prepare(statement.purpose, statement.sql);
        prepared_.emplace(statement.purpose, statement.sql);
    } else if (known->second != statement.sql) {
        throw std::logic_error{fmt::format("two statements are called '{}'", statement.purpose)};
    }
}

void Session::rethrow() {
    usable_ = usable_ && connection_.is_open();
    try {
        throw;
    } catch (const pqxx::in_doubt_error&) {
        usable_ = false;
        fail(Kind::in_doubt, "the connection broke; it may have happened or not");
    } catch (const pqxx::broken_connection&) {
        usable_ = false;
        fail(Kind::away, "the connection to the database was lost");
#if PQXX_VERSION_MAJOR < 7
        // libpqxx 6 keeps no SQLSTATE with these two.
    } catch (const pqxx::transaction_rollback&) {
        fail(Kind::hindered, "the transaction collided with another one", "40000");
    } catch (const pqxx::insufficient_privilege& error) {
        fail(Kind::schema, reason_of(Kind::schema, error.what()), "42501");
#endif
    } catch (const pqxx::sql_error& error) {
        const std::string& state = error.sqlstate();
        usable_ = usable_ && !ends_session(state);
        const Kind kind = usable_ ? kind_of(state) : Kind::away;
        fail(kind, reason_of(kind, error.what()), state);
    } catch (const pqxx::failure&) {
        fail(usable_ ? Kind::ours : Kind::away, usable_ ? "libpqxx failed" : "the connection to the database was lost");
    } catch (const pqxx::conversion_error&) {
        fail(Kind::ours, "the answer is not what was expected");
    } catch (const pqxx::range_error&) {
        fail(Kind::ours, "the answer has another number of rows than expected");
    } catch (const pqxx::usage_error&) {
        fail(Kind::ours, "libpqxx was used in a way that it does not allow");
    } catch (const pqxx::internal_error&) {
        fail(Kind::ours, "libpqxx failed");
    }
}

void Session::fail(Kind kind, std::string_view reason, std::string_view state) const {
    throw DatabaseError{kind,
                        state.empty() ? fmt::format("cannot {}: {}", purpose_, reason)
                                      : fmt::format("cannot {}: {} (SQLSTATE {})", purpose_, reason, state),
                        std::string{state}};
}

}  // namespace heiasync::history
