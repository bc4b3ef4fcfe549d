#pragma once

#include "core/bytes.hpp"
#include "documents/cursor.hpp"
#include "documents/survey_document.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::documents {

/// Writes JSON text that PostgreSQL's jsonb takes. What it cannot take is replaced: numbers beyond numeric and whatever
/// is nested deeper than max_nesting by null, characters that cannot be stored by U+FFFD (the cursor does that). The
/// text goes to the sink in pieces of about 64 KiB that end between two characters; where it becomes more than jsonb
/// can hold, the sink is restarted and nothing more is written to it.
class StorableWriter {
public:
    /// PostgreSQL parses jsonb recursively, within max_stack_depth.
    static constexpr std::size_t max_nesting = 1'000;

    /// The sink must outlive the writer.
    explicit StorableWriter(core::ByteSink& sink);

    void open_object() { open('{'); }
    void close_object() { close('}'); }
    /// A member's name, which must be storable text as the cursor gives it; its value is written next.
    void name(std::string_view name);
    /// Reads the value at hand and writes it.
    void copy(Cursor& cursor);

    /// Hands the rest over. Says what had to be done; replacements of characters are counted by the cursor.
    DocumentStatus finish();

private:
    void open(char bracket);
    void close(char bracket);
    void begin_value(std::size_t weight);
    void grow(std::size_t weight);
    void copy_shallow(Cursor& cursor);
    void copy_string(Cursor& cursor);
    void copy_number(std::string_view number);
    void copy_plain_numbers(Cursor& cursor);
    void replace_by_null();
    void write_escaped(std::string_view text);
    void write(std::string_view text);
    void flush();

    core::ByteSink* sink_;
    std::string buffer_;
    std::vector<std::size_t> members_;  ///< of the containers that are open
    std::uint64_t text_size_ = 0;
    std::uint64_t jsonb_size_ = 0;  ///< at most what jsonb takes for what was written
    bool after_name_ = false;
    bool sanitised_ = false;
    bool too_large_ = false;
};

}  // namespace heiasync::documents
