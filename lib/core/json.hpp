#pragma once

#include "core/instant.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heiasync::core {

/// JSON text in the making, on one line. Instants are ISO 8601 in UTC, dates `YYYY-MM-DD`, what is absent null.
class Json {
public:
    void begin_object() { writer_.StartObject(); }
    void end_object() { writer_.EndObject(); }
    void begin_array() { writer_.StartArray(); }
    void end_array() { writer_.EndArray(); }
    void key(std::string_view name) { writer_.Key(name.data(), length(name)); }

    void value(std::string_view text) { writer_.String(text.data(), length(text)); }
    void value(const std::string& text) { value(std::string_view{text}); }
    void value(const char* text) { value(std::string_view{text}); }
    void value(std::int64_t number) { writer_.Int64(number); }
    void value(int number) { writer_.Int(number); }
    void value(std::same_as<bool> auto flag) { writer_.Bool(flag); }
    void value(Instant instant) { value(format_instant(instant)); }
    void value(Date date) { value(format_date(date)); }
    void value(std::nullopt_t /*none*/) { writer_.Null(); }
    template <class T>
    void value(const std::optional<T>& optional) {
        if (optional) {
            value(*optional);
        } else {
            writer_.Null();
        }
    }

    template <class T>
    void member(std::string_view name, const T& content) {
        key(name);
        value(content);
    }

    [[nodiscard]] std::string text() const { return buffer_.GetString(); }

private:
    static rapidjson::SizeType length(std::string_view text) { return static_cast<rapidjson::SizeType>(text.size()); }

    rapidjson::StringBuffer buffer_;
    rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

}  // namespace heiasync::core
