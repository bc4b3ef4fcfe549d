#include "history/transaction.hpp"

#include "documents/utf8.hpp"
#include "history/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::history {
namespace {

bool continues_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

void append_field(std::string& line, const char* field) {
    if (field == nullptr) {
        line += "\\N";
        return;
    }
    std::string_view text = field;
    for (;;) {
        const std::size_t plain = text.find_first_of("\\\t\n\r");
        line += text.substr(0, plain);
        if (plain == std::string_view::npos) {
            return;
        }
        line += '\\';
        switch (text[plain]) {
            case '\t':
                line += 't';
                break;
            case '\n':
                line += 'n';
                break;
            case '\r':
                line += 'r';
                break;
            default:
                line += '\\';
        }
        text.remove_prefix(plain + 1);
    }
}

}  // namespace

std::string storable_text(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto is_plain = [](char c) { return static_cast<signed char>(c) > 0; };
        const auto plain = static_cast<std::size_t>(std::ranges::find_if_not(text, is_plain) - text.begin());
        const std::size_t length = plain > 0 ? plain : documents::sequence_length(text);
        result += length > 0 ? text.substr(0, length) : documents::replacement_character;
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result;
}

std::string_view prefix(std::string_view text, std::size_t size) {
    if (text.size() > size) {
        while (size > 0 && continues_character(text[size])) {
            --size;
        }
        text = text.substr(0, size);
    }
    return text;
}

Value::Value(double value) : text_{fmt::format("{}", value)} {}

Value Value::verbatim(std::string_view value) {
    Value result;
    result.text_ = value;
    return result;
}

Value Value::bytes(std::string_view value) {
    constexpr std::string_view digits = "0123456789abcdef";
    Value result;
    result.text_ = "\\x";
    result.text_->reserve(2 + 2 * value.size());
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        *result.text_ += digits[byte >> 4U];
        *result.text_ += digits[byte & 0xFU];
    }
    return result;
}

void Value::append_element(const Value& element) {
    if (text_->size() > 1) {
        *text_ += ',';
    }
    if (!element.text_) {
        *text_ += "NULL";
        return;
    }
    *text_ += '"';
    for (const char c : *element.text_) {
        if (c == '"' || c == '\\') {
            *text_ += '\\';
        }
        *text_ += c;
    }
    *text_ += '"';
}

void append_line(std::string& line, std::span<const Value> values) {
    for (const Value& value : values) {
        append_field(line, value.c_str());
        line += '\t';
    }
    line.pop_back();
}

Copy::Copy(pqxx::transaction_base& work, const char* table, std::span<const char* const> columns)
#if PQXX_VERSION_MAJOR < 7
    : stream_{work, table, columns.begin(), columns.end()}
#else
    : stream_{pqxx::stream_to::raw_table(work, table, fmt::format("{}", fmt::join(columns, ",")))}
#endif
{
}

#if PQXX_VERSION_MAJOR < 7
void Copy::row(std::span<const Value> values) {
    line_.text.clear();
    append_line(line_.text, values);
    stream_ << line_;
}
#else
void Copy::row(std::span<const Value> values) {
    fields_.clear();
    for (const Value& value : values) {
        fields_.push_back(value.c_str());
    }
    stream_.write_row(fields_);
}
#endif

pqxx::result Transaction::run(const Statement& statement, std::span<const Value> values) {
    session_.purpose_ = statement.purpose;
    session_.prepare(statement);
#if PQXX_VERSION_MAJOR < 7
    std::vector<const char*> fields;
    for (const Value& value : values) {
        fields.push_back(value.c_str());
    }
    return work_.exec_prepared(statement.purpose, pqxx::prepare::make_dynamic_params(fields));
#else
    pqxx::params fields;
    fields.reserve(values.size());
    for (const Value& value : values) {
        if (value.c_str() == nullptr) {
            fields.append();
        } else {
            fields.append(pqxx::zview{value.c_str()});
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
