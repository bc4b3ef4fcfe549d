#include "fuzz/json.hpp"

#include "fuzz/property.hpp"

#include <rapidjson/encodings.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

namespace heiasync::fuzz {

namespace {

/// Handler of rapidjson::Reader.
class Events {
public:
    bool Null() { return add("null", {}); }
    bool Bool(bool value) { return add(value ? "true" : "false", {}); }
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool) { return add("#", {text, length}); }
    bool String(const char* text, rapidjson::SizeType length, bool) { return add("'", {text, length}); }
    bool StartObject() { return add("{", {}); }
    bool Key(const char* text, rapidjson::SizeType length, bool) { return add(".", {text, length}); }
    bool EndObject(rapidjson::SizeType) { return add("}", {}); }
    bool StartArray() { return add("[", {}); }
    bool EndArray(rapidjson::SizeType) { return add("]", {}); }

    [[nodiscard]] const std::string& text() const { return text_; }

private:
    bool add(std::string_view event, std::string_view text) {
        text_ += event;
        text_ += text;
        text_ += '\n';
        return true;
    }

    std::string text_;
};

struct NoOutput {
    void Put(char) {}
};

}  // namespace

bool is_storable(std::string_view text) {
    rapidjson::MemoryStream stream{text.data(), text.size()};
    NoOutput nowhere;
    bool valid = text.find('\0') == std::string_view::npos;
    while (valid && stream.Tell() < text.size()) {
        valid = rapidjson::UTF8<>::Validate(stream, nowhere);
    }
    return valid;
}

Reading read_by_rapidjson(std::string_view json, Encoding encoding) {
    constexpr unsigned flags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag;
    rapidjson::MemoryStream stream{json.data(), json.size()};
    rapidjson::Reader reader;
    Events events;
    if (encoding == Encoding::any) {
        reader.Parse<flags>(stream, events);
    } else {
        reader.Parse<flags | rapidjson::kParseValidateEncodingFlag>(stream, events);
    }
    Reading reading;
    if (!reader.HasParseError()) {
        reading.events = events.text();
    }
    // A NUL is the end to it.
    reading.usable = reader.GetParseErrorCode() != rapidjson::kParseErrorStringUnicodeSurrogateInvalid &&
                     reader.GetParseErrorCode() != rapidjson::kParseErrorNumberTooBig &&
                     json.find('\0') == std::string_view::npos;
    return reading;
}

std::string require_storable_json(std::string_view json) {
    require(is_storable(json), "what is stored as JSON is UTF-8 without NUL");
    const auto reading = read_by_rapidjson(json, Encoding::utf8);
    require(reading.events || !reading.usable, "what is stored as JSON is JSON");
    require(is_storable(reading.events.value_or("")), "no string of what is stored as JSON holds a NUL");
    return reading.events.value_or("");
}

}  // namespace heiasync::fuzz
