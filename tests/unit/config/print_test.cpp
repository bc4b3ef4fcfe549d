#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <set>

namespace heiasync::config {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* secretive = R"(
api:
  email: client@example.com
  client_id: "a \"quoted\" \\ id: #1"
  client_secret: hunter2
  magic_token: ${MAGIC_TOKEN}
database:
  url: postgresql://u:hunter2@h/d
  owner_url: host=h password='hunter2'
schedule: {daily_at: "00:05", retry_interval: 90s}
status: {listen: null}
log: {level: debug, format: json}
)";

/// Every key with the path to it.
std::set<std::string> keys_of(const YAML::Node& node, const std::string& path = "") {
    std::set<std::string> keys;
    if (node.IsMap()) {
        for (const auto& entry : node) {
            const std::string key = path + "/" + entry.first.Scalar();
            keys.insert(key);
            keys.merge(keys_of(entry.second, key));
        }
    }
    return keys;
}

TEST(Print, shows_no_secret) {
    const std::string printed = print(parse(secretive, "c.yaml"));
    EXPECT_THAT(printed, Not(HasSubstr("hunter2")));
    EXPECT_THAT(printed, HasSubstr("  client_secret: \"***\"\n"));
    EXPECT_THAT(printed, HasSubstr("  magic_token: ${MAGIC_TOKEN}\n"));
    EXPECT_THAT(printed, HasSubstr("  url: \"postgresql://u:***@h/d\"\n"));
    EXPECT_THAT(printed, HasSubstr("  owner_url: \"host=h password='***'\"\n"));
}

TEST(Print, is_read_back_as_the_same) {
    for (const std::string text : {secretive, "api: {email: a@b, client_id: x}",
                                   "api: {email: a@b, client_id: x}\ndatabase: {url: \"host='h\\n\\e'\"}"}) {
        const std::string printed = print(parse(text, "c.yaml"));
        const Config again = parse(printed, "c.yaml");
        EXPECT_EQ(print(again), printed);
    }
    const Config again = parse(print(parse(secretive, "c.yaml")), "c.yaml");
    EXPECT_EQ(again.api.client_id, "a \"quoted\" \\ id: #1");
    EXPECT_EQ(again.api.magic_token.environment, "MAGIC_TOKEN");
    EXPECT_EQ(again.schedule.daily_at, std::chrono::minutes{5});
    EXPECT_EQ(again.schedule.retry_interval, std::chrono::seconds{90});
    EXPECT_EQ(again.status.listen, std::nullopt);
    EXPECT_EQ(again.log.level, LogLevel::debug);
    EXPECT_EQ(again.log.format, LogFormat::json);
}

TEST(Print, is_safe_on_a_terminal) {
    const std::string text = "api: {email: a@b, client_id: x}\ndatabase: {url: \"host='h\\n\\e[31m\\x7f'\"}";
    EXPECT_THAT(print(parse(text, "c.yaml")), HasSubstr(R"(  url: "host='h\x0a\x1b[31m\x7f'")"));
}

TEST(Print, has_the_keys_of_the_shipped_file) {
    const Config shipped = load(HEIASYNC_SHIPPED_CONFIG);
    EXPECT_EQ(keys_of(YAML::Load(print(shipped))), keys_of(YAML::LoadFile(HEIASYNC_SHIPPED_CONFIG)));
}

TEST(Print, shows_what_was_never_read_from_a_file) {
    EXPECT_THAT(print(Config{}), HasSubstr("  client_secret_file: null\n  magic_token_file: null\n"));
}

}  // namespace
}  // namespace heiasync::config
