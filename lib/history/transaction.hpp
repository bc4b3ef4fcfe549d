#pragma once

// Internal to this room, with session.hpp: what its .cpp files see of libpqxx. Version 6 (Debian 12) and 7 (Debian 13)
// differ behind these two headers.

#include "core/instant.hpp"
#include "history/database.hpp"

#include <pqxx/pqxx>

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::history {

/// The text with NUL, and with bytes that are no UTF-8, replaced by U+FFFD: what PostgreSQL's text can hold.
std::string storable_text(std::string_view text);

/// The first `size` bytes of the text, or a few less where a character would be cut in two.
std::string_view prefix(std::string_view text, std::size_t size);

/// A value in the text form that PostgreSQL reads; or NULL.
class Value {
public:
    // NOLINTBEGIN(google-explicit-constructor): whatever can be stored converts to it.
    template <std::integral Integer>
    requires(!std::same_as<Integer, bool>) Value(Integer value) : text_{std::to_string(value)} {}
    template <std::same_as<bool> Boolean>
    Value(Boolean value) : text_{value ? "t" : "f"} {}
    Value(double value);
    Value(std::string_view value) : text_{storable_text(value)} {}
    Value(const std::string& value) : Value{std::string_view{value}} {}
    Value(const char* value) : Value{std::string_view{value}} {}
    Value(core::Instant value) : text_{core::format_instant(value)} {}
    Value(core::Date value) : text_{core::format_date(value)} {}
    Value(std::nullopt_t) {}
    template <class T>
    Value(const std::optional<T>& value) : text_{value ? Value{*value}.text_ : std::nullopt} {}
    // NOLINTEND(google-explicit-constructor)

    /// Text that is known to be storable.
    static Value verbatim(std::string_view value);
    /// bytea.
    static Value bytes(std::string_view value);

    /// An array of whatever `element` makes of each.
    template <class Range, class Function>
    static Value array(const Range& range, Function element) {
        Value result;
        result.text_ = "{";
        for (const auto& item : range) {
            result.append_element(element(item));
        }
        result.text_->push_back('}');
        return result;
    }
    template <class Range>
    static Value array(const Range& range) {
        return array(range, [](const auto& item) { return Value{item}; });
    }

    [[nodiscard]] const char* c_str() const { return text_ ? text_->c_str() : nullptr; }

private:
    Value() = default;
    void append_element(const Value& element);

    std::optional<std::string> text_;
};

/// Appends a row as a line of COPY, without its end.
void append_line(std::string& line, std::span<const Value> values);

/// A statement that is prepared once a session. `purpose` names it, there and in errors: `store usage statistics`.
struct Statement {
    const char* purpose;
    const char* sql;
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
    void row(std::span<const Value> values);
    template <class... Values>
    void row(const Values&... values) {
        const std::array<Value, sizeof...(Values)> all{Value{values}...};
        row(std::span<const Value>{all});
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

    pqxx::result run(const Statement& statement, std::span<const Value> values);
    template <class... Values>
    pqxx::result run(const Statement& statement, const Values&... values) {
        const std::array<Value, sizeof...(Values)> all{Value{values}...};
        return run(statement, std::span<const Value>{all});
    }

    /// Runs SQL text without values.
    void execute(const char* purpose, std::string_view sql);

    Copy copy(const char* purpose, const char* table, std::span<const char* const> columns);

    /// Counts up from 1 within the transaction.
    std::int64_t next_number() { return ++number_; }

private:
    Session& session_;
    pqxx::work& work_;
    std::int64_t number_ = 0;
};

/// Instants are selected as microseconds: `(extract(epoch FROM column) * 1000000)::bigint`.
inline core::Instant instant_of(const pqxx::field& field) {
    return core::Instant{std::chrono::microseconds{field.as<std::int64_t>()}};
}

}  // namespace heiasync::history
