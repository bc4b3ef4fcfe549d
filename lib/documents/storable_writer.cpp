#include "documents/storable_writer.hpp"

#include "documents/number.hpp"

#include <fmt/format.h>

namespace heiasync::documents {

namespace {

constexpr std::size_t piece_size = 64U << 10U;

/// The limits of PostgreSQL's jsonb: the data of a container (JENTRY_OFFLENMASK), the entries of a container while it
/// is parsed (an array of them that doubles within 1 GB), and a text value (1 GB).
constexpr std::uint64_t max_jsonb_size = 268'435'455;
constexpr std::size_t max_members = 8'000'000;
constexpr std::uint64_t max_text_size = 1'000'000'000;

/// The parts of a jsonb: each value and each name has an entry; numbers are aligned and have a header, and four digits
/// take two bytes; containers have a header.
constexpr std::size_t entry_size = 4;
constexpr std::size_t container_size = 8;
constexpr std::size_t number_size(std::size_t digits) {
    return 16 + digits / 2;
}

}  // namespace

StorableWriter::StorableWriter(core::ByteSink& sink) : sink_{&sink} {}

void StorableWriter::name(std::string_view name) {
    begin_value(name.size());
    write("\"");
    write_escaped(name);
    write("\":");
    after_name_ = true;
}

void StorableWriter::copy(Cursor& cursor) {
    const auto outside = cursor.depth();
    do {
        copy_shallow(cursor);
        while (cursor.depth() > outside) {
            if (!cursor.in_object()) {
                copy_plain_numbers(cursor);
                if (cursor.next_element()) {
                    break;
                }
                close(']');
            } else {
                if (const auto member = cursor.next_member()) {
                    name(*member);
                    break;
                }
                close('}');
            }
        }
    } while (cursor.depth() > outside);
}

DocumentStatus StorableWriter::finish() {
    flush();
    if (too_large_) {
        return DocumentStatus::too_large;
    }
    return sanitised_ ? DocumentStatus::sanitised : DocumentStatus::stored;
}

void StorableWriter::open(char bracket) {
    begin_value(container_size);
    write({&bracket, 1});
    members_.push_back(0);
}

void StorableWriter::close(char bracket) {
    members_.pop_back();
    write({&bracket, 1});
}

/// Writes the comma where one is due, and counts what the value or name adds.
void StorableWriter::begin_value(std::size_t weight) {
    if (!after_name_ && !members_.empty() && members_.back()++ > 0) {
        write(",");
    }
    after_name_ = false;
    grow(entry_size + weight);
}

void StorableWriter::grow(std::size_t weight) {
    jsonb_size_ += weight;
    if (!too_large_ && (jsonb_size_ > max_jsonb_size || text_size_ > max_text_size ||
                        (!members_.empty() && members_.back() > max_members))) {
        too_large_ = true;
        buffer_.clear();
        sink_->restart();
    }
}

/// A scalar, or the opening of a container.
void StorableWriter::copy_shallow(Cursor& cursor) {
    const auto type = cursor.type();
    switch (type) {
        case ValueType::null:
            cursor.skip();
            begin_value(0);
            write("null");
            break;
        case ValueType::boolean:
            begin_value(0);
            write(cursor.read_boolean() ? "true" : "false");
            break;
        case ValueType::number:
            copy_number(cursor.read_number());
            break;
        case ValueType::string:
            copy_string(cursor);
            break;
        case ValueType::array:
        case ValueType::object:
            if (members_.size() == max_nesting) {
                cursor.skip();
                replace_by_null();
            } else if (type == ValueType::array) {
                cursor.enter_array();
                open('[');
            } else {
                cursor.enter_object(Cursor::Names::hidden);
                open('{');
            }
            break;
    }
}

void StorableWriter::copy_string(Cursor& cursor) {
    begin_value(0);
    write("\"");
    cursor.enter_string();
    while (const auto piece = cursor.next_piece()) {
        grow(piece->text.size());
        if (piece->escaped) {
            write_escaped(piece->text);
        } else {
            write(piece->text);
        }
    }
    write("\"");
}

void StorableWriter::copy_number(std::string_view number) {
    if (!fits_numeric(number)) {
        replace_by_null();
        return;
    }
    begin_value(number_size(number.size()));
    write(number);
}

/// Those that come next in the array at hand.
void StorableWriter::copy_plain_numbers(Cursor& cursor) {
    const auto size_before = buffer_.size();
    if (members_.back() > 0) {
        buffer_ += ',';
    }
    const auto count = cursor.take_plain_numbers(buffer_);
    buffer_.resize(count > 0 ? buffer_.size() - 1 : size_before);
    const auto size = buffer_.size() - size_before;
    members_.back() += count;
    text_size_ += size;
    grow(count * (entry_size + number_size(0)) + size / 2);
    if (too_large_) {
        buffer_.clear();
    } else if (buffer_.size() >= piece_size) {
        flush();
    }
}

void StorableWriter::replace_by_null() {
    begin_value(0);
    write("null");
    sanitised_ = true;
}

void StorableWriter::write_escaped(std::string_view text) {
    constexpr char first_printable = 0x20;
    for (std::size_t begin = 0; begin < text.size();) {
        auto end = begin;
        const auto is_special = [](char c) { return c == '"' || c == '\\' || (c >= 0 && c < first_printable); };
        while (end < text.size() && !is_special(text[end])) {
            ++end;
        }
        write(text.substr(begin, end - begin));
        if (end < text.size()) {
            const char c = text[end];
            write(c < first_printable ? fmt::format("\\u{:04x}", static_cast<unsigned>(c)) : std::string{'\\', c});
            ++end;
        }
        begin = end;
    }
}

void StorableWriter::write(std::string_view text) {
    text_size_ += text.size();
    if (too_large_) {
        return;
    }
    buffer_ += text;
    if (buffer_.size() >= piece_size) {
        flush();
    }
}

void StorableWriter::flush() {
    if (!buffer_.empty()) {
        sink_->write(buffer_);
        buffer_.clear();
    }
}

}  // namespace heiasync::documents
