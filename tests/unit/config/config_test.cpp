#include "config/config.hpp"

#include "unit/config/temporary_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heiasync::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* required = "api: {email: client@example.com, client_id: abc}\n";

Config with(const std::string& more) {
    return parse(required + more, "c.yaml");
}

/// `key: value` lines of the section api, beside what is required.
Config with_api(const std::string& more) {
    return parse("api:\n  email: client@example.com\n  client_id: abc\n  " + more, "c.yaml");
}

void expect_defaults_but_for_secrets(const Config& config) {
    const Config defaults;
    EXPECT_EQ(config.api.base_url, "https://api.heiaheia.com");
    EXPECT_EQ(config.api.time_zone, "Europe/Helsinki");
    EXPECT_THAT(config.api.size_classes, ElementsAre(50, 10000));
    EXPECT_EQ(config.api.per_page, 500);
    EXPECT_EQ(config.api.min_request_interval, 0s);
    EXPECT_EQ(config.api.connect_timeout, 10s);
    EXPECT_EQ(config.api.request_timeout, 60s);
    EXPECT_EQ(config.api.max_response_size, 209'715'200U);
    EXPECT_EQ(config.api.retry.attempts, 5);
    EXPECT_EQ(config.api.retry.base_delay, 1s);
    EXPECT_EQ(config.api.retry.max_delay, 60s);
    EXPECT_EQ(config.api.ca_file, std::nullopt);
    EXPECT_EQ(config.api.proxy, std::nullopt);
    EXPECT_EQ(config.schedule.time_zone, "Europe/Helsinki");
    EXPECT_EQ(config.schedule.daily_at, 4h + 30min);
    EXPECT_EQ(config.schedule.retry_interval, 1h);
    EXPECT_EQ(config.energy_levels.minimum_accepted_members, 5);
    EXPECT_EQ(config.energy_levels.reporting_period_months, 1);
    EXPECT_EQ(config.energy_levels.max_days_late, 7);
    EXPECT_EQ(config.safety.max_vanished_percent, 20);
    EXPECT_TRUE(config.business_ids.stats);
    EXPECT_TRUE(config.business_ids.energy_levels);
    EXPECT_EQ(config.database.url, "postgresql:///heiasync");
    EXPECT_EQ(config.database.owner_url, std::nullopt);
    EXPECT_TRUE(config.database.migrate_on_start);
    EXPECT_EQ(config.status.listen, "127.0.0.1:9464");
    EXPECT_EQ(config.log.level, LogLevel::info);
    EXPECT_EQ(config.log.format, LogFormat::text);
    EXPECT_THAT(config.warnings, IsEmpty());
}

TEST(Config, has_a_default_for_everything_but_who_we_are) {
    const Config config = with("");
    expect_defaults_but_for_secrets(config);
    EXPECT_EQ(config.file, "c.yaml");
    EXPECT_EQ(config.api.email, "client@example.com");
    EXPECT_EQ(config.api.client_id, "abc");
    for (const SecretSource& secret : {config.api.client_secret, config.api.magic_token}) {
        EXPECT_EQ(secret.file, std::nullopt);
        EXPECT_EQ(secret.environment, std::nullopt);
        EXPECT_EQ(secret.literal, std::nullopt);
    }
    EXPECT_EQ(config.api.client_secret.name, "client_secret");
    EXPECT_EQ(config.api.magic_token.name, "magic_token");
}

TEST(Config, that_is_shipped_holds_the_defaults) {
    const Config config = load(HEIASYNC_SHIPPED_CONFIG);
    expect_defaults_but_for_secrets(config);
    EXPECT_EQ(config.api.client_secret.file, "/etc/heiasync/credentials/client_secret");
    EXPECT_EQ(config.api.magic_token.file, "/etc/heiasync/credentials/magic_token");
}

