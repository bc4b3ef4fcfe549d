#include "commands/check_online.hpp"

#include "commands/api_client.hpp"
#include "commands/run_to_its_end.hpp"
#include "commands/schema.hpp"
#include "core/clock.hpp"
#include "core/duration.hpp"
#include "core/printable.hpp"
#include "heiaheia/probe.hpp"
#include "history/inspection.hpp"
#include "history/migrations.hpp"
#include "history/sync_runs.hpp"
#include "http/connection.hpp"
#include "http/failure.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync::commands {

namespace asio = boost::asio;

namespace {

using core::ExitCode;
using heiaheia::Finding;
using heiaheia::ProbeReport;
using std::chrono::seconds;

constexpr int oldest_postgresql = 150'000;

/// What is found, line by line, and what of it is wrong.
class Table {
public:
    void heading(std::string_view text) { std::cout << '\n' << text << '\n'; }

    void line(std::string_view what, const std::string& found) {
        std::cout << fmt::format("  {:<22} {}\n", what, found) << std::flush;
    }

    void problem(ExitCode code, std::string text) { problems_.push_back({code, std::move(text)}); }

    /// Says on stderr what is wrong. The exit code is the first by its number: that is the order of what must be put
    /// right first.
    [[nodiscard]] ExitCode conclude() const {
        ExitCode first = ExitCode::done;
        for (const Problem& problem : problems_) {
            std::cerr << "heiasyncd: " << problem.text << '\n';
            first = first == ExitCode::done ? problem.code : std::min(first, problem.code);
        }
        return first;
    }

private:
    struct Problem {
        ExitCode code;
        std::string text;
    };
    std::vector<Problem> problems_;
};

void check_clock(Table& table, seconds ahead) {
    const std::string difference = core::format_duration(ahead < seconds{0} ? -ahead : ahead);
    const std::string_view direction = ahead > seconds{0} ? "ahead of" : "behind";
    table.line("clock", ahead == seconds{0} ? "as ours" : fmt::format("{} {} ours", difference, direction));
    if (std::chrono::abs(ahead) > heiaheia::tolerated_clock_skew) {
        table.problem(
            ExitCode::unavailable,
            fmt::format("its clock and ours are {} apart, and a sync would end with clock_skew: set the clock "
                        "(timedatectl)",
                        difference));
    }
}

// The database

void check_failed(Table& table, std::string_view what, const history::DatabaseError& error) {
    const ExitCode code = exit_code(error);
    table.line(what, error.what());
    table.problem(code, fmt::format("{}{}", error.what(),
                                    code == ExitCode::unavailable ? "; check database.url and the server" : ""));
}

std::string describe_rights(const history::Inspection& inspection) {
    std::string rights = inspection.may_migrate ? "may migrate" : "may not migrate";
    if (inspection.may_store) {
        rights += *inspection.may_store ? ", may store" : ", may not store";
    }
    return rights;
}

void check_server(Table& table, const history::Inspection& inspection) {
    table.line("server", fmt::format("PostgreSQL {}, encoding {}", inspection.version, inspection.encoding));
    if (inspection.version_number < oldest_postgresql) {
        table.problem(ExitCode::configuration, "the database needs PostgreSQL 15 or newer");
    }
    table.line("role", fmt::format("{}: {}", core::printable(inspection.role), describe_rights(inspection)));
    if (inspection.may_store == false) {
        table.problem(ExitCode::configuration,
                      fmt::format("the role {} may not store: grant it heiasync_writer, or use another in database.url",
                                  core::printable(inspection.role)));
    }
}

/// Whether a sync would bring the schema up to date by itself.
bool check_owner(Table& table, const config::Config& config, const history::Inspection& inspection) {
    if (!config.database.owner_url) {
        return config.database.migrate_on_start && inspection.may_migrate;
    }
    try {
        const history::Inspection owner = history::inspect(*config.database.owner_url);
        table.line("owner", fmt::format("{}: {}", core::printable(owner.role), describe_rights(owner)));
        return config.database.migrate_on_start && owner.may_migrate;
    } catch (const history::DatabaseError& error) {
        check_failed(table, "owner", error);
        return false;
    }
}

std::string describe_versions(std::ptrdiff_t applied, std::ptrdiff_t all) {
    if (applied == 0) {
        return "none yet";
    }
    return applied == all ? fmt::format("version {}, up to date", all) : fmt::format("version {} of {}", applied, all);
}

void check_schema(Table& table, const config::Config& config, bool sync_migrates) {
    const history::SchemaStatus status = history::schema_status(config.database.url, history::embedded_migrations());
    history::require_ours(status);
    const auto all = std::ssize(status.migrations);
    const auto pending = std::ranges::count(status.migrations, history::MigrationStatus::State::pending,
                                            &history::MigrationStatus::state);
    const bool waits = pending > 0 && sync_migrates;
    table.line("schema", fmt::format("{}{}", describe_versions(all - pending, all),
                                     waits ? "; the next sync brings it up to date" : ""));
    if (pending > 0 && !sync_migrates) {
        table.problem(ExitCode::configuration, "the schema of the database is not up to date; run `heiasyncd migrate`");
    }
    if (history::origin(config.database.url) == history::Origin::rehearsal) {
        table.problem(ExitCode::configuration,
                      "this database was born in a rehearsal (--simulated-time); use another database.url");
    }
}

void check_time_zones(Table& table, const config::Config& config) {
    const std::vector<std::string> unknown =
        history::unknown_time_zones(config.database.url, {config.schedule.time_zone, config.api.time_zone});
    table.line("time zones", unknown.empty() ? "known" : fmt::format("not known: {}", fmt::join(unknown, ", ")));
    if (!unknown.empty()) {
        table.problem(
            ExitCode::configuration,
            fmt::format("PostgreSQL does not know the time zone {}: what is expected and what is missing could "
                        "not be worked out; bring the server's tzdata up to date",
                        unknown.front()));
    }
}

void check_database(Table& table, const config::Config& config, const core::Clock& clock) {
    table.heading("database");
    std::string_view line = "server";
    try {
        const history::Inspection inspection = history::inspect(config.database.url);
        const core::Instant now = clock.now();
        check_server(table, inspection);
        check_clock(table, std::chrono::duration_cast<seconds>(inspection.now - now));
        const bool sync_migrates = check_owner(table, config, inspection);
        line = "time zones";
        check_time_zones(table, config);
        line = "schema";
        check_schema(table, config, sync_migrates);
    } catch (const history::DatabaseError& error) {
        check_failed(table, line, error);
    }
}

// The API

asio::awaitable<std::optional<http::TlsFacts>> connect(config::Api api, http::Origin origin) {
    http::Connector connector{api.ca_file};
    const auto proxy = http::decide_proxy(origin, api.proxy, http::proxy_environment());
    const auto connection = co_await connector.connect(origin, proxy, api.connect_timeout);
    co_return connection->tls();
}

/// Whether there is one.
bool check_connection(Table& table, const config::Api& api, asio::io_context& loop) {
    const http::Origin origin = http::parse_url(api.base_url).origin;
    try {
        const auto tls = run_to_its_end(loop, connect(api, origin));
        table.line("connection", tls ? fmt::format("{}, certificate verified, valid until {}", tls->protocol,
                                                   core::format_instant(tls->certificate_valid_until))
                                     : "plain http, which is for loopback addresses only");
        return true;
    } catch (const http::Failure& failure) {
        table.line("connection", failure.what());
        table.problem(ExitCode::unavailable,
                      fmt::format("the API is not reachable: {}: {}", http::authority(origin), failure.what()));
        return false;
    }
}

std::string describe_token(const ProbeReport& report) {
    if (!report.has_token) {
        return fmt::format("none: {}", report.error.value_or(""));
    }
    const std::string scope = report.scope ? core::printable(*report.scope) : "not said";
    std::string text = fmt::format("accepted, scope {}", scope);
    if (scope != "read_only_admin_api") {
        text += " (read_only_admin_api is enough: ask the vendor for it)";
    }
    // Two weeks are the vendor's word; the answer has no end.
    return report.token_created_at ? fmt::format("{}, until {}", text,
                                                 core::format_instant(*report.token_created_at + std::chrono::days{14}))
                                   : text + ", for two weeks";
}

void check_access(Table& table, const ProbeReport& report) {
    table.line("token", describe_token(report));
    if (report.clock.answer) {
        check_clock(table, *report.clock.answer);
    }
    switch (report.access) {
        case ProbeReport::Access::granted:
            return;
        case ProbeReport::Access::rejected:
            if (report.token_in_query.answer == true) {
                table.problem(
                    ExitCode::rejected,
                    fmt::format("the API takes the token from the query alone ({}), and heiasyncd sends it in "
                                "the header: please report this",
                                report.error.value_or("")));
                return;
            }
            table.problem(ExitCode::rejected,
                          fmt::format("the API rejected the credentials ({}); check api.email, api.client_id, the "
                                      "client secret and the magic token",
                                      report.error.value_or("")));
            return;
        case ProbeReport::Access::unavailable:
            table.problem(ExitCode::unavailable,
                          fmt::format("the API is not available: {}; try again later", report.error.value_or("")));
            return;
    }
}

template <class Answer, class Describe>
void line(Table& table, std::string_view what, const Finding<Answer>& finding, Describe describe) {
    if (!finding.answer) {
        table.line(what, fmt::format("cannot tell: {}", finding.remark.empty() ? "not asked" : finding.remark));
        return;
    }
    const std::string text{describe(*finding.answer)};
    table.line(what, finding.remark.empty() ? text : fmt::format("{} ({})", text, finding.remark));
}

std::string_view describe_filter(heiaheia::ListFilter filter) {
    switch (filter) {
        case heiaheia::ListFilter::honoured:
            return "honoured";
        case heiaheia::ListFilter::partly:
            return "honoured in part";
        case heiaheia::ListFilter::ignored:
            return "ignored";
        case heiaheia::ListFilter::refused:
            break;
    }
    return "refused";
}

std::string_view describe_total(heiaheia::Total total) {
    switch (total) {
        case heiaheia::Total::null:
            return "null";
        case heiaheia::Total::number:
            return "a number, without having been asked for";
        case heiaheia::Total::absent:
            break;
    }
    return "absent";
}

std::string describe_cap(const heiaheia::PageCap& cap) {
    return cap.capped ? fmt::format("capped: asked for {}, {} came, and there are more", cap.asked, cap.came)
                      : fmt::format("asked for {}, {} came", cap.asked, cap.came);
}

void show_descriptions(Table& table, const ProbeReport& report) {
    const auto taken = [](bool is_taken) { return is_taken ? "taken" : "refused"; };
    table.heading("what the API does where the vendor's descriptions differ");
    line(table, "token in the header", report.token_in_header, taken);
    line(table, "token in the query", report.token_in_query, taken);
    line(table, "figures of stats", report.stats_shape, [](heiaheia::StatsShape shape) {
        return shape == heiaheia::StatsShape::wrapped ? "wrapped in `usage`" : "bare";
    });
    line(table, "size_classes by comma", report.comma_list, describe_filter);
    line(table, "size_classes repeated", report.repeated_list, describe_filter);
    line(table, "per_page", report.page_cap, describe_cap);
    line(table, "total", report.total, describe_total);
}

void check_api(Table& table, const config::Config& config, core::Clock& clock) {
    ProbeReport report;
    asio::io_context loop{1};  // outlives the client, whose connection is its
    table.heading(fmt::format("API {}", config.api.base_url));
    try {
        const auto client = make_client(config.api, clock, client_settings(config.api));
        if (check_connection(table, config.api, loop)) {
            const heiaheia::AdminApiSettings settings = api_settings(config, false);
            report = run_to_its_end(loop, heiaheia::probe(*client, settings));
            check_access(table, report);
        }
    } catch (const CommandError& error) {
        table.problem(error.code(), error.what());
    } catch (const config::ConfigError& error) {
        table.line("token", "not asked for: a secret cannot be read");
        table.problem(ExitCode::configuration, error.what());
    }
    show_descriptions(table, report);
}

}  // namespace

ExitCode check_online(const config::Config& config) {
    core::SystemClock clock;
    Table table;
    check_database(table, config, clock);
    check_api(table, config, clock);
    return table.conclude();
}

}  // namespace heiasync::commands
