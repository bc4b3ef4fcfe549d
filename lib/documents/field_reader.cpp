#include "documents/field_reader.hpp"

#include "documents/number.hpp"
#include "documents/storable_writer.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace heiasync::documents {

namespace {

/// What core's parsers say of a text, as a value that may be absent.
template <class Parse>
auto parsed(Parse parse, std::string_view text) -> std::optional<decltype(parse(text))> {
    try {
        return parse(text);
    } catch (const std::invalid_argument&) {
        return std::nullopt;
    }
}

}  // namespace

void FieldReader::read(std::optional<bool>& field) {
    field = expect(ValueType::boolean) ? std::optional{cursor_->read_boolean()} : std::nullopt;
}

void FieldReader::read(bool& field) {
    std::optional<bool> value;
    read(value);
    field = value.value_or(false);
}

void FieldReader::read(std::optional<std::int64_t>& field) {
    const auto type = cursor_->type();
    const auto text = numeric_text(type);
    field = text ? to_integer(*text) : std::nullopt;
    if (!field) {
        note_other_type(type);
    }
}

void FieldReader::read(std::optional<double>& field) {
    const auto type = cursor_->type();
    const auto text = numeric_text(type);
    field = text ? to_double(*text) : std::nullopt;
    if (!field) {
        note_other_type(type);
    }
}

void FieldReader::read(std::optional<std::string>& field) {
    field = expect(ValueType::string) ? std::optional<std::string>{cursor_->read_string()} : std::nullopt;
}

void FieldReader::read(std::optional<core::Instant>& field) {
    field.reset();
    if (expect(ValueType::string)) {
        field = parsed(core::parse_instant, cursor_->read_string());
        if (!field) {
            note_other_type(ValueType::string);
        }
    }
}

void FieldReader::read(std::optional<core::Date>& field) {
    field.reset();
    if (expect(ValueType::string)) {
        field = parsed(core::parse_date, cursor_->read_string());
        if (!field) {
            note_other_type(ValueType::string);
        }
    }
}

void FieldReader::read(std::vector<std::int64_t>& field) {
    field.clear();
    const bool usable = list([this, &field] {
        std::optional<std::int64_t> value;
        read(value);
        if (value) {
            field.push_back(*value);
        }
    });
    if (!usable) {
        field.clear();
    }
}

void FieldReader::read(std::vector<std::string>& field) {
    field.clear();
    const bool usable = list([this, &field] {
        std::optional<std::string> value;
        read(value);
        if (value) {
            field.push_back(*std::move(value));
        }
    });
    if (!usable) {
        field.clear();
    }
}

void FieldReader::read(std::optional<Figures>& field) {
    if (!read(field.emplace())) {
        field.reset();
    }
}

bool FieldReader::read(Figures& field) {
    field.clear();
    if (!enter_array()) {
        return false;
    }
    bool too_long = false;
    for (bool more = true; more;) {
        field.append_plain(*cursor_);
        more = cursor_->next_element();
        if (more) {
            const auto type = cursor_->type();
            if (!field.append(numeric_text(type))) {
                note_other_type(type);
            }
        }
        if (field.size() > max_list) {
            too_long = true;
            field.clear();
        }
    }
    if (too_long) {
        field.clear();
        note_other_type(ValueType::array);
    }
    return !too_long;
}

void FieldReader::read_json(ValueType expected, std::optional<std::string>& field) {
    field.reset();
    if (!expect(expected)) {
        return;
    }
    core::StringSink sink;
    StorableWriter writer{sink};
    writer.copy(*cursor_);
    if (writer.finish() == DocumentStatus::too_large) {
        note_other_type(expected);
    } else {
        field = sink.text();
    }
}

std::optional<std::string> FieldReader::business_id() {
    const auto replacements = cursor_->replacements();
    std::optional<std::string> id;
    read(id);
    if (id && (id->size() > max_business_id || cursor_->replacements() != replacements)) {
        note_other_type(ValueType::string);
        return std::nullopt;
    }
    return id;
}

void FieldReader::read_key(std::int64_t& field) {
    const auto type = cursor_->type();
    const auto text = numeric_text(type);
    if (const auto value = text ? to_integer(*text) : std::nullopt) {
        field = *value;
    } else {
        reject(fmt::format("expected an integer of 64 bits, found {}", name_of(type)));
    }
}

void FieldReader::read_key(std::string& field) {
    if (cursor_->type() != ValueType::string) {
        reject_type("a string");
        return;
    }
    field = cursor_->read_string();
    if (field.empty()) {
        reject("is empty");
    }
}

bool FieldReader::enter_array() {
    const bool entered = expect(ValueType::array);
    if (entered) {
        cursor_->enter_array();
    }
    return entered;
}

bool FieldReader::enter_object(Cursor::Names names) {
    const bool entered = expect(ValueType::object);
    if (entered) {
        cursor_->enter_object(names);
    }
    return entered;
}

void FieldReader::enter_key_array() {
    if (cursor_->type() != ValueType::array) {
        reject_type("an array");
        require_keys();
    }
    cursor_->enter_array();
}

void FieldReader::note(Drift::Kind kind) {
    note(kind, cursor_->type());
}

void FieldReader::note_other_type(ValueType type) {
    if (type != ValueType::null) {
        note(Drift::Kind::other_type, type);
    }
}

void FieldReader::require_keys() const {
    if (rejection_) {
        throw DecodeError{*rejection_};
    }
}

bool FieldReader::expect(ValueType expected) {
    const auto type = cursor_->type();
    if (type == expected) {
        return true;
    }
    note_other_type(type);
    cursor_->skip();
    return false;
}

std::optional<std::string_view> FieldReader::numeric_text(ValueType type) {
    if (type == ValueType::number) {
        return cursor_->read_number();
    }
    if (type != ValueType::string) {
        cursor_->skip();
        return std::nullopt;
    }
    const auto text = cursor_->read_string();
    return is_number(text) ? std::optional{text} : std::nullopt;
}

void FieldReader::reject(const std::string& reason) {
    if (!rejection_) {
        rejection_ = cursor_->error(reason);
    }
}

void FieldReader::reject_type(std::string_view expected) {
    reject(fmt::format("expected {}, found {}", expected, name_of(cursor_->type())));
}

void FieldReader::note(Drift::Kind kind, ValueType type) {
    if (drift_.size() < max_drift) {
        drift_.insert({cursor_->pattern(), kind, std::string{name_of(type)}});
    }
}

}  // namespace heiasync::documents
