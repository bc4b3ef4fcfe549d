#include "status/summary.hpp"

#include "core/duration.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <string_view>

namespace heiasync::status {

namespace {

std::string local(core::Instant instant, const date::time_zone& zone) {
    return date::format("%a %H:%M %Z", date::make_zoned(&zone, date::floor<std::chrono::seconds>(instant)));
}

std::string of_run(const sync::Progress& progress) {
    return progress.organisations == 0 ? "sync begins"
                                       : fmt::format("sync {}/{}, {} failed", progress.organisations_done,
                                                     progress.organisations, progress.failures);
}

std::string of_hindrance(const Hindrance& hindrance, const std::string& next_run) {
    const std::string lasting = core::rough_duration(hindrance.lasting);
    if (hindrance.condition == "database") {
        return fmt::format("database away for {}, trying", lasting);
    }
    if (hindrance.condition == "lock") {
        return fmt::format("waiting for another process's run for {}", lasting);
    }
    if (hindrance.condition == "clock") {
        return fmt::format("clocks disagree for {}, trying", lasting);
    }
    const std::string_view what = hindrance.condition == "api" ? "API away" : "credentials rejected";
    return fmt::format("{} for {}, {}", what, lasting, next_run);
}

}  // namespace

std::string summary(const DaemonReport& report) {
    std::string next_run = "starting";
    if (report.next_run) {
        const std::string at = local(*report.next_run, *report.zone);
        next_run = *report.next_run > report.now ? "next run " + at : "the run of " + at + " is due";
    }
    std::string text;
    const bool is_hindered = !report.hindrances.empty();
    if (report.run) {
        text = of_run(report.run->progress);
        // A run goes on after an outage of the database, and makes no request meanwhile.
        if (is_hindered && report.hindrances.front().condition == "database") {
            text += "; " + of_hindrance(report.hindrances.front(), next_run);
        }
    } else if (is_hindered) {
        text = of_hindrance(report.hindrances.front(), next_run);
    } else {
        text = next_run;
    }
    if (!report.configuration.last_reload_ok) {
        text += "; the last reload was refused, see the log";
    }
    return text;
}

}  // namespace heiasync::status
