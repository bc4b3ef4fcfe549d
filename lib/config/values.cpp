#include "config/values.hpp"

#include "config/conninfo.hpp"
#include "core/duration.hpp"
#include "core/nearest.hpp"
#include "core/size.hpp"

#include <boost/url/authority_view.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <date/tz.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace heiasync::config {
namespace {

namespace urls = boost::urls;

bool is_control(char character) {
    const auto code = static_cast<unsigned char>(character);
    return code < 0x20 || code == 0x7f;
}

/// A scalar that stands without quotes: the only form that a number or a boolean may have.
bool is_plain(const YAML::Node& node) {
    return node.IsScalar() && node.Tag() == "?";
}

/// The text of any scalar but null.
std::string scalar_or(const YAML::Node& node, std::string_view expected) {
    if (!node.IsScalar()) {
        throw std::invalid_argument{std::string{expected}};
    }
    return node.Scalar();
}

/// Digits without a leading zero, which YAML 1.1 takes for octal, perhaps with a minus sign.
std::optional<long long> decimal(const YAML::Node& node) {
    if (!is_plain(node)) {
        return std::nullopt;
    }
    const std::string& digits = node.Scalar();
    long long number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, number);
    if (rest != end || error == std::errc::invalid_argument || digits.starts_with("0") != (number == 0) ||
        (number == 0 && digits.size() > 1)) {
        return std::nullopt;
    }
    return error == std::errc{} ? number : std::numeric_limits<long long>::max();
}

bool is_loopback(const urls::authority_view& authority) {
    switch (authority.host_type()) {
        case urls::host_type::ipv4:
            return authority.host_ipv4_address().is_loopback();
        case urls::host_type::ipv6:
            return authority.host_ipv6_address().is_loopback();
        default:
            return authority.host() == "localhost";
    }
}

/// 1 to 65535. Boost.URL 1.81 has a number for any digits: 99999 is 34463 to it.
bool is_port(std::string_view digits) {
    std::uint16_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, number);
    return error == std::errc{} && rest == end && number > 0;
}

/// A host and, where there is a colon, a port after it.
bool is_server(const urls::authority_view& authority) {
    const auto port = authority.port();
    return !authority.has_userinfo() && !authority.host().empty() &&
           (!authority.has_port() || is_port({port.data(), port.size()}));
}

/// Names would have to be looked up while signals wait.
bool is_address_or_localhost(const urls::authority_view& authority) {
    switch (authority.host_type()) {
        case urls::host_type::ipv4:
        case urls::host_type::ipv6:
            return true;
        default:
            return authority.encoded_host() == "localhost";
    }
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
    const auto candidate = core::nearest(word, candidates);
    return candidate ? fmt::format("; did you mean \"{}\"?", *candidate) : std::string{};
}

std::string text(const YAML::Node& node) {
    std::string text = scalar_or(node, "expected a text");
    if (text.empty() || std::any_of(text.begin(), text.end(), is_control)) {
        throw std::invalid_argument{"expected a text in one line, not empty"};
    }
    return text;
}

bool boolean(const YAML::Node& node) {
    if (!is_plain(node) || (node.Scalar() != "true" && node.Scalar() != "false")) {
        throw std::invalid_argument{"expected true or false"};
    }
    return node.Scalar() == "true";
}

int Integer::operator()(const YAML::Node& node) const {
    const auto number = decimal(node);
    if (!number || *number < least_ || *number > most_) {
        throw std::invalid_argument{fmt::format("expected a whole number from {} to {}", least_, most_)};
    }
    return static_cast<int>(*number);
}

int IntegerOf::operator()(const YAML::Node& node) const {
    const auto number = decimal(node);
    if (!number || std::find(allowed_.begin(), allowed_.end(), *number) == allowed_.end()) {
        throw std::invalid_argument{fmt::format("expected one of {}", fmt::join(allowed_, ", "))};
    }
    return static_cast<int>(*number);
}

std::vector<int> IntegersOf::operator()(const YAML::Node& node) const {
    if (!node.IsSequence() || node.size() == 0) {
        throw std::invalid_argument{"expected a list of at least one number, such as [50, 10000]"};
    }
    std::vector<int> numbers;
    std::transform(node.begin(), node.end(), std::back_inserter(numbers), item_);
    std::sort(numbers.begin(), numbers.end());
    if (std::adjacent_find(numbers.begin(), numbers.end()) != numbers.end()) {
        throw std::invalid_argument{"the same number is given twice"};
    }
    return numbers;
}

std::chrono::milliseconds Duration::operator()(const YAML::Node& node) const {
    const auto duration = core::parse_duration(scalar_or(node, "expected a length of time, such as 30s"));
    if (duration < least_ || duration > most_) {
        throw std::invalid_argument{fmt::format("expected a length of time from {} to {}",
                                                core::format_duration(least_), core::format_duration(most_))};
    }
    return duration;
}

std::uint64_t Size::operator()(const YAML::Node& node) const {
    const auto size = core::parse_size(scalar_or(node, "expected a size, such as 200MiB"));
    if (size < least_ || size > most_) {
        throw std::invalid_argument{
            fmt::format("expected a size from {} to {}", core::format_size(least_), core::format_size(most_))};
    }
    return size;
}

