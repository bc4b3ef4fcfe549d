#include "hostile_answers.hpp"

#include "secrecy.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace heiasync::testing {

namespace {

simulator::Options larger_world() {
    auto options = small_world();
    options.organisations = 90;
    return options;
}

}  // namespace

std::string nested(std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

std::string long_string(char letter) {
    return '"' + std::string(long_text_size, letter) + '"';
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const auto position = text.find(what);
    if (position == std::string::npos) {
        throw std::invalid_argument{fmt::format("nothing to replace: {}", what)};
    }
    return text.replace(position, what.size(), by);
}

std::vector<Refused> refused_answers(const std::string& operation) {
    constexpr std::size_t bottomless = 200'000;
    constexpr std::size_t larger_than_allowed = 9'000'000;
    return {
        {"no JSON", "<!DOCTYPE html><html><body>confidential-text-of-a-survey</body></html>", operation + ": not JSON"},
        {"nothing", "", operation + ": the document is empty"},
        {"null", "null", operation + ": expected an object, found null"},
        {"array", "[]", operation + ": expected an object, found array"},
        {"cut in a name", "{\"new", operation + ": /new: the document ends early"},
        {"cut in a value", R"({"new": [1, {"confidential-text-of-a-survey": "confidential-text-of-a-survey)",
         operation + ": /new/1/*: the document ends early"},
        {"bottomless", "{\"deep\": " + std::string(bottomless, '['), ": nested too deeply"},
        {"a bomb", "{\"a\": \"" + std::string(larger_than_allowed, 'x') + "\"}", "the answer is larger than 8MiB",
         "too_large"},
    };
}

HostileInstallation::HostileInstallation() : Installation{larger_world()} {
    config()["api"]["max_response_size"] = "8MiB";
    make_every_count_known("2026-07-01");
    every_secret().add(confidential);
}

std::int64_t HostileInstallation::next_organisation(
    const std::function<bool(const simulator::Organisation&)>& suitable) {
    while (!suitable(organisations_.at(next_))) {
        ++next_;
    }
    return organisations_.at(next_++).id;
}

void HostileInstallation::answer(simulator::Operation operation, std::int64_t organisation, const std::string& body) {
    api().answer_with(operation, organisation, std::string{}, body);
}

void HostileInstallation::sync(const std::string& stream, int exit_code) {
    const auto outcome = sync_on("2026-07-01", {"--stream", stream});
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome;
    EXPECT_EQ(
        value("SELECT string_agg(text, ' ') FROM (SELECT error FROM heiasync.sync_tasks UNION ALL SELECT error FROM "
              "heiasync.sync_runs UNION ALL SELECT json_pointer FROM heiasync.schema_drift) AS ledger (text)")
            .find(confidential),
        std::string::npos);
}

void HostileInstallation::expect_failures(const std::map<std::int64_t, Refused>& refused) const {
    std::set<std::string> expected;
    std::set<std::string> failed;
    for (const auto& [id, each] : refused) {
        expected.insert(std::to_string(id));
    }
    const auto failures = lines(
        "SELECT organisation_id, reason, error FROM heiasync.sync_tasks WHERE status = 'failed' GROUP BY "
        "organisation_id, reason, error");
    for (const auto& failure : failures) {
        EXPECT_TRUE(failed.insert(failure.substr(0, failure.find('|'))).second) << "failed twice: " << failure;
        const auto found = refused.find(std::stoll(failure));
        if (found != refused.end()) {
            EXPECT_THAT(failure, ::testing::AllOf(::testing::HasSubstr("|" + found->second.reason + "|"),
                                                  ::testing::EndsWith(found->second.error)))
                << found->second.name;
        }
    }
    EXPECT_EQ(difference(expected, failed), "");
}

void HostileInstallation::expect_rows(const std::string& relation,
                                      const std::map<std::int64_t, std::string>& conditions) const {
    std::string cases;
    for (const auto& [id, condition] : conditions) {
        cases += fmt::format("WHEN {} THEN {} ", id, condition);
    }
    EXPECT_EQ(
        difference({}, lines(fmt::format("SELECT organisation_id FROM heiasync.{} AS row WHERE coalesce(to_jsonb(row) "
                                         "->> 'business_id', '') = '' AND (CASE organisation_id {} ELSE true "
                                         "END) IS NOT TRUE",
                                         relation, cases))),
        "")
        << "of " << relation;
}

void HostileInstallation::expect_drift(const std::string& stream, const std::set<std::string>& drift) const {
    EXPECT_EQ(difference(drift, lines(fmt::format("SELECT json_pointer, kind, sample_type FROM heiasync.schema_drift "
                                                  "WHERE stream = '{}'",
                                                  stream))),
              "");
}

}  // namespace heiasync::testing
