#include "content.hpp"
#include "installation.hpp"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace heiasync::testing {

namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

using Arguments = std::vector<std::string>;

Outcome heiasyncd(const Arguments& arguments, const Environment& environment = {}) {
    Arguments command{program()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return Process{command, environment}.wait();
}

TEST(CommandLine, HelpNamesTheCommandsAndTheExitCodes) {
    for (const auto* option : {"--help", "-h"}) {
        const auto outcome = heiasyncd({option});
        EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
        for (const auto* command : {"sync", "schedule", "status", "gaps", "why", "migrate", "rebuild", "check",
                                    "version", "--config", "--quiet"}) {
            EXPECT_THAT(outcome.out, HasSubstr(command));
        }
        for (const auto* code : {"64", "69", "70", "75", "77", "78"}) {
            EXPECT_THAT(outcome.out, HasSubstr(code));
        }
        EXPECT_THAT(outcome.err, IsEmpty());
    }
}

TEST(CommandLine, EachCommandHasItsOwnHelpWithAnExample) {
    const std::vector<std::pair<std::string, Arguments>> commands{
        {"sync", {"--stream", "--organisation", "--period", "--dry-run", "--simulated-time"}},
        {"schedule", {"--count", "--from", "--json"}},
        {"status", {"--json"}},
        {"gaps", {"--from", "--to", "--open", "--json"}},
        {"why", {"DATE", "--organisation", "--json"}},
        {"migrate", {"--status", "--dry-run", "--to", "--wait"}},
        {"rebuild", {"--stream", "--since", "--wait"}},
        {"check", {"--online"}}};
    for (const auto& [command, options] : commands) {
        const auto outcome = heiasyncd({command, "--help"});
        EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
        for (const auto& option : options) {
            EXPECT_THAT(outcome.out, HasSubstr(option)) << command;
        }
        EXPECT_THAT(outcome.out, HasSubstr("xample")) << command;
    }
}

TEST(CommandLine, TheVersionIsPrintedByCommandAndByOption) {
    const auto by_command = heiasyncd({"version"});
    EXPECT_EQ(by_command.exit_code, exit_code::done) << by_command;
    EXPECT_THAT(by_command.out, MatchesRegex("heiasyncd [0-9]+\\.[0-9]+\\.[0-9]+\n"));
    const auto by_option = heiasyncd({"--version"});
    EXPECT_EQ(by_option.exit_code, exit_code::done) << by_option;
    EXPECT_EQ(by_option.out, by_command.out);
}

TEST(CommandLine, AMistypedCommandOrOptionNamesTheNearest) {
    const std::vector<std::pair<Arguments, std::string>> mistakes{{{"snyc"}, "sync"},
                                                                  {{"migrat"}, "migrate"},
                                                                  {{"chekc"}, "check"},
                                                                  {{"verison"}, "version"},
                                                                  {{"sync", "--dryrun"}, "--dry-run"},
                                                                  {{"sync", "--streem", "reports"}, "--stream"},
                                                                  {{"sync", "--organization=5"}, "--organisation"},
                                                                  {{"migrate", "--statsu"}, "--status"},
                                                                  {{"gasp"}, "gaps"},
                                                                  {{"gaps", "--opne"}, "--open"},
                                                                  {{"why", "--organization=5"}, "--organisation"},
                                                                  {{"rebiuld"}, "rebuild"},
                                                                  {{"rebuild", "--sinse=2026-05-01"}, "--since"},
                                                                  {{"--confg", "x", "check"}, "--config"}};
    for (const auto& [arguments, nearest] : mistakes) {
        const auto outcome = heiasyncd(arguments);
        EXPECT_EQ(outcome.exit_code, exit_code::usage) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr(nearest + "?")) << arguments.back();
        EXPECT_THAT(outcome.out, IsEmpty());
    }
}

