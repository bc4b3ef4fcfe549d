#include "installation.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace heiasync::testing {

namespace {

using ::testing::HasSubstr;

/// heiaheia-simulator as somebody at a shell uses it.
TEST(SimulatorProgram, FaultsAndCertificatesAreForTheCommandLineToo) {
    Installation installation;
    const auto directory = installation.directory().string();
    const auto authority = directory + "/authority.pem";
    Process program{{HEIAHEIA_SIMULATOR, "--organisations", "8", "--credentials-dir", directory, "--tls", "good",
                     "--ca-file", authority, "--fault", "operation=organisations,status=503,times=1", "--fault",
                     "operation=stats,kind=expired_token,times=1", "--fault",
                     "operation=full_data,kind=redirect,location=/simulator/moved{target}"}};
    installation.config()["api"]["base_url"] = program.first_line();
    installation.config()["api"]["ca_file"] = authority;
    const auto outcome = installation.sync_on("2026-07-01", {"--stream", "usage-stats", "--stream", "reports"});
    EXPECT_EQ(outcome.exit_code, exit_code::done) << outcome;
    EXPECT_GT(installation.count("SELECT count(*) FROM heiasync.reports"), 0);

    program.signal(SIGTERM);
    const auto summary = program.wait();
    EXPECT_EQ(summary.exit_code, 0);
    for (const auto* seen : {R"("503":1)", R"("401":1)", R"("302":)", R"("token":2)"}) {
        EXPECT_THAT(summary.err, HasSubstr(seen));
    }
    const auto refused = Process{{HEIAHEIA_SIMULATOR, "--fault", "kind=nothing"}}.wait();
    EXPECT_NE(refused.exit_code, 0);
    EXPECT_THAT(refused.err, HasSubstr("there is no kind \"nothing\""));
}

}  // namespace

}  // namespace heiasync::testing
