#include "documents/suppressed.hpp"

#include "documents/cursor.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace heiasync::documents {

namespace {

constexpr std::array<std::string_view, 4> value_names{"average_points", "answer_percentages", "breakdown",
                                                      "point_categories"};

/// An object that is open. One that says nothing of its data hides nothing; of a member that stands twice the first
/// counts.
struct Object {
    bool has_flag_member = false;
    bool has_reason_member = false;
    std::optional<bool> flag;
    bool has_reason = false;
    std::vector<Cut> values;

    [[nodiscard]] bool is_insufficient() const { return flag.value_or(has_reason); }
};

/// A round has an object `point_categories`, which says what the categories of its groups are.
bool is_value(std::string_view name, ValueType type) {
    const bool describes_categories = name == "point_categories" && type == ValueType::object;
    return type != ValueType::null && !describes_categories &&
           std::ranges::find(value_names, name) != value_names.end();
}

class Walk {
public:
    Walk(std::string_view operation, core::ByteSource& source) : cursor_{operation, source} {}

    std::vector<Cut> find() {
        enter();
        while (cursor_.depth() > 0) {
            end_values();
            if (!cursor_.in_object()) {
                if (cursor_.next_element()) {
                    enter();
                }
            } else if (const auto name = cursor_.next_member()) {
                take_member(*name);
            } else {
                close_object();
            }
        }
        cursor_.finish();
        return apart();
    }

private:
    void enter() {
        const bool is_outermost = objects_.empty();
        if (cursor_.type() == ValueType::object) {
            objects_.emplace_back();
        }
        cursor_.enter_or_skip(is_outermost ? Cursor::Names::shown : Cursor::Names::hidden);
    }

    void take_member(std::string_view name) {
        Object& object = objects_.back();
        const ValueType type = cursor_.type();
        if (name == "insufficient_data" && !std::exchange(object.has_flag_member, true)) {
            if (type == ValueType::boolean) {
                object.flag = cursor_.read_boolean();
                return;
            }
            if (type != ValueType::null) {
                object.flag = true;
            }
            cursor_.skip();
        } else if (name == "insufficient_data_reason" && !std::exchange(object.has_reason_member, true)) {
            object.has_reason = type == ValueType::string;
            cursor_.skip();
        } else {
            if (is_value(name, type)) {
                open_values_.push_back({objects_.size() - 1, cursor_.depth(), cursor_.offset()});
            }
            enter();
            end_values();
        }
    }

    /// What is in a value has been walked through once the cursor is back where it began.
    void end_values() {
        while (!open_values_.empty() && open_values_.back().depth == cursor_.depth()) {
            const OpenValue& value = open_values_.back();
            objects_[value.object].values.push_back({value.begin, cursor_.offset()});
            open_values_.pop_back();
        }
    }

    void close_object() {
        if (objects_.back().is_insufficient()) {
            cuts_.insert(cuts_.end(), objects_.back().values.begin(), objects_.back().values.end());
        }
        objects_.pop_back();
    }

    /// In the order of the document. A group inside of a value that is cut goes with it.
    std::vector<Cut> apart() {
        std::ranges::sort(cuts_, {}, &Cut::begin);
        std::vector<Cut> result;
        for (const Cut& cut : cuts_) {
            if (result.empty() || cut.begin >= result.back().end) {
                result.push_back(cut);
            }
        }
        return result;
    }

    /// A value that the cursor is in.
    struct OpenValue {
        std::size_t object = 0;  ///< of objects_, whose member it is
        std::size_t depth = 0;
        std::uint64_t begin = 0;
    };

    Cursor cursor_;
    std::vector<Object> objects_;
    std::vector<OpenValue> open_values_;
    std::vector<Cut> cuts_;
};

}  // namespace

std::vector<Cut> find_suppressed_values(std::string_view operation, core::ByteSource& source) {
    return Walk{operation, source}.find();
}

}  // namespace heiasync::documents
