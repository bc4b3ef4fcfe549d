// Every mistake with the place it is reported at.

#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace heiasync::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> mistakes(const std::string& text) {
    try {
        (void)parse(text, "c.yaml");
        return {};
    } catch (const ConfigError& error) {
        return error.messages();
    }
}

struct Case {
    std::string name;
    std::string text;     ///< what follows a valid section api, from line 2 on
    std::string mistake;  ///< after `c.yaml:`
};

void PrintTo(const Case& test, std::ostream* stream) {
    *stream << test.text;
}

class Mistake : public testing::TestWithParam<Case> {};

TEST_P(Mistake, is_reported_where_it_is) {
    EXPECT_THAT(mistakes("api: {email: client@example.com, client_id: abc}\n" + GetParam().text),
                ElementsAre("c.yaml:" + GetParam().mistake));
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
    return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    OfKeys, Mistake,
    testing::Values(Case{"unknown_section", "loging: {}", "2:1: unknown key loging"},
                    Case{"near_section", "databse: {}", "2:1: unknown key databse; did you mean \"database\"?"},
                    Case{"near_key", "schedule:\n  time_zone: UTC\n  dialy_at: 04:30",
                         "4:3: unknown key schedule.dialy_at; did you mean \"daily_at\"?"},
                    Case{"far_key", "log: {colour: red}", "2:7: unknown key log.colour"},
                    Case{"key_with_a_value_in_it", "log: {level:hunter2}", "2:7: unknown key log.level..."},
                    Case{"key_twice", "log:\n  level: info\n  format: text\n  level: error",
                         "5:3: log.level is given twice, first in line 3"},
                    Case{"section_twice", "log: {}\nstatus: {}\nlog: {}", "4:1: log is given twice, first in line 2"},
                    Case{"key_that_is_a_list", "log:\n  ? [level]\n  : info",
                         "3:5: expected a key that is a single word"},
                    Case{"merge_key", "log:\n  <<: {level: info}", "3:3: unknown key log...."},
                    Case{"section_that_is_a_text", "log: info", "2:6: log: expected a mapping of keys to values"},
                    Case{"section_that_is_a_list", "log:\n  - level", "3:3: log: expected a mapping of keys to values"},
                    Case{"second_document", "---\nlog: {}", "2:1: expected one YAML document, found another"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    OfNumbers, Mistake,
    testing::Values(Case{"number_below", "safety: {max_vanished_percent: -1}",
                         "2:32: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"number_above", "safety: {max_vanished_percent: 101}",
                         "2:32: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"number_far_above", "safety: {max_vanished_percent: 99999999999999999999}",
                         "2:32: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"octal_number", "safety: {max_vanished_percent: 010}",
                         "2:32: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"hexadecimal_number", "safety: {max_vanished_percent: 0x10}",
                         "2:32: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"fraction", "safety: {max_vanished_percent: 20.0}",
                         "2:32: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"sign", "safety: {max_vanished_percent: +20}",
                         "2:32: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"percent_sign", "safety: {max_vanished_percent: 20%}",
                         "2:32: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"minus_zero", "safety: {max_vanished_percent: -0}",
                         "2:32: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"number_in_quotes", "safety: {max_vanished_percent: '20'}",
                         "2:32: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"number_that_is_null", "safety: {max_vanished_percent: null}",
                         "2:10: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"number_that_is_a_list", "safety: {max_vanished_percent: [20]}",
                         "2:32: safety.max_vanished_percent: expected a whole number from 0 to 100"},
                    Case{"period_of_five_months", "energy_levels:\n  reporting_period_months: 5",
                         "3:28: energy_levels.reporting_period_months: expected one of 1, 2, 3, 4, 6, 12"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    OfOtherValues, Mistake,
    testing::Values(
        Case{"yes", "business_ids: {stats: yes}", "2:23: business_ids.stats: expected true or false"},
        Case{"capital_true", "business_ids: {stats: True}", "2:23: business_ids.stats: expected true or false"},
        Case{"true_in_quotes", "business_ids: {stats: \"true\"}", "2:23: business_ids.stats: expected true or false"},
        Case{"near_word", "log: {level: warn}", "2:14: log.level: expected one of debug, info, warning, error"},
        Case{"nearer_word", "log: {level: wraning}",
             "2:14: log.level: expected one of debug, info, warning, error; did you mean \"warning\"?"},
        Case{"word_that_is_null", "log: {level: ~}", "2:7: log.level: expected one of debug, info, warning, error"},
        Case{"duration_without_unit", "schedule: {retry_interval: 60}",
             "2:28: schedule.retry_interval: expected a whole number with one of the units ms, s, min, h, d, such as "
             "30s"},
        Case{"duration_too_short", "schedule: {retry_interval: 10ms}",
             "2:28: schedule.retry_interval: expected a length of time from 1s to 1d"},
        Case{"duration_that_is_a_mapping", "schedule: {retry_interval: {h: 1}}",
             "2:28: schedule.retry_interval: expected a length of time, such as 30s"},
        Case{"hour_24", "schedule: {daily_at: '24:00'}",
             "2:22: schedule.daily_at: expected a time of day from \"00:00\" to \"23:59\""},
        Case{"minute_60", "schedule: {daily_at: '04:60'}",
             "2:22: schedule.daily_at: expected a time of day from \"00:00\" to \"23:59\""},
        Case{"one_digit", "schedule: {daily_at: '4:30'}",
             "2:22: schedule.daily_at: expected a time of day from \"00:00\" to \"23:59\""},
        Case{"seconds", "schedule: {daily_at: '04:30:00'}",
             "2:22: schedule.daily_at: expected a time of day from \"00:00\" to \"23:59\""},
        Case{"minutes_since_midnight", "schedule: {daily_at: 270}",
             "2:22: schedule.daily_at: expected a time of day from \"00:00\" to \"23:59\""},
        Case{"zone_that_does_not_exist", "schedule: {time_zone: Europe/Helsinky}",
             "2:23: schedule.time_zone: expected the name of a time zone, such as Europe/Helsinki; did you mean "
             "\"Europe/Helsinki\"?"},
        Case{"zone_of_the_machine", "schedule: {time_zone: localtime}",
             "2:23: schedule.time_zone: expected the name of a time zone, such as Europe/Helsinki"},
        Case{"database_null", "database: {url: null}",
             "2:12: database.url: expected a URL, such as postgresql://host/database, or settings of libpq, such as "
             "host=... dbname=..."},
        Case{"database_name_alone", "database: {url: heiasync}",
             "2:17: database.url: expected a URL, such as postgresql://host/database, or settings of libpq, such as "
             "host=... dbname=..."}),
    name_of);

TEST(ListenAddress, that_is_none_is_refused) {
    for (const char* address : {"127.0.0.1",
                                "':9464'",
                                "false",
                                "'127.0.0.1:'",
                                "'127.0.0.1:0'",
                                "'127.0.0.1:65536'",
                                "'127.0.0.1:99999'",
                                "'127.0.0.1:-1'",
                                "'127.0.0.1:http'",
                                "'999.1.1.1:9464'",
                                "'1.2.3:9464'",
                                "'9464:1'",
                                "'::1:9464'",
                                "'[::1:9464'",
                                "'[v1.a]:9464'",
                                "'*:9464'",
                                "'-a:9464'",
                                "'a-.b:9464'",
                                "'a..b:9464'",
                                "'a.:9464'",
                                "'%61:9464'",
                                "'a b:9464'",
                                "monitoring.example.com:9464",
                                "'me@localhost:9464'",
                                "'http://localhost:9464'",
                                "'localhost:9464/metrics'"}) {
        EXPECT_THAT(mistakes("api: {email: client@example.com, client_id: abc}\nstatus: {listen: " +
                             std::string{address} + "}"),
                    ElementsAre("c.yaml:2:18: status.listen: expected null or host:port, such as 127.0.0.1:9464: an "
                                "address or localhost, and a port from 1 to 65535"))
            << address;
    }
}

struct ApiCase {
    std::string name;
    std::string line;     ///< line 4, indented by two
    std::string mistake;  ///< after `c.yaml:4:`
};

void PrintTo(const ApiCase& test, std::ostream* stream) {
    *stream << test.line;
}

class ApiMistake : public testing::TestWithParam<ApiCase> {};

TEST_P(ApiMistake, is_reported_where_it_is) {
    EXPECT_THAT(mistakes("api:\n  email: client@example.com\n  client_id: abc\n  " + GetParam().line),
                ElementsAre("c.yaml:4:" + GetParam().mistake));
}

std::string api_name_of(const testing::TestParamInfo<ApiCase>& info) {
    return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    OfUrls, ApiMistake,
    testing::Values(
        ApiCase{"relative_url", "base_url: api.heiaheia.com",
                "13: api.base_url: expected an absolute URL, such as https://api.heiaheia.com"},
        ApiCase{"url_without_host", "base_url: 'https:///admin'",
                "13: api.base_url: expected an absolute URL, such as https://api.heiaheia.com"},
        ApiCase{"url_that_begins_like_a_loopback_address", "base_url: http://127.0.0.1.evil.example",
                "13: api.base_url: expected an absolute URL, such as https://api.heiaheia.com"},
        ApiCase{"url_with_a_bad_port", "base_url: 'https://h:0'",
                "13: api.base_url: expected an absolute URL, such as https://api.heiaheia.com"},
        ApiCase{"url_with_a_port_beyond_ports", "base_url: 'https://h:99999'",
                "13: api.base_url: expected an absolute URL, such as https://api.heiaheia.com"},
        ApiCase{"url_with_a_blank", "base_url: 'https://h '",
                "13: api.base_url: expected an absolute URL, such as https://api.heiaheia.com"},
        ApiCase{"url_with_a_password", "base_url: https://u:hunter2@h",
                "13: api.base_url: expected a URL without user name, query and fragment"},
        ApiCase{"url_with_a_query", "base_url: https://h/?a=b",
                "13: api.base_url: expected a URL without user name, query and fragment"},
        ApiCase{"url_with_a_fragment", "base_url: https://h/#a",
                "13: api.base_url: expected a URL without user name, query and fragment"},
        ApiCase{"plain_http", "base_url: http://api.heiaheia.com",
                "13: api.base_url: expected https; http would show the token, and is for a loopback address only"},
        ApiCase{"http_to_a_name_that_begins_like_loopback", "base_url: http://localhost.example.com",
                "13: api.base_url: expected https; http would show the token, and is for a loopback address only"},
        ApiCase{"http_to_a_number_that_is_not_loopback", "base_url: http://128.0.0.1",
                "13: api.base_url: expected https; http would show the token, and is for a loopback address only"},
        ApiCase{"ftp", "base_url: ftp://localhost",
                "13: api.base_url: expected https; http would show the token, and is for a loopback address only"},
        ApiCase{"proxy_without_port", "proxy: http://proxy", "10: api.proxy: expected null or http://host:port"},
        ApiCase{"proxy_beyond_ports", "proxy: http://proxy:65537", "10: api.proxy: expected null or http://host:port"},
        ApiCase{"proxy_over_https", "proxy: https://proxy:1", "10: api.proxy: expected null or http://host:port"},
        ApiCase{"proxy_with_a_path", "proxy: http://proxy:1/x", "10: api.proxy: expected null or http://host:port"},
        ApiCase{
            "proxy_with_a_password", "proxy: http://u:hunter2@proxy:1",
            "10: api.proxy: expected http://host:port without user name and password; https_proxy in the environment "
            "may carry them"}),
    api_name_of);

INSTANTIATE_TEST_SUITE_P(
    OfOtherValues, ApiMistake,
    testing::Values(
        ApiCase{"no_size_class", "size_classes: []",
                "17: api.size_classes: expected a list of at least one number, such as [50, 10000]"},
        ApiCase{"size_class_alone", "size_classes: 50",
                "17: api.size_classes: expected a list of at least one number, such as [50, 10000]"},
        ApiCase{"unknown_size_class", "size_classes: [50, 100]", "17: api.size_classes: expected one of 20, 50, 10000"},
        ApiCase{"size_class_twice", "size_classes: [50, 50]", "17: api.size_classes: the same number is given twice"},
        ApiCase{"per_page_zero", "per_page: 0", "13: api.per_page: expected a whole number from 1 to 500"},
        ApiCase{"per_page_501", "per_page: 501", "13: api.per_page: expected a whole number from 1 to 500"},
        ApiCase{
            "size_without_unit", "max_response_size: 200",
            "22: api.max_response_size: expected a whole number with one of the units B, KiB, MiB, GiB, TiB, such as "
            "64KiB"},
        ApiCase{"size_too_large", "max_response_size: 1TiB",
                "22: api.max_response_size: expected a size from 1KiB to 16GiB"},
        ApiCase{"max_delay_below_base_delay", "retry: {base_delay: 5s, max_delay: 4s}",
                "38: api.retry.max_delay: is shorter than base_delay"},
        ApiCase{"base_delay_above_max_delay", "retry: {base_delay: 90s}",
                "23: api.retry.base_delay: is longer than max_delay"},
        ApiCase{"bad_max_delay_and_long_base_delay", "retry: {base_delay: 90s, max_delay: 9}",
                "39: api.retry.max_delay: expected a whole number with one of the units ms, s, min, h, d, such as 30s"},
        ApiCase{"empty_path", "ca_file: ''", "12: api.ca_file: expected a text in one line, not empty"},
        ApiCase{"empty_secret", "client_secret: ''", "18: api.client_secret: expected a text in one line, not empty"},
        ApiCase{"null_secret", "client_secret: null", "3: api.client_secret: expected a text"},
        ApiCase{"unfinished_variable", "client_secret: ${NAME",
                "18: api.client_secret: expected the name of an environment variable, such as ${CLIENT_SECRET}"},
        ApiCase{"empty_variable", "client_secret: ${}",
                "18: api.client_secret: expected the name of an environment variable, such as ${CLIENT_SECRET}"},
        ApiCase{"just_a_beginning", "client_secret: ${",
                "18: api.client_secret: expected the name of an environment variable, such as ${CLIENT_SECRET}"},
        ApiCase{"variable_in_the_middle", "client_secret: ${A}B}",
                "18: api.client_secret: expected the name of an environment variable, such as ${CLIENT_SECRET}"}),
    api_name_of);

TEST(Mistakes, of_the_same_secret_from_two_places_are_reported_at_the_second) {
    const std::string head = "api:\n  email: a@b\n  client_id: x\n";
    EXPECT_THAT(mistakes(head + "  magic_token: ${T}\n  magic_token_file: /f\n"),
                ElementsAre("c.yaml:5:21: api.magic_token_file: either magic_token or magic_token_file, not both"));
    EXPECT_THAT(mistakes(head + "  magic_token_file: /f\n  magic_token: ${T}\n"),
                ElementsAre("c.yaml:5:16: api.magic_token: either magic_token or magic_token_file, not both"));
}

TEST(Mistakes, of_what_is_required_are_reported_at_the_section) {
    EXPECT_THAT(mistakes("log: {}\napi:\n  per_page: 1\n"),
                ElementsAre("c.yaml:2:1: api.email: is required", "c.yaml:2:1: api.client_id: is required"));
    EXPECT_THAT(mistakes("log: {}\n"),
                ElementsAre("c.yaml:1:1: api.email: is required", "c.yaml:1:1: api.client_id: is required"));
    EXPECT_THAT(mistakes("api: {email: nobody, client_id: ''}"),
                ElementsAre("c.yaml:1:14: api.email: expected an e-mail address",
                            "c.yaml:1:33: api.client_id: expected a text in one line, not empty"));
}

TEST(Mistakes, of_a_file_that_is_no_mapping_name_what_is_expected) {
    for (const char* text : {"just text", "[1, 2]", "- a\n- b\n"}) {
        EXPECT_THAT(mistakes(text).front(), HasSubstr("c.yaml:1:1: expected a mapping")) << text;
    }
}

TEST(Mistakes, five_give_five_lines_in_the_order_of_the_file) {
    const std::string text = R"(log: {level: loud}
schedule:
  daily_at: 25:00
  time_zome: UTC
api:
  per_page: 501
  client_id: abc
)";
    EXPECT_THAT(mistakes(text),
                ElementsAre("c.yaml:1:14: log.level: expected one of debug, info, warning, error",
                            "c.yaml:3:13: schedule.daily_at: expected a time of day from \"00:00\" to \"23:59\"",
                            "c.yaml:4:3: unknown key schedule.time_zome; did you mean \"time_zone\"?",
                            "c.yaml:5:1: api.email: is required",
                            "c.yaml:6:13: api.per_page: expected a whole number from 1 to 500"));
}

TEST(Mistakes, are_a_line_each_in_what) {
    try {
        (void)parse("a: 1\nb: 2\n", "c.yaml");
        FAIL();
    } catch (const ConfigError& error) {
        EXPECT_EQ(std::string{error.what()},
                  "c.yaml:1:1: api.email: is required\nc.yaml:1:1: api.client_id: is required\n"
                  "c.yaml:1:1: unknown key a\nc.yaml:2:1: unknown key b");
    }
}

TEST(Mistakes, of_yaml_itself_are_reported_where_they_are) {
    EXPECT_THAT(mistakes("log: {level: info"), ElementsAre(HasSubstr("no valid YAML: end of map flow not found")));
    EXPECT_THAT(mistakes("api:\n\temail: a@b\n"),
                ElementsAre(AllOf(testing::StartsWith("c.yaml:2:"), HasSubstr(": no valid YAML: "))));
    EXPECT_THAT(mistakes(std::string(100'000, '[')), ElementsAre(testing::StartsWith("c.yaml:1:")));
    EXPECT_THAT(mistakes("{log: {level: info}},\n"),
                ElementsAre("c.yaml:1:21: expected one YAML document, found another"));
}

TEST(Mistakes, never_show_what_was_found) {
    for (const std::string text :
         {"api: {client_secret:hunter2}", "api: {base_url: hunter2}", "log: {level: hunter2}",
          "schedule: {daily_at: hunter2}", "database: {url: hunter2}", "database: {url: 'postgresql://u:hunter2/@h/d'}",
          "api: hunter2", "api: {client_secret: ${hunter2-}}", "api:\n  client_secret: *hunter2\n",
          "api:\n  client_secret: '${hunter2'\n", "api:\n  client_secret:hunter2\n  magic_token: x\n",
          "api:\n  client_secret: @hunter2"}) {
        const auto messages = mistakes(text);
        EXPECT_FALSE(messages.empty());
        EXPECT_THAT(messages, testing::Each(Not(HasSubstr("hunter2")))) << text;
    }
}

}  // namespace
}  // namespace heiasync::config
