#include "installation.hpp"
#include "secrecy.hpp"
#include "support/postgres.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

/// What nobody may ever read: client secret, magic token, access tokens and data instance ids. Each installation looks
/// through its own database when it ends (see Installation); what was printed and what PostgreSQL logged is looked
/// through when all tests of a program have run.

namespace heiasync::testing {

namespace {

class NothingWasGivenAway : public ::testing::Environment {
public:
    void TearDown() override {
        const auto& secrets = every_secret();
        EXPECT_EQ(secrets.find_in(transcript()), std::set<std::string>{}) << "printed by a program";
        const auto log = PostgresServer::shared().log();
        EXPECT_EQ(secrets.find_in(log), std::set<std::string>{}) << "in PostgreSQL's log";
        // The beginning of what zstd makes, as bytea: who reads it can decompress it.
        EXPECT_EQ(log.find("\\x28b52ffd"), std::string::npos) << "the bytes of a document in PostgreSQL's log";
        if (secrets.size() > 0) {
            EXPECT_NE(log.find("statement: "), std::string::npos) << "every statement is to be in the log";
        }
    }
};

// NOLINTNEXTLINE(cert-err58-cpp): this is how GoogleTest takes environments where main() is its own
const auto* const registered = ::testing::AddGlobalTestEnvironment(new NothingWasGivenAway);

}  // namespace

}  // namespace heiasync::testing
