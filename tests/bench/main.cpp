#include "core/instant.hpp"
#include "decoding.hpp"
#include "history.hpp"
#include "history_figures.hpp"
#include "idle.hpp"
#include "measure.hpp"
#include "origin.hpp"
#include "simulator/simulator.hpp"
#include "support/postgres.hpp"
#include "table.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace heiasync::bench {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::size_t document_size = 40'000;

struct Options {
    std::string only = "abcdefg";
    std::size_t organisations = 1000;
    std::size_t slow_organisations = 200;
    std::size_t many_organisations = 20'000;
    std::size_t large_document = 50'000'000;
    HistorySize history;
    int repeat = 3;
    std::chrono::seconds watched{60};
    std::string program = HEIASYNCD;

    [[nodiscard]] bool wants(char figure) const { return only.find(figure) != std::string::npos; }
};

/// heiasyncd as it is installed: a configuration, secrets, a database and an API to ask.
class Installation {
public:
    Installation(std::string program, std::size_t organisations, std::size_t size)
        : program_{std::move(program)}, origin_{make_answers(organisations, size)}, directory_{make_directory()} {
        new_database();
        // As an operator's server has it.
        testing::query(database_url_, "ALTER SYSTEM SET autovacuum = on");
        testing::query(database_url_, "SELECT pg_reload_conf()");
    }
    Installation(const Installation&) = delete;
    Installation& operator=(const Installation&) = delete;
    ~Installation() {
        std::error_code ignored;
        fs::remove_all(directory_, ignored);
    }

    void new_database() { database_url_ = testing::PostgresServer::shared().create_migrated_database(); }

    /// The first day of June: the energy levels of May are due.
    Cost sync_on_boundary() { return sync(date::sys_days{date::year{2026} / 6 / 1} + 1h + 35min); }

    /// A day in the middle of a month, another one with each call.
    Cost sync_on_ordinary_day() {
        return sync(date::sys_days{date::year{2026} / 6 / 10} + date::days{days_++} + 1h + 35min);
    }

