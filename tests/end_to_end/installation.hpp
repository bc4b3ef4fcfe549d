#pragma once

#include "process.hpp"
#include "simulator/simulator.hpp"
#include "support/postgres.hpp"
#include "truth.hpp"

#include <pqxx/connection>
#include <rapidjson/document.h>
#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::testing {

/// The promise of docs/operating.md, repeated here so that a change of the program's own numbers is noticed.
namespace exit_code {
constexpr int done = 0;
constexpr int incomplete = 1;
constexpr int usage = 64;
constexpr int unavailable = 69;
constexpr int rejected = 77;
constexpr int configuration = 78;
}  // namespace exit_code

/// 36 organisations, 31 of them listed: some below the gate, on it and above it, with business ids that nobody is
/// mapped to, with counts that are null, with reports viewed late or never and regenerated ones.
simulator::Options small_world();

/// heiasyncd as an operator has it: a configuration, secrets in files of mode 0600, a database of its own on a real
/// PostgreSQL, and an Admin API to ask.
///
/// Whatever a test is about, when its installation ends it fails where the API saw what no client should do, and where
/// a secret is in a table other than report_sources.
class Installation {
public:
    explicit Installation(simulator::Options options = small_world(),
                          PostgresServer& server = PostgresServer::shared());
    Installation(const Installation&) = delete;
    Installation& operator=(const Installation&) = delete;
    ~Installation();

    /// Runs `heiasyncd --config FILE arguments...` to its end.
    Outcome run(const std::vector<std::string>& arguments, const Environment& environment = {}) const;
    /// The whole command line of such a run, for a Process of one's own. Writes the configuration.
    [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& arguments) const;
    /// `sync`, five minutes after the slot of a date of the summer, in a rehearsal.
    Outcome sync_on(std::string_view summer_date, const std::vector<std::string>& arguments = {});

    /// The configuration, written to its file before each run. Retries take milliseconds.
    [[nodiscard]] YAML::Node config() { return config_; }
    [[nodiscard]] std::filesystem::path config_file() const { return directory_ / "heiasyncd.yaml"; }
    [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
    /// Writes a file of the installation, readable by its owner alone.
    std::filesystem::path write(const std::string& name, std::string_view text) const;

    [[nodiscard]] simulator::Simulator& api() const { return *api_; }
    [[nodiscard]] Truth truth_on(std::string_view summer_date) const;
    /// The API may complain of this: the test lets it happen.
    void tolerate(simulator::Violation::Kind kind) { tolerated_.insert(kind); }
    /// How many requests of an operation the API has seen.
    [[nodiscard]] std::size_t requests(simulator::Operation operation) const;
    /// Gives a number of accepted members to those organisations whose number the world does not know.
    void make_every_count_known(std::string_view summer_date);

    [[nodiscard]] const std::string& database_url() const { return database_url_; }
    /// The history is elsewhere now; what the configuration says stays.
    void look_at(std::string database_url);
    /// Remembers the history as it is, and puts it back as it was then.
    void save_history() const;
    void restore_history() const;
    void execute(const std::string& sql) const;
    /// The only value of the only row; `NULL` for NULL.
    [[nodiscard]] std::string value(const std::string& sql) const;
    [[nodiscard]] std::int64_t count(const std::string& sql) const;
    /// Rows as lines, with `|` between the columns and `NULL` for NULL. Two equal rows fail the test.
    [[nodiscard]] std::set<std::string> lines(const std::string& sql) const;
    /// The rows as an array of JSON objects; times in UTC.
    [[nodiscard]] rapidjson::Document json(const std::string& sql) const;
    /// Every row of every table as text, with the table's name before it, in an order of its own; without the tables
    /// in `except` and without what is no business of ours.
    [[nodiscard]] std::vector<std::string> dump(const std::set<std::string>& except = {}) const;

    /// Every data instance id that the API ever showed, or was asked for.
    [[nodiscard]] std::set<std::string> data_instance_ids() const;

private:
    void audit() const;
    template <class Use>
    auto with_connection(Use use) const;
    void for_each_table(std::string_view statement) const;

    std::filesystem::path directory_;
    std::unique_ptr<simulator::Simulator> api_;
    std::string database_url_;
    mutable std::unique_ptr<pqxx::connection> connection_;
    YAML::Node config_;
    std::set<std::string> dates_;  ///< of the syncs
    std::set<simulator::Violation::Kind> tolerated_;
};

}  // namespace heiasync::testing
