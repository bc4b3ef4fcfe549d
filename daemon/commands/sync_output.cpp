#include "commands/sync_output.hpp"

#include "core/counted.hpp"

#include <fmt/format.h>

#include <iostream>

namespace heiasync::commands {

namespace {

void print_stream(const sync::RunReport& report, history::Stream stream, const char* name) {
    const auto found = report.tasks.find(stream);
    const sync::TaskCounts counts = found == report.tasks.end() ? sync::TaskCounts{} : found->second;
    std::cout << fmt::format("  {:<14} {:>8} {:>8} {:>8}\n", name, counts.done, counts.skipped, counts.failed);
}

void complain(const std::vector<std::int64_t>& not_listed) {
    for (const std::int64_t id : not_listed) {
        std::cerr << fmt::format(
            "heiasyncd: organisation {} is not in the listing: no access, another size class, "
            "or erased by `heiasyncd forget` (see heiasync.erasures)\n",
            id);
    }
}

void complain(sync::EarlyEnd early_end, const std::string& error) {
    switch (early_end) {
        case sync::EarlyEnd::none:
            return;
        case sync::EarlyEnd::credentials_rejected:
            std::cerr << fmt::format(
                "heiasyncd: the API rejected the credentials ({}); check api.email, api.client_id, the "
                "client secret and the magic token\n",
                error);
            return;
        case sync::EarlyEnd::api_unavailable:
            std::cerr << fmt::format("heiasyncd: the API is not available: {}; {}\n", error,
                                     error.find("certificate is refused") == std::string::npos
                                         ? "try again later"
                                         : "check api.base_url, and api.ca_file where the authority is a private one");
            return;
        case sync::EarlyEnd::database_unavailable:
            std::cerr << fmt::format(
                "heiasyncd: the database is not available: {}; check database.url and the server\n", error);
            return;
        case sync::EarlyEnd::replaced:
            std::cerr << fmt::format("heiasyncd: {}; sync again\n", error);
            return;
        case sync::EarlyEnd::clock_skew:
            std::cerr << fmt::format(
                "heiasyncd: {}; nothing is stored with a wrong date: set the clock (timedatectl), then sync again\n",
                error);
            return;
        case sync::EarlyEnd::busy:
            std::cerr << fmt::format(
                "heiasyncd: {}; try again when it has ended, or wait for it with `heiasyncd sync --wait`\n", error);
            return;
        case sync::EarlyEnd::overtaken:
            std::cerr << fmt::format("heiasyncd: {}; try again\n", error);
            return;
        case sync::EarlyEnd::schema_unusable:
            std::cerr << fmt::format("heiasyncd: the schema cannot be used: {}; run `heiasyncd migrate`\n", error);
            return;
        case sync::EarlyEnd::stopped:
            std::cerr << "heiasyncd: stopped; what was stored stays, `heiasyncd sync` goes on\n";
            return;
        case sync::EarlyEnd::date_over:
            std::cerr << "heiasyncd: the date of the run ended two hours ago: nothing more is asked for it\n";
            return;
        case sync::EarlyEnd::bug:
            std::cerr << fmt::format("heiasyncd: a bug of ours, please report it: {}\n", error);
            return;
    }
}

}  // namespace

Advance advance_of(const sync::Progress& progress) {
    return {"organisation",
            "reading the listing of the organisations ...",
            progress.organisations_done,
            progress.organisations,
            {core::counted(progress.requests, "request"), core::counted(progress.failures, "failure")}};
}

void print_summary(const sync::RunReport& report, const sync::Traffic& traffic) {
    const double seconds = std::chrono::duration<double>(report.finished_at - report.started_at).count();
    std::cout << fmt::format("run {} for {}: {} in {:.1f} s, {} organisations, {} requests\n", report.sync_run_id,
                             core::format_date(report.run_on), history::to_string(report.status), seconds,
                             report.organisations, traffic.requests);
    std::cout << fmt::format("  {:<14} {:>8} {:>8} {:>8}\n", "", "done", "skipped", "failed");
    print_stream(report, history::Stream::organisations, "listing");
    print_stream(report, history::Stream::usage_stats, "usage stats");
    print_stream(report, history::Stream::energy_levels, "energy levels");
    print_stream(report, history::Stream::reports, "reports");
    std::cout << fmt::format("  organisations: {} new, {} changed, {} gone{}\n", report.listing_changes.added,
                             report.listing_changes.changed, report.listing_changes.removed,
                             report.held_back > 0 ? fmt::format(", {} held back", report.held_back) : "");
    std::cout << fmt::format("  energy levels: {}\n", report.periods_reason);
}

void print_dry_run(const sync::DryRun& plan) {
    for (const sync::DryRun::Line& line : plan.lines) {
        std::cout << fmt::format("{}  # {}\n", line.request, line.reason);
    }
    std::cout << fmt::format("{} requests for {} organisations, report downloads not counted; energy levels: {}\n",
                             plan.lines.size(), plan.organisations, plan.periods_reason);
}

void complain(const sync::RunReport& report) {
    complain(report.not_listed);
    complain(report.early_end, report.error.value_or(""));
    if (report.early_end == sync::EarlyEnd::none && report.failures() > 0) {
        std::cerr << fmt::format("heiasyncd: {} tasks failed, see sync_tasks of run {}; `heiasyncd sync` tries again\n",
                                 report.failures(), report.sync_run_id);
    }
}

void complain(const sync::DryRun& plan) {
    complain(plan.not_listed);
    complain(plan.early_end, plan.error.value_or(""));
}

}  // namespace heiasync::commands
