#include "documents/open_answers.hpp"

#include "documents/cursor.hpp"
#include "documents/cuts.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace heiasync::documents {

namespace {

constexpr std::string_view member_name = "open_questions";

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

/// Where the open answers are, in the order of the document.
std::vector<Cut> find_open_answers(std::string_view operation, const Original& original) {
    OriginalReader source{original};
    Cursor cursor{operation, source};
    std::vector<Cut> cuts;
    cursor.enter_or_skip(Cursor::Names::hidden);
    while (cursor.depth() > 0) {
        if (!cursor.in_object()) {
            if (cursor.next_element()) {
                cursor.enter_or_skip(Cursor::Names::hidden);
            }
            continue;
        }
        const auto name = cursor.next_member();
        if (!name) {
            continue;
        }
        if (*name != member_name) {
            cursor.enter_or_skip(Cursor::Names::hidden);
            continue;
        }
        static_cast<void>(cursor.type());
        const std::uint64_t begin = cursor.offset();
        if (read_whether_anything(cursor)) {
            cuts.push_back({begin, cursor.offset()});
        }
    }
    cursor.finish();
    return cuts;
}

Original copy_without(const Original& original, std::vector<Cut> cuts) {
    OriginalReader reader{original};
    CutSource source{reader, std::move(cuts)};
    OriginalWriter copy;
    for (auto bytes = source.read(); !bytes.empty(); bytes = source.read()) {
        copy.write(bytes);
    }
    Original result = copy.finish();
    result.exact = false;
    return result;
}

}  // namespace

std::optional<Original> without_open_answers(std::string_view operation, const Original& original) {
    std::vector<Cut> cuts = find_open_answers(operation, original);
    return cuts.empty() ? std::nullopt : std::optional{copy_without(original, std::move(cuts))};
}

}  // namespace heiasync::documents
