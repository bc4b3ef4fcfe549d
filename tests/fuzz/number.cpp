#include "documents/number.hpp"

#include "fuzz/json.hpp"
#include "fuzz/property.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

namespace heiasync::fuzz {

namespace {

bool begins_like_a_number(std::string_view text) {
    return !text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9')) &&
           text.find_first_of(" \t\r\n") == std::string_view::npos;
}

void check_double(const std::string& number) {
    const double theirs = std::strtod(number.c_str(), nullptr);
    const auto ours = documents::to_double(number);
    require(!ours || *ours == theirs, "a double is what strtod reads");
    require(ours.has_value() || std::isinf(theirs) || std::abs(theirs) < 1e-300,
            "a number within a double's range is one");
}

void check_integer(const std::string& number) {
    const auto integer = documents::to_integer(number);
    const bool is_plain = number.find_first_of(".eE") == std::string::npos;
    if (integer) {
        require(documents::to_integer(std::to_string(*integer)) == integer, "an integer is read as it is written");
        require(documents::to_double(number) == static_cast<double>(*integer), "an integer is the number");
        require(documents::fits_numeric(number) || !is_plain, "an integer is a numeric");
    } else {
        constexpr std::size_t always_fits = 18;
        require(!is_plain || number.size() > always_fits, "what is written as an integer is one");
    }
}

}  // namespace

void check(std::string_view input) {
    const auto theirs = read_by_rapidjson(input);
    const bool is_number = documents::is_number(input);
    require(!theirs.usable || !begins_like_a_number(input) || theirs.events.has_value() == is_number,
            "what is a number is one to RapidJSON");
    if (is_number) {
        check_double(std::string{input});
        check_integer(std::string{input});
    }
}

}  // namespace heiasync::fuzz
