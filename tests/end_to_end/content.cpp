#include "content.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <sstream>

namespace heiasync::testing {

simulator::Options tiny_world() {
    auto options = small_world();
    options.organisations = 14;
    return options;
}

bool long_tests() {
    return std::getenv("HEIASYNC_LONG_TESTS") != nullptr;  // NOLINT(concurrency-mt-unsafe)
}

std::vector<std::string> content(const Installation& installation) {
    const std::string names = installation.value(
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = "
        "'heiasync'::regnamespace AND relkind = 'r' AND relname NOT IN ('run_lock', 'sync_runs', "
        "'stream_successes', 'schema_migrations', 'rehearsal')");
    std::vector<std::string> rows;
    std::istringstream tables{names};
    for (std::string table; tables >> table;) {
        const std::string lines = installation.value(fmt::format(
            "SELECT coalesce(string_agg(line, chr(10) ORDER BY line), '') FROM (SELECT (to_jsonb(t) - "
            "'{{sync_run_id,sync_task_id,energy_level_id,report_version_id,listing_id,organisation_version_id,"
            "settings_id,question_set_id,observed_at,fetched_at,downloaded_at,first_listed_at,listed_at,valid_from,"
            "last_seen_at,first_seen_at,started_at,finished_at,stored_at,attempts}}'::text[])::text AS line FROM "
            "heiasync.{} AS "
            "t) AS stripped",
            table));
        std::istringstream stream{lines};
        for (std::string line; std::getline(stream, line);) {
            rows.push_back(table + " " + line);
        }
    }
    return rows;
}

std::string row_difference(const std::vector<std::string>& expected, const std::vector<std::string>& actual) {
    std::vector<std::string> missing;
    std::vector<std::string> surplus;
    std::ranges::set_difference(expected, actual, std::back_inserter(missing));
    std::ranges::set_difference(actual, expected, std::back_inserter(surplus));
    std::string text;
    for (const auto& line : missing) {
        text += "missing: " + line.substr(0, 300) + "\n";
    }
    for (const auto& line : surplus) {
        text += "surplus: " + line.substr(0, 300) + "\n";
    }
    return text;
}

}  // namespace heiasync::testing
