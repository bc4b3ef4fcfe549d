#include "history/transaction.hpp"

#include "history/session.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
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
    session_.purpose_ = statement.purpose;
    session_.prepare(statement);
#if PQXX_VERSION_MAJOR < 7
    std::vector<const char*> fields;
    fields.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        fields.push_back(values[i]);
    }
    return work_.exec_prepared(statement.purpose, pqxx::prepare::make_dynamic_params(fields));
#else
    pqxx::params fields;
    fields.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] == nullptr) {
            fields.append();
        } else {
            fields.append(pqxx::zview{values[i]});
        }
    }
    return work_.exec(pqxx::prepped{statement.purpose}, fields);
#endif
}

void Transaction::execute(const char* purpose, std::string_view sql) {
    session_.purpose_ = purpose;
    work_.exec(std::string{sql});
}

Copy Transaction::copy(const char* purpose, const char* table, std::span<const char* const> columns) {
    session_.purpose_ = purpose;
    return Copy{work_, table, columns};
}

}  // namespace heiasync::history
