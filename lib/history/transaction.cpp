#include "history/transaction.hpp"

#include "history/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync::history {

Copy::Copy(pqxx::transaction_base& work, const char* table, std::span<const char* const> columns)
#if PQXX_VERSION_MAJOR < 7
    : stream_{work, table, columns.begin(), columns.end()}
#else
    : stream_{pqxx::stream_to::raw_table(work, table, fmt::format("{}", fmt::join(columns, ",")))}
#endif
{
}

#if PQXX_VERSION_MAJOR < 7
void Copy::row(const Row& row) {
    line_.text.clear();
    row.append_line(line_.text);
    stream_ << line_;
}
#else
void Copy::row(const Row& row) {
    fields_.clear();
    for (std::size_t i = 0; i < row.size(); ++i) {
        fields_.push_back(row[i]);
    }
    stream_.write_row(fields_);
}
#endif

pqxx::result Transaction::run(const Statement& statement, const Row& values) {
    flush();
    std::vector<const char*> fields;
    fields.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        fields.push_back(values[i]);
    }
    return execute(statement, fields);
}

pqxx::result Transaction::execute(const Statement& statement, std::span<const char* const> values) {
    session_.purpose_ = statement.purpose;
    session_.prepare(statement);
#if PQXX_VERSION_MAJOR < 7
    return work_.exec_prepared(statement.purpose, pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
#else
    pqxx::params fields;
    fields.reserve(values.size());
    for (const char* value : values) {
        if (value == nullptr) {
            fields.append();
        } else {
            fields.append(pqxx::zview{value});
        }
    }
    return work_.exec(pqxx::prepped{statement.purpose}, fields);
#endif
}

void Transaction::add_row(const RowsStatement& statement, const Row& row) {
    auto rows = std::ranges::find(waiting_, &statement, &WaitingRows::statement);
    if (rows == waiting_.end()) {
        rows = waiting_.insert(rows, {&statement, std::vector<std::string>(row.size())});
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
        std::string& column = rows->columns[i];
        column += column.empty() ? '{' : ',';
        row.append_element(column, i);
    }
}

void Transaction::flush() {
    for (auto& [statement, columns] : std::exchange(waiting_, {})) {
        std::vector<const char*> arrays;
        for (std::string& column : columns) {
            column += '}';
            arrays.push_back(column.c_str());
        }
        execute(statement->statement, arrays);
    }
}

void Transaction::execute(const char* purpose, std::string_view sql) {
    flush();
    session_.purpose_ = purpose;
    work_.exec(std::string{sql});
}

void Transaction::execute_once(const char* purpose, std::string_view sql) {
    if (!session_.executed_once_.contains(purpose) && executed_once_.insert(purpose).second) {
        execute(purpose, sql);
    }
}

Copy Transaction::copy(const char* purpose, const char* table, std::span<const char* const> columns) {
    flush();
    session_.purpose_ = purpose;
    return Copy{work_, table, columns};
}

}  // namespace heiasync::history
