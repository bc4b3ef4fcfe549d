#include "history_figures.hpp"

#include "measure.hpp"
#include "support/postgres.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace heiasync::bench {

namespace {

namespace fs = std::filesystem;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct Took {
    Milliseconds wall{0};
    Milliseconds cpu{0};  ///< of the server's process
};

class Reader {
public:
    explicit Reader(const std::string& database_url)
        : connection_{database_url}, process_{work_.exec("SELECT pg_backend_pid()")[0][0].as<pid_t>()} {}

    /// Until the last row has come.
    Took ask(const std::string& sql) {
        const auto cpu = cpu_of_process(process_);
        const auto began = std::chrono::steady_clock::now();
        const auto rows = work_.exec(sql).size();
        const Took took{std::chrono::steady_clock::now() - began, cpu_of_process(process_) - cpu};
        if (rows == 0) {
            throw std::runtime_error{"nothing was found by " + sql};
        }
        return took;
    }

    Took best(const std::string& sql, int repeat) {
        Took best = ask(sql);
        for (int i = 0; i < repeat; ++i) {
            const Took took = ask(sql);
            best = {std::min(best.wall, took.wall), std::min(best.cpu, took.cpu)};
        }
        return best;
    }

private:
    pqxx::connection connection_;
    pqxx::nontransaction work_{connection_};
    pid_t process_;
};

struct Question {
    const char* name;
    const char* sql;
    const char* bare_name;
    const char* bare_sql;
    const char* aim;
};

// {organisation} is in the middle of all. Days and months are those of months before the last.
constexpr Question daily_deltas{
    "one organisation's daily deltas for a year",
    "SELECT observed_on, days_since_previous, total_membership_count_delta, hh_core_total_membership_count_delta, "
    "hh_core_accepted_membership_count_delta, app_use_count_delta, app_monthly_use_count_delta, counter_reset "
    "FROM heiasync.usage_stats_daily WHERE organisation_id = {organisation} AND business_id = '' "
    "AND observed_on BETWEEN '2025-04-01' AND '2026-03-31'",
    "its bare observations",
    "SELECT observed_on, total_membership_count, hh_core_total_membership_count, hh_core_accepted_membership_count, "
    "app_use_count, app_monthly_use_count FROM heiasync.usage_stats WHERE organisation_id = {organisation} "
    "AND business_id = '' AND observed_on BETWEEN '2025-04-01' AND '2026-03-31'",
    "<= 2 ms"};
constexpr Question questions[]{
    {"the monthly view of all organisations in one month",
     "SELECT * FROM heiasync.usage_stats_monthly WHERE month = '2026-03-01'", "the bare observations of its last day",
     "SELECT * FROM heiasync.usage_stats WHERE observed_on = '2026-03-31'", "<= 300 ms"},
    {"the daily view of all organisations on one day",
     "SELECT * FROM heiasync.usage_stats_daily WHERE observed_on = '2026-03-17'", "the bare observations of that day",
     "SELECT * FROM heiasync.usage_stats WHERE observed_on = '2026-03-17'", "<= 200 ms"},
    {"the latest figures of all organisations",
     "SELECT organisation_id, name, latest.* FROM heiasync.organisations CROSS JOIN LATERAL ("
     "SELECT observed_on, total_membership_count, hh_core_accepted_membership_count, app_use_count, "
     "app_monthly_use_count FROM heiasync.usage_stats AS observed "
     "WHERE observed.organisation_id = organisations.organisation_id AND business_id = '' "
     "ORDER BY observed_on DESC, observed_at DESC, sync_run_id DESC LIMIT 1) AS latest",
     "their names", "SELECT organisation_id, name FROM heiasync.organisations", "<= 60 ms"},
    {"one organisation's energy question results of all years",
     "SELECT period_start, question_id, question_title ->> 'en', average_points, option_breakdown "
     "FROM heiasync.energy_level_question_results WHERE organisation_id = {with_documents} AND business_id = '' "
     "AND scope = 'organisation'",
     "its bare results",
     "SELECT period_start, question_average_points, breakdown_values FROM heiasync.energy_level_results "
     "WHERE organisation_id = {with_documents} AND business_id = '' AND scope = 'organisation'",
     "<= 20 ms"},
    {"the gaps of a month",
     "SELECT count(*) FROM heiasync.sync_gaps WHERE expected_on BETWEEN '2026-04-01' AND '2026-04-30'",
     "the observations of that month",
     "SELECT count(*) FROM heiasync.usage_stats WHERE observed_on BETWEEN '2026-04-01' AND '2026-04-30'", "<= 1000 ms"},
    {"ready(date)", "SELECT heiasync.ready('2026-04-15')", "the observations of that day",
     "SELECT count(*) FROM heiasync.usage_stats WHERE observed_on = '2026-04-15'", "<= 200 ms"},
};

/// Has the system forget what it has read of the history's large files, while the server is down.
void forget_pages(const std::vector<std::vector<std::string>>& paths) {
    const fs::path data = testing::PostgresServer::shared().log_file().parent_path() / "data";
    for (const auto& path : paths) {
        for (int segment = 0;; ++segment) {
            const fs::path file = data / (segment == 0 ? path[0] : fmt::format("{}.{}", path[0], segment));
            const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
            if (descriptor < 0) {
                break;
            }
            ::fdatasync(descriptor);
            ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
            ::close(descriptor);
        }
    }
}

/// The median of organisations that nobody has asked for since the server was started and its files were forgotten.
template <class SqlFor>
Took cold(const std::string& database_url, const HistorySize& size, SqlFor sql_for) {
    auto& server = testing::PostgresServer::shared();
    const auto paths =
        testing::query(database_url,
                       "SELECT pg_relation_filepath(name::regclass) FROM (VALUES ('heiasync.usage_stats'), "
                       "('heiasync.usage_stats_pkey')) AS relations (name)");
    server.stop(SIGINT);
    forget_pages(paths);
    server.start();
    Reader reader{database_url};
    reader.ask(sql_for(0));  // what the planner reads
    std::vector<Took> times;
    constexpr std::int64_t asked = 9;
    for (std::int64_t number = 1; number <= asked; ++number) {
        times.push_back(reader.ask(sql_for(number * size.organisations / (asked + 1))));
    }
    std::ranges::nth_element(times, times.begin() + asked / 2, {}, &Took::wall);
    return times[asked / 2];
}

void measure_size(const std::string& database_url, Table& table) {
    const auto add = [&](const char* figure, const char* bytes, const char* relation, const char* bare_name,
                         const char* bare) {
        const auto number = [&](const std::string& what) {
            return std::stod(testing::query_value(database_url,
                                                  fmt::format("SELECT ({})::float8 FROM heiasync.{}", what, relation)));
        };
        const double size = number(fmt::format("{} / count(*)", bytes));
        const double bare_size = number(bare);
        table.add(std::string{"(g) "} + figure, fmt::format("{:.0f} B", size),
                  fmt::format("{:.0f} B of {}", bare_size, bare_name), size / bare_size, "");
    };
    constexpr const char* values = "its nine numbers and dates";
    add("an observation in the table", "pg_table_size('heiasync.usage_stats')", "usage_stats", values, "68");
    add("an observation in the index of the key", "pg_relation_size('heiasync.usage_stats_pkey')", "usage_stats",
        values, "68");
    constexpr const char* document = "its document";
    constexpr const char* document_size = "(SELECT avg(document_size) FROM heiasync.energy_level_originals)";
    const std::string mean = fmt::format("max({})", document_size);
    add("energy levels: the document as jsonb, and its row", "pg_total_relation_size('heiasync.energy_levels')",
        "energy_levels", document, mean.c_str());
    add("their groups' results", "pg_total_relation_size('heiasync.energy_level_results')", "energy_levels", document,
        mean.c_str());
    add("their exact bytes, compressed", "pg_total_relation_size('heiasync.energy_level_originals')", "energy_levels",
        document, mean.c_str());
}

}  // namespace

