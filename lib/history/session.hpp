#pragma once

#include "history/database.hpp"
#include "history/error.hpp"
#include "history/transaction.hpp"

#include <pqxx/pqxx>

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace heiasync::history {

/// One connection, set up as everything here expects it. All that fails on it leaves as a DatabaseError.
class Session {
public:
    struct Limits {
        std::chrono::milliseconds statement;  ///< 0: none
        std::chrono::milliseconds lock;
        Access access = Access::write;
    };

    /// Connects. Throws DatabaseError; `settings` where a pooler lends a server's session for a transaction at a time,
    /// which keeps neither locks nor settings.
    Session(const std::string& url, const Limits& limits);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Runs the body in a transaction and commits it. An exception of the body rolls back and passes.
    void transact(const std::function<void(Transaction&)>& body);

    /// False once the connection was lost: libpqxx would open another one behind our back, without its settings,
    /// prepared statements and locks, so such a session is thrown away.
    [[nodiscard]] bool usable() const { return usable_; }

private:
    friend class Transaction;

    void require_session_of_its_own(const std::string& url, Access access);
    void set_up(const Limits& limits);
    void prepare(const Statement& statement);
    /// The exception in hand, as a DatabaseError where it is one of libpqxx.
    [[noreturn]] void rethrow();
    [[noreturn]] void fail(DatabaseError::Kind kind, std::string_view reason, std::string_view state = {}) const;

    std::string_view purpose_ = "connect to the database";
    bool usable_ = true;
    pqxx::connection connection_;
#if PQXX_VERSION_MAJOR < 7
    pqxx::quiet_errorhandler quiet_{connection_};
#endif
    std::map<std::string_view, std::string_view> prepared_;  ///< purpose -> SQL
    std::set<std::string_view> executed_once_;               ///< by purpose
};

}  // namespace heiasync::history
