#include "config/config.hpp"

#include "config/conninfo.hpp"
#include "config/names.hpp"
#include "config/notes.hpp"
#include "config/section.hpp"
#include "config/tree.hpp"
#include "config/values.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

namespace heiasync::config {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t operator""_KiB(unsigned long long number) {
    return number << 10U;
}
constexpr std::uint64_t operator""_GiB(unsigned long long number) {
    return number << 30U;
}

const auto path = [](const YAML::Node& node) { return std::filesystem::path{text(node)}; };

/// Who may read the file that holds the configuration.
enum class Readers { some, everybody };

/// Fills a Config from the YAML tree: one function a section.
class Mapping {
public:
    Mapping(Config& config, Readers readers, Notes& mistakes, Notes& warnings)
        : config_{config}, readers_{readers}, mistakes_{mistakes}, warnings_{warnings} {}

    void map(const YAML::Node& root) {
        Section file{"", Place{}, root, mistakes_};
        map_api(file.section("api"));
        map_schedule(file.section("schedule"));
        map_energy_levels(file.section("energy_levels"));
        map_safety(file.section("safety"));
        map_business_ids(file.section("business_ids"));
        map_database(file.section("database"));
        map_status(file.section("status"));
        map_log(file.section("log"));
        file.finish();
    }

private:
    void map_api(Section section) {
        Api& api = config_.api;
        section.read("base_url", api.base_url, base_url);
        section.require("email", api.email, email);
        section.require("client_id", api.client_id, text);
        map_secret(section, api.client_secret);
        map_secret(section, api.magic_token);
        section.read("time_zone", api.time_zone, time_zone);
        section.read("size_classes", api.size_classes, IntegersOf{20, 50, 10000});
        section.read("per_page", api.per_page, Integer{1, 500});
        section.read("min_request_interval", api.min_request_interval, Duration{0ms, 1h});
        section.read("connect_timeout", api.connect_timeout, Duration{10ms, 10min});
        section.read("request_timeout", api.request_timeout, Duration{10ms, 1h});
        section.read("max_response_size", api.max_response_size, Size{1_KiB, 16_GiB});
        map_retry(section.section("retry"));
        section.read("ca_file", api.ca_file, optional(path));
        section.read("proxy", api.proxy, optional(proxy));
        section.finish();
    }

    void map_retry(Section section) {
        Retry& retry = config_.api.retry;
        section.read("attempts", retry.attempts, Integer{1, 20});
        const bool base_stands = section.read("base_delay", retry.base_delay, Duration{1ms, 1h});
        const bool max_stands = section.read("max_delay", retry.max_delay, Duration{1ms, 24h});
        if (base_stands && max_stands && retry.max_delay < retry.base_delay) {
            const bool has_max = section.has("max_delay");
            section.mistake(has_max ? "max_delay" : "base_delay",
                            has_max ? "is shorter than base_delay" : "is longer than max_delay");
        }
        section.finish();
    }

    void map_secret(Section& section, SecretSource& source) {
        const std::string& name = source.name;
        const std::string file = name + "_file";
        SecretText secret;
        section.read(file, source.file, optional(path));
        section.read(name, secret, secret_text);
        source.environment = std::move(secret.environment);
        source.literal = std::move(secret.literal);
        if (source.file && section.has(name)) {
            const bool file_is_second = section.place(file) > section.place(name);
            section.mistake(file_is_second ? file : name, fmt::format("either {} or {}, not both", name, file));
        }
        if (source.literal && readers_ == Readers::everybody) {
            section.mistake(name,
                            fmt::format("a secret in a file that everybody can read; use {}, or chmod o-r", file));
        }
    }

    void map_schedule(Section section) {
        Schedule& schedule = config_.schedule;
        section.read("time_zone", schedule.time_zone, time_zone);
        section.read("daily_at", schedule.daily_at, time_of_day);
        section.read("retry_interval", schedule.retry_interval, Duration{1s, 24h});
        if (schedule.daily_at > 18h) {
            warnings_.add(section.place("daily_at"),
                          "schedule.daily_at: leaves less than six hours of the date to catch up what fails");
        }
        section.finish();
    }

