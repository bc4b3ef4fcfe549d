#pragma once

#include "core/secret.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace heiasync::config {

/// A secret that is named in the configuration but not opened yet: at most one of the three is set. Where none is,
/// `$CREDENTIALS_DIRECTORY/<name>` is looked at when the secret is read.
struct SecretSource {
    std::string name;  ///< `magic_token` or `client_secret`, the credential's name for systemd
    std::optional<std::filesystem::path> file = std::nullopt;  ///< `<name>_file`
    std::optional<std::string> environment = std::nullopt;     ///< the variable of `<name>: ${VARIABLE}`
    std::optional<core::Secret> literal = std::nullopt;        ///< written into the configuration itself
};

struct Retry {
    int attempts = 5;  ///< of one request, the first included; 1 to 20
    std::chrono::milliseconds base_delay{1000};
    std::chrono::milliseconds max_delay{60'000};
};

struct Api {
    std::string base_url = "https://api.heiaheia.com";
    std::string email;
    std::string client_id;
    SecretSource client_secret{"client_secret"};
    SecretSource magic_token{"magic_token"};
    std::string time_zone = "Europe/Helsinki";    ///< the vendor's, an IANA name
    std::vector<int> size_classes = {50, 10000};  ///< of 20, 50, 10000; no double, ascending
    int per_page = 500;                           ///< 1 to 500
    std::chrono::milliseconds min_request_interval{0};
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds request_timeout{60'000};
    std::uint64_t max_response_size = 200ULL << 20U;  ///< bytes, after content decoding
    Retry retry;
    std::optional<std::filesystem::path> ca_file;
    std::optional<std::string> proxy;  ///< `http://host:port`; unset: from https_proxy / no_proxy
};

struct Schedule {
    std::string time_zone = "Europe/Helsinki";
    std::chrono::minutes daily_at{4 * 60 + 30};  ///< local time of day
    std::chrono::milliseconds retry_interval{3'600'000};
};

struct EnergyLevels {
    int minimum_accepted_members = 5;
    int reporting_period_months = 1;  ///< 1, 2, 3, 4, 6 or 12
    int max_days_late = 7;
};

struct Safety {
    int max_vanished_percent = 20;  ///< 0 to 100
};

struct BusinessIds {
    bool stats = true;
    bool energy_levels = true;
};

struct Database {
    std::string url = "postgresql:///heiasync";  ///< anything libpq takes
    std::optional<std::string> owner_url;
    bool migrate_on_start = true;
};

struct Status {
    std::optional<std::string> listen = "127.0.0.1:9464";  ///< `host:port`; unset: no endpoint
};

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

struct Log {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
};

struct Config {
    std::filesystem::path file;  ///< where it was read from
    Api api;
    Schedule schedule;
    EnergyLevels energy_levels;
    Safety safety;
    BusinessIds business_ids;
    Database database;
    Status status;
    Log log;
    std::vector<std::string> warnings;  ///< valid but unwise, each as `file:line:column: message`
};

/// The configuration cannot be used. `messages` holds every mistake, each as `file:line:column: message`, in the order
/// of the file; what() is all of them, a line each.
class ConfigError : public std::runtime_error {
public:
    explicit ConfigError(std::vector<std::string> messages);
    [[nodiscard]] const std::vector<std::string>& messages() const { return messages_; }

private:
    std::vector<std::string> messages_;
};

/// Reads and validates a configuration file. Opens no secret file and asks no network. Throws ConfigError.
Config load(const std::filesystem::path& file);

/// The same for a text; `file` names it in messages.
Config parse(const std::string& text, const std::filesystem::path& file);

/// The effective configuration as YAML: every key, defaults included, secrets and passwords in URLs as `***`.
std::string print(const Config& config);

/// Opens the secret where it is kept. A trailing line break is cut. Throws ConfigError where there is none, where it is
/// empty, where its file is no regular one, or where the file (or, for a literal, the configuration file) can be read
/// by everybody.
core::Secret read_secret(const SecretSource& source, const std::filesystem::path& config_file);

}  // namespace heiasync::config
