#include "config/changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace heiasync::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Config with(const std::string& more) {
    return parse(
        "api: {email: a@example.com, client_id: id, client_secret: old-secret, magic_token_file: /token}\n" + more,
        "/tmp/heiasyncd.yaml");
}

TEST(Changes, AreNamedByTheirKeysWithBothValues) {
    EXPECT_THAT(changes(with(""), with("schedule: {daily_at: \"23:00\"}\n")),
                ElementsAre(R"(schedule.daily_at: "04:30" -> "23:00")"));
    EXPECT_THAT(
        changes(with("database: {url: \"postgresql:///a\"}\nlog: {level: debug}\n"), with("")),
        ElementsAre(R"(database.url: "postgresql:///a" -> "postgresql:///heiasync")", "log.level: debug -> info"));
    EXPECT_THAT(changes(with(""), with("")), IsEmpty());
}

TEST(Changes, OfNestedKeysAreNamedByTheirPath) {
    Config after = with("");
    after.api.retry.attempts = 9;
    EXPECT_THAT(changes(with(""), after), ElementsAre("api.retry.attempts: 5 -> 9"));
}

TEST(Changes, OfPasswordsAreOnlySaid) {
    Config password = with("database: {url: \"postgresql://u:one@h/d\"}\n");
    EXPECT_THAT(changes(password, with("database: {url: \"postgresql://u:two@h/d\"}\n")),
                ElementsAre("database.url changed"));
}

TEST(Changes, OfWhereASecretIsAreTold) {
    Config after = with("");
    after.api.magic_token.file = "/other";
    EXPECT_THAT(changes(with(""), after), ElementsAre(R"(api.magic_token_file: "/token" -> "/other")"));
}

}  // namespace
}  // namespace heiasync::config