TEST(CommandLine, AWrongValueIsAUsageErrorThatNamesTheOption) {
    const std::vector<std::pair<Arguments, std::string>> mistakes{
        {{"sync", "--stream", "everything"}, "--stream"},
        {{"sync", "--organisation", "Acme"}, "--organisation"},
        {{"sync", "--period", "2026-13"}, "--period"},
        {{"sync", "--period", "2026-05-01"}, "--period"},
        {{"sync", "--simulated-time", "yesterday"}, "--simulated-time"},
        {{"sync", "--simulated-time", "2026-06-01T01:30:00Z,0"}, "--simulated-time"},
        {{"schedule", "--count", "0"}, "--count"},
        {{"schedule", "--count", "10001"}, "--count"},
        {{"schedule", "--from", "tomorrow"}, "--from"},
        {{"gaps", "--from", "yesterday"}, "--from: expected a date as YYYY-MM-DD"},
        {{"gaps", "--to", "2026-02-30"}, "--to: expected a date as YYYY-MM-DD"},
        {{"gaps", "--from"}, "--from"},
        {{"why"}, "DATE"},
        {{"why", "2026-13-01"}, "DATE: expected a date as YYYY-MM-DD"},
        {{"why", "2026-05-01", "--organisation", "0"}, "--organisation: expected a whole number above 0"},
        {{"why", "2026-05-01", "--organisation", "Acme"}, "--organisation: expected a whole number above 0"},
        {{"migrate", "--to", "0"}, "--to"},
        {{"rebuild", "--stream", "usage-stats"}, "--stream"},
        {{"rebuild", "--since", "2026-02-30"}, "--since"}};
    for (const auto& [arguments, option] : mistakes) {
        const auto outcome = heiasyncd(arguments);
        EXPECT_EQ(outcome.exit_code, exit_code::usage) << outcome;
        EXPECT_THAT(outcome.err, HasSubstr(option));
        EXPECT_THAT(outcome.out, IsEmpty());
    }
}

TEST(CommandLine, NoCommandAndTwoCommandsAreUsageErrors) {
    EXPECT_EQ(heiasyncd({}).exit_code, exit_code::usage);
    EXPECT_EQ(heiasyncd({"check", "sync"}).exit_code, exit_code::usage);
    EXPECT_EQ(heiasyncd({"sync", "all"}).exit_code, exit_code::usage);
}

TEST(CommandLine, TheConfigurationFileComesFromTheOptionOrTheEnvironment) {
    Installation installation;
    installation.run({"check"});  // writes the file
    const auto named = heiasyncd({"check"}, {{"HEIASYNC_CONFIG", installation.config_file().string()}});
    EXPECT_EQ(named.exit_code, exit_code::done) << named;
    const auto overridden = heiasyncd({"--config", "/nowhere/heiasyncd.yaml", "check"},
                                      {{"HEIASYNC_CONFIG", installation.config_file().string()}});
    EXPECT_EQ(overridden.exit_code, exit_code::configuration) << overridden;
    EXPECT_THAT(overridden.err, HasSubstr("/nowhere/heiasyncd.yaml"));
}

TEST(CommandLine, WhatTheShellClosedIsNotTakenByWhatIsOpenedNext) {
    Installation installation{tiny_world()};
    const auto command = installation.command({"sync", "--simulated-time", after_slot("2026-06-15")});
    std::string script;
    for (const auto& word : command) {
        script += "'" + word + "' ";
    }
    EXPECT_EQ(Process({"/bin/sh", "-c", "exec " + script + " <&- >&- 2>&-"}).wait().exit_code, exit_code::done);
    EXPECT_EQ(installation.value("SELECT status FROM heiasync.sync_runs"), "succeeded");
}

TEST(CommandLine, AnOutputThatCannotBeWrittenIsNoSuccess) {
    const Installation installation;
    const auto command = installation.command({"schedule"});
    const auto outcome =
        Process({"/bin/sh", "-c", command[0] + " --config " + command[2] + " schedule >/dev/full"}).wait();
    EXPECT_EQ(outcome.exit_code, exit_code::incomplete);
    EXPECT_THAT(outcome.err, HasSubstr("stdout cannot be written"));
}

TEST(CommandLine, AFifoIsNoConfiguration) {
    const Installation installation;
    ASSERT_EQ(::mkfifo(installation.config_file().c_str(), 0600), 0);
    const auto outcome = Process({program(), "--config", installation.config_file(), "check"}).wait();
    EXPECT_EQ(outcome.exit_code, exit_code::configuration);
    EXPECT_THAT(outcome.err, HasSubstr("is no regular file"));
}

}  // namespace

}  // namespace heiasync::testing