void measure_history(const std::string& database_url, const HistorySize& size, int repeat, Table& table) {
    const auto first =
        std::stoll(testing::query_value(database_url, "SELECT min(organisation_id) FROM bench.organisations"));
    const auto sql_of = [&](const char* sql, std::int64_t number) {
        return fmt::format(fmt::runtime(sql), fmt::arg("organisation", first + number),
                           fmt::arg("with_documents", first));
    };
    const auto add = [&](std::string figure, const Took& took, const char* bare_name, const Took& bare,
                         const char* aim) {
        table.add("(g) " + std::move(figure), fmt::format("{:.1f} ms, CPU {:.1f}", took.wall.count(), took.cpu.count()),
                  fmt::format("{:.1f} ms, CPU {:.1f}, for {}", bare.wall.count(), bare.cpu.count(), bare_name),
                  took.cpu / bare.cpu, aim);
    };

    const auto cold_deltas = cold(database_url, size, [&](auto number) { return sql_of(daily_deltas.sql, number); });
    const auto cold_bare = cold(database_url, size, [&](auto number) { return sql_of(daily_deltas.bare_sql, number); });
    Reader reader{database_url};
    const auto middle = size.organisations / 2;
    const auto measure = [&](const Question& question) {
        const auto took = reader.best(sql_of(question.sql, middle), repeat);
        add(question.name, took, question.bare_name, reader.best(sql_of(question.bare_sql, middle), repeat),
            question.aim);
    };
    measure(daily_deltas);
    add("the same, read from the disk", cold_deltas, daily_deltas.bare_name, cold_bare, "<= 10 ms");
    for (const Question& question : questions) {
        measure(question);
    }
    measure_size(database_url, table);
}

}  // namespace heiasync::bench
