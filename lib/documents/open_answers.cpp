#include "documents/open_answers.hpp"

#include "documents/cursor.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace heiasync::documents {

namespace {

constexpr std::string_view member_name = "open_questions";

/// Bytes of a document, from `begin` to before `end`.
struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// Reads the value at hand, and says whether there is anything in it.
bool read_whether_anything(Cursor& cursor) {
    bool anything = true;
    switch (cursor.type()) {
        case ValueType::null:
            cursor.skip();
            return false;
        case ValueType::array:
            cursor.enter_array();
            anything = cursor.next_element();
            while (anything && cursor.next_element()) {
            }
            return anything;
        case ValueType::object:
            cursor.enter_object(Cursor::Names::hidden);
            anything = cursor.next_member().has_value();
            while (anything && cursor.next_member()) {
            }
            return anything;
        default:
            cursor.skip();
            return true;
    }
}

void enter(Cursor& cursor) {
    switch (cursor.type()) {
        case ValueType::array:
            cursor.enter_array();
            break;
        case ValueType::object:
            cursor.enter_object(Cursor::Names::hidden);
            break;
        default:
            cursor.skip();
    }
}

/// Where the open answers are, in the order of the document.
std::vector<Range> find_open_answers(std::string_view operation, const Original& original) {
    OriginalReader source{original};
    Cursor cursor{operation, source};
    std::vector<Range> ranges;
    enter(cursor);
    while (cursor.depth() > 0) {
        if (!cursor.in_object()) {
            if (cursor.next_element()) {
                enter(cursor);
            }
            continue;
        }
        const auto name = cursor.next_member();
        if (!name) {
            continue;
        }
        if (*name != member_name) {
            enter(cursor);
            continue;
        }
        static_cast<void>(cursor.type());
        const std::uint64_t begin = cursor.offset();
        if (read_whether_anything(cursor)) {
            ranges.push_back({begin, cursor.offset()});
        }
    }
    cursor.finish();
    return ranges;
}

/// Copies a document but for some ranges of it, each of which gives way to null.
Original copy_without(const Original& original, const std::vector<Range>& ranges) {
    OriginalReader source{original};
    OriginalWriter copy;
    std::uint64_t at = 0;
    auto range = ranges.begin();
    for (auto bytes = source.read(); !bytes.empty(); bytes = source.read()) {
        while (!bytes.empty()) {
            const bool inside = range != ranges.end() && at >= range->begin;
            const std::uint64_t next = range == ranges.end() ? at + bytes.size() : inside ? range->end : range->begin;
            const auto run =
                bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(next - at, bytes.size())));
            if (!inside) {
                copy.write(run);
            }
            bytes.remove_prefix(run.size());
            at += run.size();
            if (inside && at == range->end) {
                copy.write("null");
                ++range;
            }
        }
    }
    Original result = copy.finish();
    result.exact = false;
    return result;
}

}  // namespace

std::optional<Original> without_open_answers(std::string_view operation, const Original& original) {
    const std::vector<Range> ranges = find_open_answers(operation, original);
    return ranges.empty() ? std::nullopt : std::optional{copy_without(original, ranges)};
}

}  // namespace heiasync::documents