TEST(Config, takes_every_key) {
    const Config config = parse(R"(
api:
  base_url: http://127.0.0.1:8080/prefix
  email: someone@example.org
  client_id: 0123
  client_secret: ${HEIASYNC_CLIENT_SECRET}
  magic_token_file: /run/magic_token
  time_zone: Pacific/Apia
  size_classes: [10000, 20]
  per_page: 1
  min_request_interval: 250ms
  connect_timeout: 1min
  request_timeout: 1h
  max_response_size: 1GiB
  retry: {attempts: 20, base_delay: 1ms, max_delay: 1ms}
  ca_file: /etc/ca.pem
  proxy: http://proxy.example.com:3128
schedule: {time_zone: UTC, daily_at: "23:59", retry_interval: 1s}
energy_levels: {minimum_accepted_members: 1, reporting_period_months: 12, max_days_late: 0}
safety: {max_vanished_percent: 100}
business_ids: {stats: false, energy_levels: false}
database: {url: "host=a,b dbname=h", owner_url: "postgres://owner@a/h", migrate_on_start: false}
status: {listen: null}
log: {level: error, format: json}
)",
                                "c.yaml");
    EXPECT_EQ(config.api.base_url, "http://127.0.0.1:8080/prefix");
    EXPECT_EQ(config.api.email, "someone@example.org");
    EXPECT_EQ(config.api.client_id, "0123");
    EXPECT_EQ(config.api.client_secret.environment, "HEIASYNC_CLIENT_SECRET");
    EXPECT_EQ(config.api.magic_token.file, "/run/magic_token");
    EXPECT_EQ(config.api.time_zone, "Pacific/Apia");
    EXPECT_THAT(config.api.size_classes, ElementsAre(20, 10000));
    EXPECT_EQ(config.api.per_page, 1);
    EXPECT_EQ(config.api.min_request_interval, 250ms);
    EXPECT_EQ(config.api.connect_timeout, 1min);
    EXPECT_EQ(config.api.request_timeout, 1h);
    EXPECT_EQ(config.api.max_response_size, 1U << 30U);
    EXPECT_EQ(config.api.retry.attempts, 20);
    EXPECT_EQ(config.api.retry.base_delay, 1ms);
    EXPECT_EQ(config.api.retry.max_delay, 1ms);
    EXPECT_EQ(config.api.ca_file, "/etc/ca.pem");
    EXPECT_EQ(config.api.proxy, "http://proxy.example.com:3128");
    EXPECT_EQ(config.schedule.time_zone, "UTC");
    EXPECT_EQ(config.schedule.daily_at, 23h + 59min);
    EXPECT_EQ(config.schedule.retry_interval, 1s);
    EXPECT_EQ(config.energy_levels.minimum_accepted_members, 1);
    EXPECT_EQ(config.energy_levels.reporting_period_months, 12);
    EXPECT_EQ(config.energy_levels.max_days_late, 0);
    EXPECT_EQ(config.safety.max_vanished_percent, 100);
    EXPECT_FALSE(config.business_ids.stats);
    EXPECT_FALSE(config.business_ids.energy_levels);
    EXPECT_EQ(config.database.url, "host=a,b dbname=h");
    EXPECT_EQ(config.database.owner_url, "postgres://owner@a/h");
    EXPECT_FALSE(config.database.migrate_on_start);
    EXPECT_EQ(config.status.listen, std::nullopt);
    EXPECT_EQ(config.log.level, LogLevel::error);
    EXPECT_EQ(config.log.format, LogFormat::json);
}

TEST(Config, takes_a_time_of_day_with_and_without_quotes) {
    EXPECT_EQ(with("schedule: {daily_at: \"04:30\"}").schedule.daily_at, 4h + 30min);
    EXPECT_EQ(with("schedule:\n  daily_at: 04:30").schedule.daily_at, 4h + 30min);
    EXPECT_EQ(with("schedule:\n  daily_at: 00:00").schedule.daily_at, 0min);
}

TEST(Config, takes_a_section_whose_keys_are_all_commented_out) {
    EXPECT_EQ(with("log:\n  # level: debug\n").log.level, LogLevel::info);
}

TEST(Config, takes_windows_line_ends_and_a_byte_order_mark) {
    EXPECT_EQ(parse("\xEF\xBB\xBF"
                    "api:\r\n  email: a@b\r\n  client_id: x\r\n",
                    "c.yaml")
                  .api.email,
              "a@b");
}

