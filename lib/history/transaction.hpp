#pragma once

// Internal to this room, with session.hpp: what its .cpp files see of libpqxx. Version 6 (Debian 12) and 7 (Debian 13)
// differ behind these two headers.

#include "core/instant.hpp"
#include "history/database.hpp"
#include "history/values.hpp"

#include <pqxx/pqxx>

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::history {

/// A statement that is prepared once a session. `purpose` names it, there and in errors: `store usage statistics`.
struct Statement {
    const char* purpose;
    const char* sql;
};

/// A statement over rows that come as one array a column: `INSERT ... SELECT ... FROM unnest($1::bigint[], ...)`.
struct RowsStatement {
    Statement statement;
};

#if PQXX_VERSION_MAJOR < 7
/// A row as COPY takes it. libpqxx 6 takes tuples only, for which it calls separated_list: this one of ours hands it
/// the line, which is also cheaper than putting it together from a tuple.
struct CopyLine {
    std::string text;

    friend const std::string& separated_list(std::string_view /*separator*/, const CopyLine& line,
                                             const pqxx::internal::TypedCopyEscaper& /*escaper*/) {
        return line.text;
    }
};
#endif

/// Rows on their way into a table. COPY, because a server that logs statements does not log what comes by it. There is
/// at most one at a time in a transaction, and nothing else happens until finish().
class Copy {
public:
    void row(const Row& row);
    template <class... Values>
    void row(const Values&... values) {
        row(Row{values...});
    }
    /// Without it the rows are not stored and the transaction cannot be committed.
    void finish() { stream_.complete(); }

private:
    friend class Transaction;
    Copy(pqxx::transaction_base& work, const char* table, std::span<const char* const> columns);

    pqxx::stream_to stream_;
#if PQXX_VERSION_MAJOR < 7
    CopyLine line_;
#else
    std::vector<const char*> fields_;
#endif
};

class Session;

class Transaction {
public:
    Transaction(Session& session, pqxx::work& work) : session_{session}, work_{work} {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    pqxx::result run(const Statement& statement, const Row& values);
    template <class... Values>
    pqxx::result run(const Statement& statement, const Values&... values) {
        return run(statement, Row{values...});
    }

    /// Adds a row to those of the statement, which runs once for all of them: a journey to the server for each small
    /// row would cost more than the row. That is before any other statement, or before the commit; of several such
    /// statements, in the order of their first rows.
    template <class... Values>
    void add_row(const RowsStatement& statement, const Values&... values) {
        add_row(statement, Row{values...});
    }
    void add_row(const RowsStatement& statement, const Row& row);
    /// Runs what waits for more rows.
    void flush();

    /// Runs SQL text without values.
    void execute(const char* purpose, std::string_view sql);
    /// The same, once a session: for what lasts as long. Done again where the transaction was not committed.
    void execute_once(const char* purpose, std::string_view sql);

    Copy copy(const char* purpose, const char* table, std::span<const char* const> columns);

    /// Counts up from 1 within the transaction.
    std::int64_t next_number() { return ++number_; }

private:
    friend class Session;

    /// Rows on their way to a statement, as one array a column.
    struct WaitingRows {
        const RowsStatement* statement;
        std::vector<std::string> columns;
    };

    pqxx::result execute(const Statement& statement, std::span<const char* const> values);

    Session& session_;
    pqxx::work& work_;
    std::vector<WaitingRows> waiting_;
    std::set<std::string_view> executed_once_;  ///< by purpose
    std::int64_t number_ = 0;
};

/// Instants are selected as microseconds: `(extract(epoch FROM column) * 1000000)::bigint`.
inline core::Instant instant_of(const pqxx::field& field) {
    return core::Instant{std::chrono::microseconds{field.as<std::int64_t>()}};
}

inline std::optional<core::Instant> optional_instant(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional{instant_of(field)};
}

inline core::Date date_of(const pqxx::field& field) {
    return core::parse_date(field.as<std::string>());
}

inline std::optional<core::Date> optional_date(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional{date_of(field)};
}

template <class T>
std::optional<T> optional_value(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional{field.as<T>()};
}

}  // namespace heiasync::history