    void map_energy_levels(Section section) {
        EnergyLevels& energy_levels = config_.energy_levels;
        section.read("minimum_accepted_members", energy_levels.minimum_accepted_members, Integer{1, 1'000'000});
        section.read("reporting_period_months", energy_levels.reporting_period_months, IntegerOf{1, 2, 3, 4, 6, 12});
        section.read("max_days_late", energy_levels.max_days_late, Integer{0, 366});
        section.finish();
    }

    void map_safety(Section section) {
        section.read("max_vanished_percent", config_.safety.max_vanished_percent, Integer{0, 100});
        section.finish();
    }

    void map_business_ids(Section section) {
        section.read("stats", config_.business_ids.stats, boolean);
        section.read("energy_levels", config_.business_ids.energy_levels, boolean);
        section.finish();
    }

    void map_database(Section section) {
        Database& database = config_.database;
        section.read("url", database.url, database_url);
        section.read("owner_url", database.owner_url, optional(database_url));
        section.read("migrate_on_start", database.migrate_on_start, boolean);
        warn_of_password(section, "url", database.url);
        warn_of_password(section, "owner_url", database.owner_url.value_or(""));
        section.finish();
    }

    void warn_of_password(Section& section, std::string_view key, std::string_view url) {
        if (!find_passwords(url).empty()) {
            warnings_.add(section.place(key),
                          fmt::format("database.{}: has a password in it; ~/.pgpass or PGPASSFILE keeps it out", key));
        }
    }

    void map_status(Section section) {
        section.read("listen", config_.status.listen, optional(listen_address));
        section.finish();
    }

    void map_log(Section section) {
        section.read("level", config_.log.level, Choice{log_levels});
        section.read("format", config_.log.format, Choice{log_formats});
        section.finish();
    }

    Config& config_;
    Readers readers_;
    Notes& mistakes_;
    Notes& warnings_;
};

Config build(const std::string& text, const std::filesystem::path& file, Readers readers) {
    Notes mistakes;
    Notes warnings;
    Config config;
    config.file = file;
    const YAML::Node tree = read_tree(text, mistakes);
    if (mistakes.empty()) {
        Mapping{config, readers, mistakes, warnings}.map(tree);
    }
    if (!mistakes.empty()) {
        throw ConfigError{mistakes.lines(file)};
    }
    config.warnings = warnings.lines(file);
    return config;
}

std::string read_text(const std::filesystem::path& file) {
    // Before it is opened: a FIFO would wait for its writer, and a device may do anything.
    if (std::filesystem::exists(file) && !std::filesystem::is_regular_file(file) &&
        !std::filesystem::is_directory(file)) {
        throw ConfigError{{fmt::format("{}: is no regular file", file.string())}};
    }
    errno = 0;
    std::ifstream stream{file, std::ios::binary};
    std::ostringstream text;
    if (stream && stream.peek() != std::ifstream::traits_type::eof()) {
        text << stream.rdbuf();
    }
    if (!stream.is_open() || stream.bad() || errno == EISDIR) {
        throw ConfigError{
            {fmt::format("{}: cannot be read: {}", file.string(), std::generic_category().message(errno))}};
    }
    return std::move(text).str();
}

Readers readers_of(const std::filesystem::path& file) {
    const auto permissions = std::filesystem::status(file).permissions();
    return (permissions & std::filesystem::perms::others_read) == std::filesystem::perms::none ? Readers::some
                                                                                               : Readers::everybody;
}

}  // namespace

ConfigError::ConfigError(std::vector<std::string> messages)
    : std::runtime_error{fmt::format("{}", fmt::join(messages, "\n"))}, messages_{std::move(messages)} {}

Config load(const std::filesystem::path& file) {
    const std::string text = read_text(file);
    return build(text, file, readers_of(file));
}

Config parse(const std::string& text, const std::filesystem::path& file) {
    return build(text, file, Readers::some);
}

}  // namespace heiasync::config