    /// A daemon that is a second away from a slot and has a day to wait after it.
    Idle idle_daemon(std::chrono::seconds watched) {
        const auto day = date::sys_days{date::year{2026} / 6 / 10};
        sync(day - date::days{1} + 1h + 35min);
        const core::Instant start = day + 1h + 29min + 59s;
        origin_.set_date(start);
        return watch_idle(command({"run", "--simulated-time", core::format_instant(start)}), watched, [this] {
            return std::stod(testing::query_value(database_url_,
                                                  "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                                                  "current_database() AND pid <> pg_backend_pid()"));
        });
    }

    /// Starts and ends at once.
    [[nodiscard]] Cost nothing() const { return run({program_, "--version"}); }

    /// Has the libraries, opens a session, and ends.
    [[nodiscard]] Cost bare_client() const { return run({BARE_CLIENT, database_url_}); }

    [[nodiscard]] Origin& origin() { return origin_; }
    [[nodiscard]] const std::string& database_url() const { return database_url_; }

private:
    static fs::path make_directory() {
        auto name = (fs::temp_directory_path() / "heiasync-bench-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error{"no folder for the configuration"};
        }
        return name;
    }

    fs::path write(std::string_view name, std::string_view text) const {
        const auto path = directory_ / name;
        std::ofstream file{path};
        fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
        file << text << '\n';
        return path;
    }

    std::vector<std::string> command(const std::vector<std::string>& arguments) const {
        const simulator::Credentials credentials;
        const auto config =
            write("heiasyncd.yaml",
                  fmt::format(
                      "api:\n  base_url: http://127.0.0.1:{}\n  email: {}\n  client_id: {}\n"
                      "  client_secret_file: {}\n  magic_token_file: {}\ndatabase:\n  url: {}\nlog:\n  level: warning\n"
                      "status:\n  listen: null\n",
                      origin_.endpoint().port(), credentials.email, credentials.client_id,
                      write("client_secret", credentials.client_secret).string(),
                      write("magic_token", credentials.magic_token).string(), database_url_));
        std::vector<std::string> line{program_, "--config", config.string(), "--quiet"};
        line.insert(line.end(), arguments.begin(), arguments.end());
        return line;
    }

    Cost sync(core::Instant start) {
        origin_.set_date(start);
        return run(command({"sync", "--simulated-time", core::format_instant(start)}));
    }

    std::string program_;
    Origin origin_;
    fs::path directory_;
    std::string database_url_;
    int days_ = 0;
};

std::string megabytes(double bytes) {
    return fmt::format("{:.1f} MB", bytes / 1e6);
}

pid_t postmaster() {
    std::ifstream file{testing::PostgresServer::shared().log_file().parent_path() / "data" / "postmaster.pid"};
    pid_t pid = 0;
    file >> pid;
    return pid;
}

/// Keeps the one that took less time.
void keep_faster(Cost& best, const Cost& cost) {
    if (best.wall == best.wall.zero() || cost.wall < best.wall) {
        best = cost;
    }
}

/// (a) and (b)
void measure_days(const Options& options, Table& table) {
    Installation installation{options.program, options.organisations, options.wants('b') ? document_size : 0};
    Cost first_load;
    double server = 0;
    for (int i = 0; i < (options.wants('b') ? options.repeat : 1); ++i) {
        installation.new_database();
        const auto before = cpu_of_server(postmaster());
        const Cost cost = installation.sync_on_boundary();
        if (const double wall = first_load.wall.count(); wall == 0 || cost.wall.count() < wall) {
            first_load = cost;
            server = (cpu_of_server(postmaster()) - before).count();
        }
    }
    const auto documents = static_cast<double>(2 * options.organisations);
    if (options.wants('b')) {
        table.add(fmt::format("(b) boundary day, first load, {} documents of 40 kB: wall time", documents),
                  fmt::format("{:.2f} s", first_load.wall.count()), fmt::format("{:.2f} s CPU of PostgreSQL", server),
                  first_load.wall.count() / server, "<= 1.15");
        table.add("(b) its CPU a document", fmt::format("{:.2f} ms", first_load.cpu.count() / documents * 1e3),
                  fmt::format("{:.2f} ms CPU of PostgreSQL", server / documents * 1e3), first_load.cpu.count() / server,
                  "<= 0.70 ms");
    }

    if (!options.wants('a')) {
        return;
    }
    Cost ordinary;
    Cost bare;
    double requests = 0;
    for (int i = 0; i < options.repeat; ++i) {
        installation.origin().take_requests();
        keep_faster(ordinary, installation.sync_on_ordinary_day());
        const auto sent = installation.origin().take_requests();
        requests = static_cast<double>(sent.size());
        keep_faster(bare, bare_loop(installation.origin(), sent));
    }
    table.add(fmt::format("(a) ordinary day, {} organisations: requests a second", options.organisations),
              fmt::format("{:.0f}", requests / ordinary.wall.count()),
              fmt::format("{:.0f} by a bare loop", requests / bare.wall.count()), bare.wall / ordinary.wall, ">= 0.40");
    table.add("(a) its CPU a request", fmt::format("{:.1f} us", ordinary.cpu.count() / requests * 1e6),
              fmt::format("{:.1f} us of a bare loop", bare.cpu.count() / requests * 1e6), ordinary.cpu / bare.cpu,
              "<= 30 us");
}

/// (c)
void measure_latency(const Options& options, Table& table) {
    constexpr auto latency = 20ms;
    Installation installation{options.program, options.slow_organisations, 0};
    installation.sync_on_boundary();
    installation.origin().take_requests();
    installation.origin().set_latency(latency);
    const Cost cost = installation.sync_on_ordinary_day();
    const auto sent = installation.origin().take_requests();
    const Cost bare = bare_loop(installation.origin(), sent);
    table.add(fmt::format("(c) {} ms latency, {} requests: wall time", latency.count(), sent.size()),
              fmt::format("{:.2f} s", cost.wall.count()), fmt::format("{:.2f} s of a bare loop", bare.wall.count()),
              cost.wall / bare.wall, "<= 1.03");
}

/// (d)
void measure_memory(const Options& options, Table& table) {
    const auto second_day = [&options](std::size_t organisations) {
        Installation installation{options.program, organisations, 0};
        installation.sync_on_ordinary_day();
        return installation.sync_on_ordinary_day().peak_memory;
    };
    const double of_one = second_day(1);
    for (const auto& [organisations, aim] :
         {std::pair{options.organisations, 20}, std::pair{options.many_organisations, 25}}) {
        const double peak = second_day(organisations);
        table.add(fmt::format("(d) peak memory, ordinary day, {} organisations", organisations), megabytes(peak),
                  megabytes(of_one) + " with one", peak / of_one, fmt::format("<= {} MB", aim));
    }
    Installation single{options.program, 1, options.large_document};
    const double of_large = single.sync_on_ordinary_day().peak_memory;
    const auto document = static_cast<double>(options.large_document);
    table.add("(d) peak memory, one report", megabytes(of_large), megabytes(document) + " of the report",
              of_large / document, fmt::format("<= {}", megabytes(document / 2 + 25e6)));
}

/// (e)
void measure_decoding(const Options& options, Table& table) {
    const auto rates = decoding_rates(make_answers(std::min<std::size_t>(options.organisations, 100), document_size));
    table.add("(e) decoding and rows, a second", megabytes(rates.ours),
              megabytes(rates.plain) + " by RapidJSON's bare SAX pass", rates.ours / rates.plain, ">= 0.50");
}

/// (f)
void measure_idle(const Options& options, Table& table) {
    Installation installation{options.program, options.organisations, 0};
    const Cost nothing = installation.nothing();
    const double bare_client = installation.bare_client().peak_memory;
    const Idle idle = installation.idle_daemon(options.watched);
    table.add("(f) idle daemon: start to READY", fmt::format("{:.0f} ms", idle.until_ready.count() * 1e3),
              fmt::format("{:.0f} ms for --version", nothing.wall.count() * 1e3), idle.until_ready / nothing.wall,
              "<= 100 ms");
    table.add(fmt::format("(f) resident, after a run of {} organisations", options.organisations),
              megabytes(idle.resident), megabytes(bare_client) + " of a bare client with its libraries",
              idle.resident / bare_client, "<= 15 MB");
    table.add("(f) of it its own, in no file", megabytes(idle.own), "all that is resident", idle.own / idle.resident,
              "");
    table.add("(f) wake-ups a minute", fmt::format("{:.1f}", idle.wake_ups_a_minute),
              "1.0 of a loop that looks each minute", idle.wake_ups_a_minute, "<= 2");
    table.add("(f) sessions of the database", fmt::format("{:.0f}", idle.sessions), "1 of a client that keeps one",
              idle.sessions, "0");
}

/// (g)
void measure_history(const Options& options, Table& table) {
    Installation installation{options.program, 1, document_size};
    installation.sync_on_boundary();
    fill_history(installation.database_url(), options.history);
    measure_history(installation.database_url(), options.history, 3 * options.repeat, table);
}

void describe(CLI::App& app, Options& options) {
    app.add_option("--only", options.only, "Some of abcdefg")->capture_default_str();
    app.add_option("--organisations", options.organisations, "Of an ordinary day and of a boundary day")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--history-organisations", options.history.organisations,
                   "Of the history; of 10000 and 100000 documents it takes 20 GB and an hour")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--history-documents", options.history.documents, "Energy levels in the history")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--history-years", options.history.years, "Its length")
        ->capture_default_str()
        ->check(CLI::Range(2, 50));
    app.add_option("--repeat", options.repeat, "How often what is short is measured; the best counts")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--program", options.program, "Another heiasyncd than the one just built");
    const auto smoke = [&options] {
        options.organisations = 10;
        options.slow_organisations = 2;
        options.many_organisations = 20;
        options.large_document = 500'000;
        options.history = {.years = 2, .organisations = 20, .documents = 24};
        options.repeat = 1;
        options.watched = 1s;
    };
    app.add_flag_callback("--smoke", smoke, "A few organisations, once: whether it works");
}

void measure(const Options& options) {
    // Every statement of a test is logged; a server in use does not.
    const auto url = testing::PostgresServer::shared().create_database();
    testing::query(url, "ALTER ROLE postgres SET log_statement = 'none'");
    Table table;
    if (options.wants('a') || options.wants('b')) {
        measure_days(options, table);
    }
    if (options.wants('c')) {
        measure_latency(options, table);
    }
    if (options.wants('d')) {
        measure_memory(options, table);
    }
    if (options.wants('e')) {
        measure_decoding(options, table);
    }
    if (options.wants('f')) {
        measure_idle(options, table);
    }
    if (options.wants('g')) {
        measure_history(options, table);
    }
    std::cout << std::thread::hardware_concurrency() << " cores\n\n";
    table.print();
}

}  // namespace

}  // namespace heiasync::bench

int main(int argc, char** argv) {
    using namespace heiasync::bench;
    if (argc > 2 && std::string_view{argv[1]} == launcher_option) {
        return run_as_launcher(argv);
    }
    Options options;
    CLI::App app{"What heiasyncd costs, beside plain baselines measured in the same call.", "scripts/bench"};
    describe(app, options);
    CLI11_PARSE(app, argc, argv);
    try {
        measure(options);
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::cerr << "bench: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
