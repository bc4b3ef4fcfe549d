#include "calendar/calendar.hpp"
#include "commands/commands.hpp"
#include "core/clock.hpp"
#include "core/json.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::commands {

namespace {

std::optional<std::string_view> name_of(calendar::Shift shift) {
    switch (shift) {
        case calendar::Shift::none:
            return std::nullopt;
        case calendar::Shift::gap:
            return "gap";
        case calendar::Shift::overlap:
            return "overlap";
    }
    return std::nullopt;
}

std::string note_of(calendar::Shift shift) {
    switch (shift) {
        case calendar::Shift::none:
            return {};
        case calendar::Shift::gap:
            return "DST change: daily_at is skipped on this date";
        case calendar::Shift::overlap:
            return "DST change: daily_at comes twice, the first counts";
    }
    return {};
}

void print_for_people(const std::vector<calendar::Firing>& firings, const date::time_zone& zone) {
    for (const calendar::Firing& firing : firings) {
        std::vector<std::string> notes;
        notes.reserve(firing.periods.size() + 1);
        for (const calendar::Period& period : firing.periods) {
            notes.push_back(fmt::format("energy levels of {} to {}", core::format_date(period.start),
                                        core::format_date(period.end)));
        }
        if (std::string note = note_of(firing.slot.shift); !note.empty()) {
            notes.push_back(std::move(note));
        }
        std::cout << fmt::format("{}   {}{}{}\n", calendar::format_local(firing.slot.at, zone),
                                 core::format_instant(firing.slot.at), notes.empty() ? "" : "   ",
                                 fmt::join(notes, "; "));
    }
}

void print_as_json(const std::vector<calendar::Firing>& firings, const date::time_zone& zone) {
    core::Json json;
    json.begin_object();
    json.member("time_zone", zone.name());
    json.key("firings");
    json.begin_array();
    for (const calendar::Firing& firing : firings) {
        json.begin_object();
        json.member("date", firing.slot.date);
        json.member("local", calendar::iso_local(firing.slot.at, zone));
        json.member("utc", firing.slot.at);
        json.member("shifted", name_of(firing.slot.shift));
        json.key("periods");
        json.begin_array();
        for (const calendar::Period& period : firing.periods) {
            json.begin_object();
            json.member("period_start", period.start);
            json.member("period_end", period.end);
            json.end_object();
        }
        json.end_array();
        json.end_object();
    }
    json.end_array();
    json.end_object();
    std::cout << json.text() << '\n';
}

}  // namespace

core::ExitCode schedule(const config::Config& config, const ScheduleCommand& command) {
    const date::time_zone& zone = calendar::find_zone(config.schedule.time_zone);
    const std::vector<calendar::Firing> firings = calendar::firings(
        command.from.value_or(core::SystemClock{}.now()), command.count, config.schedule.daily_at,
        config.energy_levels.reporting_period_months, zone, calendar::find_zone(config.api.time_zone));
    if (command.json) {
        print_as_json(firings, zone);
    } else {
        print_for_people(firings, zone);
    }
    return core::ExitCode::done;
}

}  // namespace heiasync::commands