std::size_t index_of(const YAML::Node& node, const std::vector<std::string>& words) {
    const std::string expected = fmt::format("expected one of {}", fmt::join(words, ", "));
    const std::string word = scalar_or(node, expected);
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) {
        throw std::invalid_argument{expected + did_you_mean(word, words)};
    }
    return static_cast<std::size_t>(found - words.begin());
}

std::string email(const YAML::Node& node) {
    constexpr const char* expected = "expected an e-mail address";
    std::string address = scalar_or(node, expected);
    const auto at = address.find('@');
    const bool odd =
        std::any_of(address.begin(), address.end(), [](char each) { return is_control(each) || each == ' '; });
    if (at == std::string::npos || at == 0 || at + 1 == address.size() || odd) {
        throw std::invalid_argument{expected};
    }
    return address;
}

std::string base_url(const YAML::Node& node) {
    constexpr const char* expected = "expected an absolute URL, such as https://api.heiaheia.com";
    std::string url = scalar_or(node, expected);
    const auto parsed = urls::parse_uri(url);
    if (!parsed || !parsed->has_authority()) {
        throw std::invalid_argument{expected};
    }
    if (parsed->has_userinfo() || parsed->has_query() || parsed->has_fragment()) {
        throw std::invalid_argument{"expected a URL without user name, query and fragment"};
    }
    if (!is_server(parsed->authority())) {
        throw std::invalid_argument{expected};
    }
    // Boost.URL 1.81 takes the beginning of 127.0.0.1.example.com for an address, and the rest for a path.
    if (!parsed->encoded_path().empty() && !parsed->encoded_path().starts_with('/')) {
        throw std::invalid_argument{expected};
    }
    if (parsed->scheme() != "https" && !(parsed->scheme() == "http" && is_loopback(parsed->authority()))) {
        throw std::invalid_argument{"expected https; http would show the token, and is for a loopback address only"};
    }
    return url;
}

std::string proxy(const YAML::Node& node) {
    constexpr const char* expected = "expected null or http://host:port";
    std::string url = scalar_or(node, expected);
    const auto parsed = urls::parse_uri(url);
    if (!parsed || !parsed->has_authority()) {
        throw std::invalid_argument{expected};
    }
    if (parsed->has_userinfo()) {
        throw std::invalid_argument{
            "expected http://host:port without user name and password; https_proxy in the environment may carry them"};
    }
    const bool bare = (parsed->encoded_path().empty() || parsed->encoded_path() == "/") && !parsed->has_query() &&
                      !parsed->has_fragment();
    if (parsed->scheme() != "http" || !is_server(parsed->authority()) || !parsed->has_port() || !bare) {
        throw std::invalid_argument{expected};
    }
    return url;
}

std::string listen_address(const YAML::Node& node) {
    constexpr const char* expected =
        "expected null or host:port, such as 127.0.0.1:9464: an address or localhost, and a port from 1 to 65535";
    std::string address = scalar_or(node, expected);
    const auto parsed = urls::parse_authority(address);
    if (!parsed || !is_server(*parsed) || !parsed->has_port() || !is_address_or_localhost(*parsed)) {
        throw std::invalid_argument{expected};
    }
    return address;
}

std::string database_url(const YAML::Node& node) {
    std::string url = scalar_or(node, expected_conninfo);
    (void)find_passwords(url);
    return url;
}

std::string time_zone(const YAML::Node& node) {
    constexpr const char* expected = "expected the name of a time zone, such as Europe/Helsinki";
    std::string name = scalar_or(node, expected);
    std::vector<std::string> names;
    for (const auto& zone : date::get_tzdb().zones) {
        names.push_back(zone.name());
    }
    // The machine's own is no name of a zone: it would mean something else on the next machine.
    std::erase(names, "localtime");
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        throw std::invalid_argument{expected + did_you_mean(name, names)};
    }
    return name;
}

std::chrono::minutes time_of_day(const YAML::Node& node) {
    constexpr const char* expected = R"(expected a time of day from "00:00" to "23:59")";
    const std::string time = scalar_or(node, expected);
    const auto digit = [&time](std::size_t position) { return time[position] - '0'; };
    const auto is_digit = [](char each) { return each >= '0' && each <= '9'; };
    if (time.size() != 5 || time[2] != ':' || std::count_if(time.begin(), time.end(), is_digit) != 4) {
        throw std::invalid_argument{expected};
    }
    const std::chrono::hours hour{digit(0) * 10 + digit(1)};
    const std::chrono::minutes minute{digit(3) * 10 + digit(4)};
    if (hour.count() > 23 || minute.count() > 59) {
        throw std::invalid_argument{expected};
    }
    return hour + minute;
}

SecretText secret_text(const YAML::Node& node) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    std::string secret = text(node);
    if (!secret.starts_with("${")) {
        return {std::nullopt, core::Secret{std::move(secret)}};
    }
    const std::string variable = secret.substr(2, secret.size() - std::min<std::size_t>(secret.size(), 3));
    if (!secret.ends_with('}') || variable.empty() || variable.find_first_not_of(letters) != std::string::npos) {
        throw std::invalid_argument{"expected the name of an environment variable, such as ${CLIENT_SECRET}"};
    }
    return {variable, std::nullopt};
}

}  // namespace heiasync::config
