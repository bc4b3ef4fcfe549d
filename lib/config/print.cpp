#include "config/config.hpp"
#include "config/conninfo.hpp"
#include "config/names.hpp"
#include "core/duration.hpp"
#include "core/size.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace heiasync::config {
namespace {

using core::format_duration;

std::string in_quotes(std::string_view text) {
    std::string quoted = "\"";
    for (const char character : text) {
        const bool is_control = (character >= '\0' && character < ' ') || character == '\x7f';
        if (is_control) {
            quoted += fmt::format("\\x{:02x}", static_cast<unsigned>(character));
            continue;
        }
        if (character == '"' || character == '\\') {
            quoted += '\\';
        }
        quoted += character;
    }
    return quoted + '"';
}

std::string in_quotes_or_null(const std::optional<std::string>& text) {
    return text ? in_quotes(*text) : "null";
}

std::string in_quotes_or_null(const std::optional<std::filesystem::path>& path) {
    return path ? in_quotes(path->string()) : "null";
}

std::string database_url(const std::optional<std::string>& url) {
    return url ? in_quotes(mask_passwords(*url)) : "null";
}

/// Key and value: `client_secret_file: "..."`, or the key for what is written in the configuration itself.
std::string secret(const SecretSource& source) {
    if (source.environment) {
        return fmt::format("{}: ${{{}}}", source.name, *source.environment);
    }
    return source.literal ? fmt::format("{}: {}", source.name, in_quotes(fmt::format("{}", *source.literal)))
                          : fmt::format("{}_file: {}", source.name, in_quotes_or_null(source.file));
}

std::string time_of_day(std::chrono::minutes time) {
    return fmt::format("\"{:02}:{:02}\"", time.count() / 60, time.count() % 60);
}

template <class Table, class Value>
std::string_view word_for(const Table& table, Value value) {
    return std::find_if(table.begin(), table.end(), [value](const auto& entry) { return entry.second == value; })
        ->first;
}

std::string print_api(const Api& api) {
    return fmt::format(
        R"(api:
  base_url: {base_url}
  email: {email}
  client_id: {client_id}
  {client_secret}
  {magic_token}
  time_zone: {time_zone}
  size_classes: [{size_classes}]
  per_page: {per_page}
  min_request_interval: {min_request_interval}
  connect_timeout: {connect_timeout}
  request_timeout: {request_timeout}
  max_response_size: {max_response_size}
  retry:
    attempts: {attempts}
    base_delay: {base_delay}
    max_delay: {max_delay}
  ca_file: {ca_file}
  proxy: {proxy}
)",
        fmt::arg("base_url", in_quotes(api.base_url)), fmt::arg("email", in_quotes(api.email)),
        fmt::arg("client_id", in_quotes(api.client_id)), fmt::arg("client_secret", secret(api.client_secret)),
        fmt::arg("magic_token", secret(api.magic_token)), fmt::arg("time_zone", in_quotes(api.time_zone)),
        fmt::arg("size_classes", fmt::join(api.size_classes, ", ")), fmt::arg("per_page", api.per_page),
        fmt::arg("min_request_interval", format_duration(api.min_request_interval)),
        fmt::arg("connect_timeout", format_duration(api.connect_timeout)),
        fmt::arg("request_timeout", format_duration(api.request_timeout)),
        fmt::arg("max_response_size", core::format_size(api.max_response_size)),
        fmt::arg("attempts", api.retry.attempts), fmt::arg("base_delay", format_duration(api.retry.base_delay)),
        fmt::arg("max_delay", format_duration(api.retry.max_delay)),
        fmt::arg("ca_file", in_quotes_or_null(api.ca_file)), fmt::arg("proxy", in_quotes_or_null(api.proxy)));
}

std::string print_others(const Config& config) {
    return fmt::format(
        R"(schedule:
  time_zone: {time_zone}
  daily_at: {daily_at}
  retry_interval: {retry_interval}
energy_levels:
  minimum_accepted_members: {minimum_accepted_members}
  reporting_period_months: {reporting_period_months}
  max_days_late: {max_days_late}
safety:
  max_vanished_percent: {max_vanished_percent}
business_ids:
  stats: {stats}
  energy_levels: {energy_levels}
database:
  url: {url}
  owner_url: {owner_url}
  migrate_on_start: {migrate_on_start}
status:
  listen: {listen}
log:
  level: {level}
  format: {format}
)",
        fmt::arg("time_zone", in_quotes(config.schedule.time_zone)),
        fmt::arg("daily_at", time_of_day(config.schedule.daily_at)),
        fmt::arg("retry_interval", format_duration(config.schedule.retry_interval)),
        fmt::arg("minimum_accepted_members", config.energy_levels.minimum_accepted_members),
        fmt::arg("reporting_period_months", config.energy_levels.reporting_period_months),
        fmt::arg("max_days_late", config.energy_levels.max_days_late),
        fmt::arg("max_vanished_percent", config.safety.max_vanished_percent),
        fmt::arg("stats", config.business_ids.stats), fmt::arg("energy_levels", config.business_ids.energy_levels),
        fmt::arg("url", database_url(config.database.url)),
        fmt::arg("owner_url", database_url(config.database.owner_url)),
        fmt::arg("migrate_on_start", config.database.migrate_on_start),
        fmt::arg("listen", in_quotes_or_null(config.status.listen)),
        fmt::arg("level", word_for(log_levels, config.log.level)),
        fmt::arg("format", word_for(log_formats, config.log.format)));
}

}  // namespace

std::string print(const Config& config) {
    return print_api(config.api) + print_others(config);
}

}  // namespace heiasync::config
