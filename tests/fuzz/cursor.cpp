#include "documents/cursor.hpp"

#include "documents/storable_writer.hpp"
#include "fuzz/decoding.hpp"

namespace heiasync::fuzz {

namespace {

using documents::Cursor;
using documents::ValueType;

/// All that a document says, as read_by_rapidjson() writes it.
class Walk {
public:
    explicit Walk(core::ByteSource& source) : cursor_{"test", source} {}

    std::string run() {
        do {
            scalar_or_entry();
            while (cursor_.depth() > 0 && !next()) {
            }
        } while (cursor_.depth() > 0);
        cursor_.finish();
        return std::move(events_);
    }

    [[nodiscard]] std::uint64_t replacements() const { return cursor_.replacements(); }

private:
    void add(std::string_view event, std::string_view text = {}) {
        events_ += event;
        events_ += text;
        events_ += '\n';
    }

    void scalar_or_entry() {
        switch (cursor_.type()) {
            case ValueType::null:
                cursor_.skip();
                add("null");
                break;
            case ValueType::boolean:
                add(cursor_.read_boolean() ? "true" : "false");
                break;
            case ValueType::number:
                add("#", cursor_.read_number());
                break;
            case ValueType::string:
                add("'", cursor_.read_string());
                break;
            case ValueType::array:
                cursor_.enter_array();
                add("[");
                break;
            case ValueType::object:
                cursor_.enter_object();
                add("{");
                break;
        }
    }

    /// Whether there is another value in the innermost container, which otherwise is left.
    bool next() {
        const bool is_object = cursor_.in_object();
        if (is_object) {
            if (const auto name = cursor_.next_member()) {
                add(".", *name);
                return true;
            }
        } else if (cursor_.next_element()) {
            return true;
        }
        add(is_object ? "}" : "]");
        return false;
    }

    Cursor cursor_;
    std::string events_;
};

struct Walked {
    std::string events;
    std::uint64_t replacements = 0;

    friend bool operator==(const Walked&, const Walked&) = default;
};

Walked walk(core::ByteSource& source) {
    Walk walk{source};
    auto events = walk.run();
    return {std::move(events), walk.replacements()};
}

bool skip(core::ByteSource& source) {
    Cursor cursor{"test", source};
    cursor.skip();
    cursor.finish();
    return true;
}

struct Copied {
    documents::DocumentStatus status;
    std::string text;

    friend bool operator==(const Copied&, const Copied&) = default;
};

Copied copy(core::ByteSource& source) {
    Cursor cursor{"test", source};
    core::StringSink sink;
    documents::StorableWriter writer{sink};
    writer.copy(cursor);
    cursor.finish();
    return {writer.finish(), sink.text()};
}

}  // namespace

void check(std::string_view input) {
    const auto walked = decode_text(walk, input, "test");
    const auto copied = decode_text(copy, input, "test");
    require(decode_text(skip, input, "test").has_value() == walked.has_value(), "what is read can be skipped");
    require(copied.has_value() == walked.has_value(), "what is read can be copied");

    const auto theirs = read_by_rapidjson(input);
    require(!theirs.usable || theirs.events.has_value() == walked.has_value(), "what is JSON is JSON to RapidJSON");
    if (!walked) {
        return;
    }
    require(is_storable(walked->events), "what is read can be stored");
    if (theirs.usable && walked->replacements == 0) {
        require(theirs.events == walked->events, "what is read is what RapidJSON reads");
    }

    const auto events = require_storable_json(copied->text);
    require(decode_text(copy, copied->text, "test") == Copied{documents::DocumentStatus::stored, copied->text},
            "what was copied can be stored");
    if (copied->status == documents::DocumentStatus::stored && theirs.usable) {
        require(events == walked->events, "a copy says the same");
    }
}

}  // namespace heiasync::fuzz
