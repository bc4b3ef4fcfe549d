#pragma once

#include "core/instant.hpp"
#include "documents/cursor.hpp"
#include "documents/drift.hpp"
#include "documents/figures.hpp"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync::documents {

class FieldReader;

/// A member of an object that becomes a `Target`, as the vendor's document names it.
template <class Target>
struct Member {
    enum class Need { optional, key };

    std::string_view name;
    void (*read)(FieldReader&, Target&) = nullptr;  ///< reads the value or leaves it; nullptr: documented, and not used
    Need need = Need::optional;                     ///< without its key members an object is rejected
};

/// Reads fields with the tolerance we owe a server that moves on: what is unknown or of another type is noted as drift
/// and has no value, null has none either. Only a key member that is missing or of another type is a failure.
///
/// Integers and figures may be written as strings ("26") and integers as floats (26.0) where nothing is lost: the
/// vendor's own examples do it. Where a member stands twice in an object, the first counts, since it may have been
/// handed on, and the other one is noted as drift.
class FieldReader {
public:
    /// A list of more values than this, where we would keep them all, is of another type than documented.
    static constexpr std::size_t max_list = 10'000;
    /// What is kept of the drift of one answer.
    static constexpr std::size_t max_drift = 200;
    /// Longer business ids could not be keys in the database.
    static constexpr std::size_t max_business_id = 255;

    explicit FieldReader(Cursor& cursor) : cursor_{&cursor} {}

    [[nodiscard]] Cursor& cursor() { return *cursor_; }

    void read(std::optional<bool>& field);
    void read(bool& field);  ///< false where there is no value
    void read(std::optional<std::int64_t>& field);
    void read(std::optional<double>& field);
    void read(std::optional<std::string>& field);
    void read(std::optional<core::Instant>& field);
    void read(std::optional<core::Date>& field);
    void read(std::vector<std::int64_t>& field);
    void read(std::vector<std::string>& field);
    void read(std::optional<Figures>& field);
    bool read(Figures& field);  ///< false, and none, where there is no list

    /// A value of one type, null aside, as storable JSON text.
    void read_json(ValueType expected, std::optional<std::string>& field);
    /// A business id that can be asked for and stored as it is: not long, nothing in it replaced.
    [[nodiscard]] std::optional<std::string> business_id();

    void read_key(std::int64_t& field);
    void read_key(std::string& field);  ///< not empty

    /// Reads the object at hand by its members; `other` takes those that are not among them, with its name and unread.
    /// Nothing but null and an object is expected: anything else is drift. Returns whether it was an object.
    template <class Target, std::size_t Count>
    bool object(const std::array<Member<Target>, Count>& members, Target& target,
                void (*other)(FieldReader&, std::string_view, Target&) = nullptr);
    /// The same for an object that must be one.
    template <class Target, std::size_t Count>
    void key_object(const std::array<Member<Target>, Count>& members, Target& target,
                    void (*other)(FieldReader&, std::string_view, Target&) = nullptr);

    /// Enters the array or object at hand and returns true; where there is none, that is drift unless it is null.
    bool enter_array();
    bool enter_object(Cursor::Names names = Cursor::Names::shown);
    /// Enters the array at hand, or throws DecodeError.
    void enter_key_array();
    /// Calls `read_element()` for each element of the array at hand; false where the list is not to be used.
    template <class ReadElement>
    bool list(ReadElement read_element);

    /// Notes the value at hand, which is left unread, as drift.
    void note(Drift::Kind kind);
    /// The same for one of another type, which must be at hand or just have been read; null is none.
    void note_other_type(ValueType type);

    /// The value at hand, or just read, cannot be done without.
    void reject(const std::string& reason);
    /// The first failure of a key member since the last call.
    [[nodiscard]] std::optional<DecodeError> take_rejection() { return std::exchange(rejection_, std::nullopt); }
    /// Throws it, if there is one.
    void require_keys() const;

    [[nodiscard]] std::vector<Drift> drift() const { return {drift_.begin(), drift_.end()}; }

private:
    /// Whether a value of this type is at hand; anything else is skipped, and drift unless it is null.
    bool expect(ValueType expected);
    /// The text of a number, or of a string that holds one.
    std::optional<std::string_view> numeric_text(ValueType type);
    void reject_type(std::string_view expected);
    void note(Drift::Kind kind, ValueType type);

    Cursor* cursor_;
    std::set<Drift> drift_;
    std::optional<DecodeError> rejection_;
};

template <class>
struct MemberPointer;
template <class Class, class Field>
struct MemberPointer<Field Class::*> {
    using Target = Class;
};
template <auto Field>
using TargetOf = typename MemberPointer<decltype(Field)>::Target;

/// Reads a member into this field.
template <auto Field>
void into(FieldReader& reader, TargetOf<Field>& target) {
    reader.read(target.*Field);
}

/// The same for a key member.
template <auto Field>
void into_key(FieldReader& reader, TargetOf<Field>& target) {
    reader.read_key(target.*Field);
}

/// Keeps a member as JSON text.
template <auto Field, ValueType expected>
void into_json(FieldReader& reader, TargetOf<Field>& target) {
    reader.read_json(expected, target.*Field);
}

/// The index of a member, or Count. The search begins at `next`: members tend to come in the order of the document.
template <class Target, std::size_t Count>
std::size_t find_member(const std::array<Member<Target>, Count>& members, std::string_view name, std::size_t next) {
    for (std::size_t tried = 0; tried < Count; ++tried) {
        const auto index = (next + tried) % Count;
        if (members[index].name == name) {
            return index;
        }
    }
    return Count;
}

template <class Target, std::size_t Count>
bool FieldReader::object(const std::array<Member<Target>, Count>& members, Target& target,
                         void (*other)(FieldReader&, std::string_view, Target&)) {
    if (!enter_object()) {
        return false;
    }
    std::bitset<Count> met;
    std::size_t next = 0;
    while (const auto name = cursor_->next_member()) {
        const auto index = find_member(members, *name, next);
        if (index == Count) {
            note(Drift::Kind::unknown_field);
            if (other != nullptr) {
                other(*this, *name, target);
            }
            continue;
        }
        next = index + 1;
        if (met[index]) {
            note(Drift::Kind::duplicate_field);
        } else if (members[index].read != nullptr) {
            members[index].read(*this, target);
        }
        met.set(index);
    }
    for (std::size_t i = 0; i < Count; ++i) {
        if (members[i].need == Member<Target>::Need::key && !met[i]) {
            reject("`" + std::string{members[i].name} + "` is missing");
        }
    }
    return true;
}

template <class Target, std::size_t Count>
void FieldReader::key_object(const std::array<Member<Target>, Count>& members, Target& target,
                             void (*other)(FieldReader&, std::string_view, Target&)) {
    if (cursor_->type() == ValueType::object) {
        object(members, target, other);
    } else {
        reject_type("an object");
    }
}

template <class ReadElement>
bool FieldReader::list(ReadElement read_element) {
    if (!enter_array()) {
        return false;
    }
    std::size_t count = 0;
    while (cursor_->next_element()) {
        if (++count <= max_list) {
            read_element();
        }
    }
    if (count > max_list) {
        note_other_type(ValueType::array);
    }
    return count <= max_list;
}

}  // namespace heiasync::documents
