#pragma once

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace heiasync::simulator {

/// A number with four decimals, so that equal figures are equal bytes: 31'700 is 3.17, 50'000 is 5.
struct Decimal {
    std::int64_t ten_thousandths = 0;
};

/// Writes JSON in the order of the calls.
class JsonText {
public:
    JsonText& key(std::string_view name) {
        writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
        return *this;
    }

    void value(std::nullptr_t) { writer_.Null(); }
    void value(bool truth) { writer_.Bool(truth); }
    void value(std::integral auto number) { writer_.Int64(static_cast<std::int64_t>(number)); }
    void value(std::string_view text) { writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size())); }
    void value(const std::string& text) { value(std::string_view{text}); }
    void value(const char* text) { value(std::string_view{text}); }
    void value(Decimal number) {
        fmt::memory_buffer text;
        const auto whole = number.ten_thousandths / 10'000;
        auto fraction = number.ten_thousandths % 10'000;
        fmt::format_to(std::back_inserter(text), "{}", whole);
        if (fraction != 0) {
            int digits = 4;
            for (; fraction % 10 == 0; --digits) {
                fraction /= 10;
            }
            fmt::format_to(std::back_inserter(text), ".{:0{}}", fraction, digits);
        }
        writer_.RawValue(text.data(), text.size(), rapidjson::kNumberType);
    }
    template <class Value>
    void value(const std::optional<Value>& perhaps) {
        if (perhaps) {
            value(*perhaps);
        } else {
            value(nullptr);
        }
    }
    /// A value that is JSON already.
    void raw(std::string_view json) { writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType); }

    template <class Value>
    void member(std::string_view name, const Value& content) {
        key(name).value(content);
    }
    template <class Value>
    void member_where_known(std::string_view name, const std::optional<Value>& content) {
        if (content) {
            member(name, *content);
        }
    }

    template <std::invocable Fill>
    void object(Fill&& fill) {
        writer_.StartObject();
        std::forward<Fill>(fill)();
        writer_.EndObject();
    }
    template <std::invocable Fill>
    void object(std::string_view name, Fill&& fill) {
        key(name).object(std::forward<Fill>(fill));
    }
    template <std::invocable Fill>
    void array(Fill&& fill) {
        writer_.StartArray();
        std::forward<Fill>(fill)();
        writer_.EndArray();
    }
    template <std::invocable Fill>
    void array(std::string_view name, Fill&& fill) {
        key(name).array(std::forward<Fill>(fill));
    }

    [[nodiscard]] std::string text() const { return {buffer_.GetString(), buffer_.GetSize()}; }

private:
    rapidjson::StringBuffer buffer_;
    rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

}  // namespace heiasync::simulator
