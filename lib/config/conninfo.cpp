#include "config/conninfo.hpp"

#include <boost/url/decode_view.hpp>
#include <boost/url/error.hpp>
#include <boost/url/pct_string_view.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace heiasync::config {
namespace {

constexpr std::string_view blanks = " \t\n\v\f\r";

bool is_secret(std::string_view key) {
    constexpr std::array keys{"password", "sslpassword", "oauth_client_secret"};
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// In a URL the name of a setting may be percent-encoded.
bool is_secret_parameter(std::string_view name) {
    const auto encoded = boost::urls::make_pct_string_view(name);
    if (!encoded) {
        return true;
    }
    const boost::urls::decode_view decoded = **encoded;
    return is_secret(std::string{decoded.begin(), decoded.end()});
}

/// `host:port,[address]:port`. Anything else in the place of a port is likely a password whose @ or / is not encoded,
/// which libpq would go on to print.
void check_hosts(std::string_view hosts) {
    for (std::size_t begin = 0; begin <= hosts.size();) {
        const std::size_t end = std::min(hosts.find(',', begin), hosts.size());
        std::string_view host = hosts.substr(begin, end - begin);
        const std::size_t bracket = host.starts_with('[') ? host.find(']') : 0;
        if (bracket == std::string_view::npos) {
            throw std::invalid_argument{expected_conninfo};
        }
        host.remove_prefix(bracket);
        const std::size_t colon = std::min(host.find(':'), host.size());
        const std::string_view port = host.substr(std::min(colon + 1, host.size()));
        if (host.find('@') != std::string_view::npos ||
            port.find_first_not_of("0123456789") != std::string_view::npos) {
            throw std::invalid_argument{expected_conninfo};
        }
        begin = end + 1;
    }
}

void find_in_parameters(std::string_view url, std::size_t query, std::vector<Span>& passwords) {
    for (std::size_t begin = query; begin < url.size();) {
        const std::size_t name = begin + 1;
        const std::size_t end = std::min(url.find('&', name), url.size());
        const std::size_t equals = url.find('=', name);
        if (equals >= end) {
            throw std::invalid_argument{expected_conninfo};
        }
        if (equals + 1 < end && is_secret_parameter(url.substr(name, equals - name))) {
            passwords.push_back({equals + 1, end});
        }
        begin = end;
    }
}

/// `postgresql://user:password@host,host/database?name=value&name=value`, taken apart where libpq does.
std::vector<Span> find_in_url(std::string_view url, std::size_t authority) {
    std::vector<Span> passwords;
    std::size_t hosts = authority;
    const std::size_t at = url.find_first_of("@/", authority);
    if (at != std::string_view::npos && url[at] == '@') {
        const std::size_t colon = url.substr(0, at).find(':', authority);
        if (colon != std::string_view::npos && colon + 1 < at) {
            passwords.push_back({colon + 1, at});
        }
        hosts = at + 1;
    }
    const std::size_t query = std::min(url.find('?', hosts), url.size());
    const std::size_t path = std::min(url.find('/', hosts), query);
    check_hosts(url.substr(hosts, path - hosts));
    // An @ after the ? belongs to a parameter only because of a / before it, which may be a password's.
    const bool misread_once_masked =
        hosts == authority && path == query && url.find('@', query) != std::string_view::npos;
    if (url.substr(path, query - path).find('@') != std::string_view::npos || misread_once_masked) {
        throw std::invalid_argument{expected_conninfo};
    }
    find_in_parameters(url, query, passwords);
    return passwords;
}

/// The end of a value: after its closing quote, or before the next blank. A backslash takes the next character as it
/// is.
std::size_t end_of_value(std::string_view text, std::size_t begin) {
    const bool quoted = text.substr(begin).starts_with('\'');
    std::size_t position = quoted ? begin + 1 : begin;
    for (; position < text.size(); ++position) {
        if (text[position] == '\\') {
            ++position;
        } else if (quoted && text[position] == '\'') {
            return position + 1;
        } else if (!quoted && blanks.find(text[position]) != std::string_view::npos) {
            return position;
        }
    }
    if (quoted) {
        throw std::invalid_argument{expected_conninfo};
    }
    return text.size();
}

/// `name = value name='quoted value'`.
std::vector<Span> find_in_settings(std::string_view text) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz_";
    std::vector<Span> passwords;
    const auto skip_blanks = [text](std::size_t from) {
        return std::min(text.find_first_not_of(blanks, from), text.size());
    };
    for (std::size_t name = skip_blanks(0); name < text.size();) {
        const std::size_t name_end = std::min(text.find_first_not_of(letters, name), text.size());
        const std::size_t equals = skip_blanks(name_end);
        if (name_end == name || equals == text.size() || text[equals] != '=') {
            throw std::invalid_argument{expected_conninfo};
        }
        const std::size_t value = skip_blanks(equals + 1);
        const std::size_t value_end = end_of_value(text, value);
        const std::string_view given = text.substr(value, value_end - value);
        const bool is_empty = given.empty() || given == "''" || given == "\\";
        if (!is_empty && is_secret(text.substr(name, name_end - name))) {
            // Another setting may follow a closing quote at once.
            const std::size_t quote = given.front() == '\'' ? 1 : 0;
            passwords.push_back({value + quote, value_end - quote});
        }
        name = skip_blanks(value_end);
    }
    return passwords;
}

}  // namespace

std::vector<Span> find_passwords(std::string_view conninfo) {
    for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
        if (conninfo.starts_with(scheme)) {
            return find_in_url(conninfo, scheme.size());
        }
    }
    return find_in_settings(conninfo);
}

std::string mask_passwords(std::string_view conninfo) {
    std::string masked;
    std::size_t position = 0;
    for (const auto& [begin, end] : find_passwords(conninfo)) {
        masked += conninfo.substr(position, begin - position);
        masked += "***";
        position = end;
    }
    masked += conninfo.substr(position);
    return masked;
}

}  // namespace heiasync::config