TEST(Config, takes_base_urls_of_https_and_of_loopback_http) {
    for (const char* url : {"https://api.heiaheia.com", "https://api.example.com:8443/v2/", "https://[2001:db8::1]",
                            "http://localhost:1", "http://127.0.0.1", "http://127.9.9.9:65535/x", "http://[::1]:80"}) {
        EXPECT_EQ(with_api("base_url: \"" + std::string{url} + "\"").api.base_url, url);
    }
}

TEST(Config, takes_listen_addresses_of_every_kind) {
    for (const char* address : {"127.0.0.1:9464", "[::1]:9464", "localhost:1", "0.0.0.0:65535", "[2001:db8::7]:9464"}) {
        EXPECT_EQ(with("status: {listen: \"" + std::string{address} + "\"}").status.listen, address);
    }
}

TEST(Config, takes_a_secret_from_one_of_three_places) {
    EXPECT_EQ(with_api("magic_token: ${_TOKEN_1}").api.magic_token.environment, "_TOKEN_1");
    EXPECT_EQ(with_api("magic_token_file: null").api.magic_token.file, std::nullopt);
    EXPECT_EQ(with_api("magic_token: $abc").api.magic_token.literal, core::Secret{"$abc"});
}

TEST(Warnings, speak_of_a_daily_at_that_leaves_less_than_six_hours) {
    EXPECT_THAT(with("schedule:\n  daily_at: 18:00").warnings, IsEmpty());
    EXPECT_THAT(
        with("schedule:\n  daily_at: 18:01").warnings,
        ElementsAre("c.yaml:3:13: schedule.daily_at: leaves less than six hours of the date to catch up what fails"));
}

TEST(Warnings, speak_of_passwords_in_database_urls_without_showing_them) {
    const auto warnings =
        with("database:\n  owner_url: host=a password=hunter2\n  url: postgresql://u:hunter2@h/d\n").warnings;
    ASSERT_EQ(warnings.size(), 2U);
    EXPECT_THAT(warnings[0], testing::StartsWith("c.yaml:3:14: database.owner_url: has a password in it"));
    EXPECT_THAT(warnings[1], testing::StartsWith("c.yaml:4:8: database.url: has a password in it"));
    EXPECT_THAT(warnings, testing::Each(testing::Not(HasSubstr("hunter2"))));
}

TEST(Load, refuses_a_file_that_is_not_there) {
    EXPECT_THAT(
        [] { (void)load("/nonexistent/heiasyncd.yaml"); },
        testing::ThrowsMessage<ConfigError>("/nonexistent/heiasyncd.yaml: cannot be read: No such file or directory"));
}

TEST(Load, refuses_a_folder) {
    const TemporaryFile file{""};
    EXPECT_THAT([&] { (void)load(file.folder()); },
                testing::ThrowsMessage<ConfigError>(file.folder().string() + ": cannot be read: Is a directory"));
}

TEST(Load, of_an_empty_file_asks_for_what_is_required) {
    const TemporaryFile file{""};
    const std::string name = file.path().string();
    EXPECT_THAT([&] { (void)load(file.path()); },
                testing::ThrowsMessage<ConfigError>(name + ":1:1: api.email: is required\n" + name +
                                                    ":1:1: api.client_id: is required"));
}

TEST(Load, refuses_a_secret_in_a_file_that_everybody_can_read) {
    const std::string text = "api:\n  email: a@b\n  client_id: x\n  client_secret: hunter2\n  magic_token: ${TOKEN}\n";
    const TemporaryFile readable{text, readable_by_everybody};
    EXPECT_THAT([&] { (void)load(readable.path()); },
                testing::ThrowsMessage<ConfigError>(readable.path().string() +
                                                    ":4:18: api.client_secret: a secret in a file that everybody can "
                                                    "read; use client_secret_file, or chmod o-r"));
    const TemporaryFile ours{text};
    EXPECT_EQ(load(ours.path()).api.client_secret.literal, core::Secret{"hunter2"});
}

}  // namespace
}  // namespace heiasync::config
