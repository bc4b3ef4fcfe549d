#include "calendar/calendar.hpp"
#include "content.hpp"
#include "installation.hpp"
#include "querying_page.hpp"
#include "simulator/documents.hpp"

#include <date/date.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace heiasync::testing {

namespace {

using date::sys_days;
using namespace date::literals;
using namespace std::chrono_literals;
using simulator::Fault;
using simulator::Operation;

std::string text(core::Date date) {
    return core::format_date(date);
}

core::Date after(core::Date date, int days) {
    return core::Date{sys_days{date} + date::days{days}};
}

/// Of a line with `|` between them.
std::string field(const std::string& line, int number) {
    std::size_t begin = 0;
    for (; number > 0; --number) {
        begin = line.find('|', begin) + 1;
    }
    return line.substr(begin, line.find('|', begin) - begin);
}

/// What a date brought, as the API saw it.
struct Day {
    std::optional<core::Instant> asked_at;  ///< unset: nobody asked
    bool is_listed = false;                 ///< the whole listing was answered
    bool per_business_id = true;            ///< what the settings said
    std::set<std::pair<std::int64_t, std::string>> stats;
    std::set<std::pair<std::int64_t, std::string>> unmapped;
    std::set<std::pair<std::int64_t, std::string>> energy_levels;
    std::set<std::int64_t> report_listings;
    std::set<std::pair<std::int64_t, int>> reports;  ///< report, generation
};

/// A stretch of time in which much goes wrong, asked once a day, and what then must be missing: worked out from what
/// the simulator answered, by the rules of docs/rules.md and none of our SQL.
class History {
public:
    History(core::Date first, core::Date last) : first_{first}, last_{last} {
        installation_.tolerate(simulator::Violation::Kind::energy_levels_below_gate);
        for (core::Date date = first; date <= last; date = after(date, 1)) {
            days_[date];
        }
    }

    void is_away(core::Date from, core::Date to) {
        for (core::Date date = from; date <= to; date = after(date, 1)) {
            away_.insert(date);
        }
    }
    void has_fault(core::Date date, Fault fault) { faults_[date].push_back(std::move(fault)); }
    void asks_no_business_ids_from(core::Date date) { no_business_ids_from_ = date; }
    void database_is_away(core::Date date) { database_away_.insert(date); }

    void live() {
        for (auto& [date, day] : days_) {
            if (away_.contains(date)) {
                continue;
            }
            const bool has_database = !database_away_.contains(date);
            day.per_business_id = !no_business_ids_from_ || date < *no_business_ids_from_;
            installation_.config()["business_ids"]["stats"] = day.per_business_id;
            const auto now = calendar::slot_of(date, 4h + 30min, zone_).value().at + 5min;
            installation_.api().clear_faults();
            installation_.api().clear_observations();
            for (const Fault& fault : faults_[date]) {
                installation_.api().fail(fault);
            }
            for (const Fault& fault : always_) {
                installation_.api().fail(fault);
            }
            installation_.config()["database"]["url"] =
                has_database ? installation_.database_url() : "postgresql:///heiasync?host=/nowhere";
            const Outcome outcome =
                installation_.run({"sync", "--quiet", "--simulated-time", core::format_instant(now)});
            EXPECT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 1 || outcome.exit_code == 69)
                << text(date) << outcome.err;
            if (has_database) {
                day.asked_at = now;
                note(day);
            }
        }
    }

    /// `stream|organisation|business id|expected_on|period_start|report|state`.
    std::set<std::string> missing() {
        std::set<std::string> lines;
        std::vector<simulator::Organisation> known;
        for (const auto& [date, day] : days_) {
            const bool lasts = date == last_;
            const auto add = [&, date = date](const char* stream, std::int64_t organisation,
                                              const std::string& business_id) {
                const char* state = lasts && !is_final(date, stream, organisation) ? "open" : "final";
                lines.insert(
                    fmt::format("{}|{}|{}|{}|NULL|NULL|{}", stream, organisation, business_id, text(date), state));
            };
            if (day.is_listed) {
                known = Truth{world(), *day.asked_at}.organisations();
            } else {
                add("organisations", 0, "");
            }
            for (const auto& organisation : known) {
                for (const std::string& business_id : subjects(organisation, day.per_business_id)) {
                    if (!day.stats.contains({organisation.id, business_id}) &&
                        !day.unmapped.contains({organisation.id, business_id})) {
                        add("usage_stats", organisation.id, business_id);
                    }
                }
                if (!day.report_listings.contains(organisation.id)) {
                    add("reports", organisation.id, "");
                }
            }
        }
        add_energy_levels(lines);
        add_reports(lines);
        return lines;
    }

    /// `organisation|business id|date|previous date|app_use_count_delta|counter_reset` of all that was answered.
    std::set<std::string> deltas() {
        std::set<std::string> lines;
        std::map<std::pair<std::int64_t, std::string>, std::pair<core::Date, std::optional<std::int64_t>>> before;
        for (const auto& [date, day] : days_) {
            for (const auto& subject : day.stats) {
                const auto count = world().stats(subject.first, subject.second, *day.asked_at).value().app_use_count;
                const auto previous = before.find(subject);
                std::string delta = "NULL";
                bool reset = false;
                if (previous != before.end() && count && previous->second.second) {
                    reset = *count < *previous->second.second;
                    delta = reset ? "NULL" : std::to_string(*count - *previous->second.second);
                }
                lines.insert(fmt::format("{}|{}|{}|{}|{}|{}", subject.first, subject.second, text(date),
                                         previous == before.end() ? "NULL" : text(previous->second.first), delta,
                                         reset ? "t" : "f"));
                before.insert_or_assign(subject, std::pair{date, count});
            }
        }
        return lines;
    }

    /// `name|month|uses|counter_reset|previous closing day|closing day|observed days|days in the month`, from a month
    /// on.
    std::set<std::string> monthly_uses(core::Date from) {
        std::set<std::string> lines;
        for (const auto& [organisation, observed] : observed()) {
            for (core::Date month = from; month <= last_; month = next_month(month)) {
                const auto use = use_between(observed, month, next_month(month), core::Date{month - date::months{1}});
                if (use.observed_days > 0) {
                    const auto days = (sys_days{next_month(month)} - sys_days{month}).count();
                    lines.insert(fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", name(organisation), text(month), use.uses,
                                             use.is_reset ? "t" : "f", use.previous, use.closing, use.observed_days,
                                             days));
                }
            }
        }
        return lines;
    }

    /// `id|name|first closing day|last closing day|accepted members then|and then|growth` of those that are listed,
    /// from a month on.
    std::set<std::string> growth(core::Date from_month) {
        std::set<std::string> lines;
        const auto everybody = observed();
        for (const auto& organisation : Truth{world(), *days_.at(last_).asked_at}.organisations()) {
            const auto& observed = everybody.at(organisation.id);
            const core::Date earliest = observed.lower_bound(from_month)->first;
            const auto first = std::prev(observed.lower_bound(next_month(first_of_month(earliest))));
            const auto last = std::prev(observed.end());
            const auto from = first->second.hh_core_accepted_membership_count;
            const auto to = last->second.hh_core_accepted_membership_count;
            lines.insert(fmt::format("{}|{}|{}|{}|{}|{}|{}", organisation.id, organisation.name, text(first->first),
                                     text(last->first), from ? std::to_string(*from) : "NULL",
                                     to ? std::to_string(*to) : "NULL",
                                     from && to ? std::to_string(*to - *from) : "NULL"));
        }
        return lines;
    }

    /// `name|period|its end|uses|observed days|average points|answers`.
    std::set<std::string> use_beside_energy_levels() {
        std::set<std::string> lines;
        const auto everybody = observed();
        for (const Level& level : levels()) {
            const core::Date end = next_month(level.period_start);
            const auto observed = everybody.find(level.organisation);
            const auto use = observed == everybody.end()
                                 ? Use{}
                                 : use_between(observed->second, level.period_start, end, date::year::min() / 1 / 1);
            lines.insert(fmt::format("{}|{}|{}|{}|{}|{}|{}", name(level.organisation), text(level.period_start),
                                     text(after(end, -1)), use.uses,
                                     use.observed_days > 0 ? std::to_string(use.observed_days) : "NULL",
                                     level.points ? two_decimals(*level.points) : "NULL", level.answers));
        }
        return lines;
    }

    /// `name|period|its end|points of the one two before|of the one before|of it`, where they fell twice.
    std::set<std::string> fell_twice() {
        std::map<std::pair<std::int64_t, core::Date>, double> points;
        for (const Level& level : levels()) {
            if (level.points) {
                points[{level.organisation, level.period_start}] = *level.points;
            }
        }
        std::set<std::string> lines;
        for (const auto& [key, third] : points) {
            const auto second = points.find({key.first, key.second - date::months{1}});
            const auto first = points.find({key.first, key.second - date::months{2}});
            if (second != points.end() && first != points.end() && third < second->second &&
                second->second < first->second) {
                lines.insert(fmt::format("{}|{}|{}|{}|{}|{}", name(key.first), text(key.second),
                                         text(after(next_month(key.second), -1)), two_decimals(first->second),
                                         two_decimals(second->second), two_decimals(third)));
            }
        }
        return lines;
    }

    /// Whether all that was due on a date has been had, or never can be, and whether all of it has been had.
    struct State {
        bool ready = false;
        bool complete = false;
    };
    [[nodiscard]] State state(core::Date date, const std::set<std::string>& missing) const {
        const auto has_gap = [&](const std::string& state) {
            return std::ranges::any_of(missing, [&](const std::string& line) {
                return field(line, 3) == text(date) && field(line, 6) == state;
            });
        };
        const bool ready = days_.at(date).asked_at && !has_gap("open");
        return {ready, ready && !has_gap("final")};
    }

    /// Whether nobody could run on that date.
    [[nodiscard]] bool has_no_run(core::Date date) const { return !days_.at(date).asked_at; }

    [[nodiscard]] const std::map<core::Date, Day>& days() const { return days_; }
    [[nodiscard]] core::Date last() const { return last_; }
    [[nodiscard]] Installation& installation() { return installation_; }
    simulator::World& world() { return installation_.api().world(); }
    /// For all time.
    void always(Fault fault) { always_.push_back(std::move(fault)); }

private:
    using Observed = std::map<core::Date, simulator::UsageStats>;
    struct Use {
        std::string uses = "NULL";
        bool is_reset = false;
        std::string previous = "NULL";
        std::string closing;
        std::int64_t observed_days = 0;
    };
    /// The energy level of a whole organisation.
    struct Level {
        std::int64_t organisation = 0;
        core::Date period_start;
        std::optional<double> points;
        std::int64_t answers = 0;
    };

    static core::Date first_of_month(core::Date date) { return date.year() / date.month() / 1_d; }
    static core::Date next_month(core::Date first) { return first + date::months{1}; }
    static std::string two_decimals(double four_decimals) {
        const auto hundredths = (std::llround(four_decimals * 10'000) + 50) / 100;
        return fmt::format("{}.{:02}", hundredths / 100, hundredths % 100);
    }
    /// Of an organisation, as it was called at last.
    std::string name(std::int64_t organisation) {
        for (auto day = days_.rbegin(); day != days_.rend(); ++day) {
            const auto known =
                day->second.asked_at ? world().organisation(organisation, *day->second.asked_at) : std::nullopt;
            if (known) {
                return known->name;
            }
        }
        return {};
    }

    /// What was answered of each whole organisation.
    std::map<std::int64_t, Observed> observed() {
        std::map<std::int64_t, Observed> observed;
        for (const auto& [date, day] : days_) {
            for (const auto& [organisation, business_id] : day.stats) {
                if (business_id.empty()) {
                    observed[organisation][date] = world().stats(organisation, "", *day.asked_at).value();
                }
            }
        }
        return observed;
    }

    /// From the last observation before the first date, if that is not before `earliest`, to the last before the end.
    static Use use_between(const Observed& observed, core::Date begin, core::Date end, core::Date earliest) {
        Use use;
        const auto first = observed.lower_bound(begin);
        const auto beyond = observed.lower_bound(end);
        use.observed_days = std::distance(first, beyond);
        if (use.observed_days == 0) {
            return use;
        }
        const auto& [closing, now] = *std::prev(beyond);
        use.closing = text(closing);
        if (first == observed.begin() || std::prev(first)->first < earliest) {
            return use;
        }
        const auto& [previous, then] = *std::prev(first);
        use.previous = text(previous);
        if (then.app_use_count && now.app_use_count) {
            use.is_reset = *now.app_use_count < *then.app_use_count;
            use.uses = use.is_reset ? "NULL" : std::to_string(*now.app_use_count - *then.app_use_count);
        }
        return use;
    }

    /// All that was answered, each of the month before the one in which it was asked for.
    std::vector<Level> levels() {
        std::vector<Level> levels;
        for (const auto& [date, day] : days_) {
            for (const auto& [organisation, business_id] : day.energy_levels) {
                if (!business_id.empty()) {
                    continue;
                }
                const core::Date start = first_of_month(date) - date::months{1};
                rapidjson::Document document;
                document.Parse<rapidjson::kParseFullPrecisionFlag>(
                    simulator::energy_levels_document(world(), organisation, {}, {start, after(next_month(start), -1)},
                                                      *day.asked_at)
                        .c_str());
                const auto& result = document["instances"][0]["organisation"];
                Level level{organisation, start, {}, result["answer_count"].GetInt64()};
                if (result["insufficient_data"].IsFalse()) {
                    level.points = result["average_points"].GetDouble();
                }
                levels.push_back(level);
            }
        }
        return levels;
    }

    void note(Day& day) {
        bool listing_failed = false;
        for (const simulator::Request& request : installation_.api().requests()) {
            const std::pair subject{request.organisation.value_or(0), request.business_id};
            const bool answered = request.status == 200;
            switch (request.operation) {
                case Operation::organisations:
                    listing_failed = !answered;
                    day.is_listed = answered;
                    break;
                case Operation::stats:
                    if (answered) {
                        day.stats.insert(subject);
                    } else if (request.status == 400) {
                        day.unmapped.insert(subject);
                    } else if (request.status == 403) {
                        refused_.insert({text(core::Date{sys_days{calendar::local_date(request.at, zone_)}}),
                                         "usage_stats", subject.first});
                    }
                    break;
                case Operation::energy_levels:
                    if (answered) {
                        day.energy_levels.insert(subject);
                    }
                    break;
                case Operation::reports:
                    if (answered) {
                        day.report_listings.insert(subject.first);
                    }
                    break;
                case Operation::full_data:
                    if (answered) {
                        day.reports.insert({request.report.value_or(0), request.generation});
                    }
                    break;
                default:
                    break;
            }
        }
        day.is_listed = day.is_listed && !listing_failed;
    }

    bool is_final(core::Date date, const std::string& stream, std::int64_t organisation) const {
        return refused_.contains({text(date), stream, organisation});
    }

    static std::vector<std::string> subjects(const simulator::Organisation& organisation, bool per_business_id) {
        std::vector<std::string> subjects{""};
        if (per_business_id && organisation.multi_business_id) {
            for (const auto& business_id : organisation.business_ids) {
                subjects.push_back(business_id.id);
            }
        }
        return subjects;
    }

    /// Whether a cell was stored or skipped on that date.
    bool settles(const Day& day, const simulator::Organisation& organisation, const std::string& business_id) {
        const Truth truth{world(), *day.asked_at};
        if (day.energy_levels.contains({organisation.id, business_id})) {
            return true;
        }
        const auto is_below = [&](const std::string& subject) {
            const auto accepted = truth.accepted_members(organisation.id, subject);
            return day.stats.contains({organisation.id, subject}) && accepted && *accepted < 5;
        };
        const bool is_unmapped =
            !business_id.empty() && !truth.mapped_subjects().contains(subject(organisation.id, business_id));
        const bool whole_is_known =
            day.stats.contains({organisation.id, ""}) && truth.accepted_members(organisation.id, "");
        return is_below("") || (is_unmapped && day.stats.contains({organisation.id, ""})) ||
               (whole_is_known && !business_id.empty() && is_below(business_id));
    }

    void add_energy_levels(std::set<std::string>& lines) {
        for (const auto& [date, unused] : days_) {
            if (date.day() != 1_d) {
                continue;
            }
            const auto closing =
                std::find_if(days_.find(date), days_.end(), [](const auto& entry) { return entry.second.is_listed; });
            if (closing == days_.end()) {
                continue;
            }
            const core::Date period_start = core::Date{date.year() / date.month() / 1_d} - date::months{1};
            for (const auto& organisation : Truth{world(), *closing->second.asked_at}.organisations()) {
                for (const std::string& business_id : subjects(organisation, true)) {
                    bool settled = false;
                    for (int late = 0; late <= 7 && after(date, late) <= last_; ++late) {
                        const Day& day = days_.at(after(date, late));
                        settled = settled || (day.asked_at && day.is_listed && settles(day, organisation, business_id));
                    }
                    if (!settled) {
                        lines.insert(fmt::format("energy_levels|{}|{}|{}|{}|NULL|{}", organisation.id, business_id,
                                                 text(date), text(period_start),
                                                 last_ <= after(date, 7) ? "open" : "final"));
                    }
                }
            }
        }
    }

    void add_reports(std::set<std::string>& lines) {
        using Version = std::tuple<std::int64_t, std::int64_t, core::Instant>;
        std::map<Version, std::pair<core::Date, std::string>> listed;
        std::set<std::pair<std::int64_t, int>> stored;
        std::map<Version, int> generations;
        std::set<Version> listed_last;
        std::set<std::int64_t> known;
        for (const auto& [date, day] : days_) {
            stored.insert(day.reports.begin(), day.reports.end());
            if (!day.asked_at) {
                continue;
            }
            const Truth truth{world(), *day.asked_at};
            if (day.is_listed) {
                known.clear();
                for (const auto& organisation : truth.organisations()) {
                    known.insert(organisation.id);
                }
            }
            for (const std::int64_t organisation : day.report_listings) {
                std::erase_if(listed_last,
                              [&](const Version& version) { return std::get<0>(version) == organisation; });
                for (const auto& report : truth.viewed_reports(organisation)) {
                    const Version version{organisation, report.id, report.generated_at};
                    listed.try_emplace(version, date, report.sub_report_business_id.value_or(""));
                    generations[version] = report.generation;
                    listed_last.insert(version);
                }
            }
        }
        for (const auto& [version, first] : listed) {
            const auto& [organisation, report, generated_at] = version;
            if (!stored.contains({report, generations[version]})) {
                const bool is_open = known.contains(organisation) && listed_last.contains(version);
                lines.insert(fmt::format("reports|{}|{}|{}|NULL|{}|{}", organisation, first.second, text(first.first),
                                         report, is_open ? "open" : "final"));
            }
        }
    }

    Installation installation_{tiny_world()};
    const date::time_zone& zone_ = calendar::find_zone("Europe/Helsinki");
    core::Date first_;
    core::Date last_;
    std::map<core::Date, Day> days_;
    std::set<core::Date> away_;
    std::set<core::Date> database_away_;
    std::map<core::Date, std::vector<Fault>> faults_;
    std::vector<Fault> always_;
    std::optional<core::Date> no_business_ids_from_;
    std::set<std::tuple<std::string, std::string, std::int64_t>> refused_;
};

class HistoryTest : public ::testing::Test {
protected:
    /// What `why` says of a date: every expected cell once, and what the rows themselves say of it and nothing else.
    static void expect_one_explanation_each(const Installation& installation, const std::string& date,
                                            const rapidjson::Value& explained) {
        const auto read = [&](const char* sql) {
            return installation.lines(fmt::format(
                "SELECT stream, organisation_id, business_id, report_id, date_trunc('second', generated_at) FROM ({}) "
                "AS cell (stream, organisation_id, business_id, report_id, generated_at)",
                fmt::format(fmt::runtime(sql), date)));
        };
        const std::map<std::string, std::set<std::string>> outcomes{
            {"stored",
             read("SELECT 'organisations', 0, '', NULL::bigint, NULL::timestamptz FROM heiasync.listings "
                  "WHERE run_on = '{0}' AND complete AND NOT held_back "
                  "UNION SELECT 'usage_stats', organisation_id, business_id, NULL, NULL FROM heiasync.usage_stats "
                  "WHERE observed_on = '{0}' "
                  "UNION SELECT 'energy_levels', organisation_id, business_id, NULL, NULL FROM heiasync.energy_levels "
                  "WHERE period_end = '{0}'::date - 1 "
                  "UNION SELECT 'reports', organisation_id, '', NULL, NULL FROM heiasync.sync_tasks "
                  "WHERE run_on = '{0}' AND stream = 'reports' AND status = 'done' AND report_id IS NULL "
                  "UNION SELECT 'reports', organisation_id, business_id, report_id, generated_at FROM "
                  "heiasync.reports")},
            {"skipped",
             read("SELECT stream, organisation_id, business_id, NULL::bigint, NULL::timestamptz FROM "
                  "heiasync.sync_tasks WHERE status = 'skipped' AND (stream = 'usage_stats' AND run_on = '{0}' "
                  "OR period_start = date_trunc('month', '{0}'::date - 1)) GROUP BY 1, 2, 3")},
            {"missing",
             read("SELECT stream, organisation_id, business_id, report_id, generated_at FROM heiasync.sync_gaps "
                  "WHERE expected_on = '{0}'")}};
        std::set<std::string> cells;
        for (const auto& cell : explained.GetArray()) {
            const std::string outcome = cell["outcome"].GetString();
            EXPECT_GT(cell["rule"].GetInt(), 0) << date;
            if (outcome == "not_expected") {
                EXPECT_FALSE(cell["attempts"].Empty()) << date;
                continue;
            }
            const bool is_report = !cell["report_id"].IsNull();
            const std::string name = fmt::format(
                "{}|{}|{}|{}|{}", cell["stream"].GetString(), cell["organisation_id"].GetInt64(),
                cell["business_id"].GetString(), is_report ? std::to_string(cell["report_id"].GetInt64()) : "NULL",
                is_report ? as_stored(core::parse_instant(cell["generated_at"].GetString())) : "NULL");
            EXPECT_TRUE(cells.insert(name).second) << "twice: " << name;
            EXPECT_EQ(cell["reason"].IsNull(), outcome == "stored") << name;
            EXPECT_EQ(cell["state"].IsString(), outcome == "missing") << name;
            for (const auto& [other, rows] : outcomes) {
                EXPECT_EQ(rows.contains(name), other == outcome) << name << ": " << outcome << ", but " << other;
            }
        }
        EXPECT_EQ(difference(read("SELECT stream, organisation_id, business_id, report_id, generated_at FROM "
                                  "heiasync.expected('{0}', '{0}')"),
                             cells),
                  "");
    }

    /// Looks at all that the history says of itself.
    static void verify(History& history) {
        Installation& installation = history.installation();
        const auto missing = history.missing();
        EXPECT_EQ(difference(missing, installation.lines("SELECT stream, organisation_id, business_id, expected_on, "
                                                         "period_start, report_id, state FROM heiasync.sync_gaps")),
                  "");
        EXPECT_EQ(
            difference(history.deltas(), installation.lines("SELECT organisation_id, business_id, observed_on, "
                                                            "previous_observed_on, app_use_count_delta, counter_reset "
                                                            "FROM heiasync.usage_stats_daily")),
            "");
        for (const auto& [date, day] : history.days()) {
            const auto [ready, complete] = history.state(date, missing);
            EXPECT_EQ(installation.value(fmt::format(
                          "SELECT heiasync.ready('{0}')::text || ' ' || heiasync.complete('{0}')::text", text(date))),
                      fmt::format("{} {}", ready, complete))
                << text(date);
        }
    }

    /// What the questions of docs/querying.md about months say; `from_month` is the first of the last twelve and this
    /// one, as far as there is a history.
    static void expect_answers_of_the_page(History& history, core::Date from_month,
                                           const std::vector<std::int64_t>& organisations) {
        const QueryingPage page = read_querying_page();
        Installation& installation = history.installation();
        const auto answer = [&](const std::string& columns, std::string_view question) {
            return installation.lines(fmt::format("SELECT {} FROM ({}) AS answer", columns, page.query(question)));
        };
        EXPECT_EQ(difference(history.monthly_uses(from_month), answer("*", "How much was the app used in each month")),
                  "");
        EXPECT_EQ(difference(history.growth(from_month), answer("*", "Which organisations grew the most")), "");
        EXPECT_EQ(difference(history.use_beside_energy_levels(), answer("*", "How does the use of the app go")), "");
        const auto fell = history.fell_twice();
        EXPECT_FALSE(fell.empty());
        EXPECT_EQ(difference(fell, answer("*", "Whose energy level fell")), "");
        const auto missing = history.missing();
        std::set<std::string> states;
        for (core::Date date = after(history.last(), -29); date <= history.last(); date = after(date, 1)) {
            const auto [ready, complete] = history.state(date, missing);
            states.insert(fmt::format("{}|{}|{}", text(date), ready ? "t" : "f", complete ? "t" : "f"));
        }
        EXPECT_EQ(difference(states, answer("*", "Which of the last 30 days are ready")), "");
        for (const std::int64_t organisation : organisations) {
            std::set<std::string> expected;
            for (const std::string& line : missing) {
                const auto id = std::stoll(field(line, 1));
                if ((id == organisation || id == 0) && field(line, 3) > text(after(history.last(), -400))) {
                    const bool depends_on_that_run = field(line, 0) != "energy_levels" && field(line, 5) == "NULL";
                    const bool had_no_run = history.has_no_run(core::parse_date(field(line, 3)));
                    expected.insert(fmt::format("{}|{}|{}|{}|{}|{}|{}", field(line, 3), field(line, 0), field(line, 2),
                                                field(line, 4), field(line, 5), field(line, 6),
                                                depends_on_that_run && had_no_run ? "t" : "f"));
                }
            }
            std::string query = page.query("Which days are missing of one organisation");
            query.replace(query.find("142"), 3, std::to_string(organisation));
            EXPECT_EQ(difference(expected, installation.lines(
                                               fmt::format("SELECT expected_on, stream, business_id, period_start, "
                                                           "report_id, state, reason = 'no_run' FROM ({}) AS answer",
                                                           query))),
                      "")
                << organisation;
        }
        std::map<std::string, int> months;
        for (const std::string& line : missing) {
            const std::string month = field(line, 3).substr(0, 7) + "-01";
            if (month >= text(from_month)) {
                ++months[fmt::format("{}|{}|{}", month, field(line, 0), field(line, 6))];
            }
        }
        std::set<std::string> gaps_of_months;
        for (const auto& [month, gaps] : months) {
            gaps_of_months.insert(fmt::format("{}|{}", month, gaps));
        }
        EXPECT_EQ(difference(gaps_of_months, installation.lines(fmt::format(
                                                 "SELECT month, stream, state, sum(gaps) FROM ({}) AS answer "
                                                 "GROUP BY 1, 2, 3",
                                                 page.query("How complete is the history")))),
                  "");
    }
};

TEST_F(HistoryTest, TellsExactlyWhatIsMissingFromTwelveWeeks) {
    History history{2026_y / 2 / 25, 2026_y / 5 / 20};
    auto& world = history.world();
    const auto listed = Truth{world, core::parse_instant("2026-02-25T03:00:00Z")}.organisations();
    history.is_away(2026_y / 3 / 20, 2026_y / 3 / 21);
    history.is_away(2026_y / 5 / 1, 2026_y / 5 / 3);
    history.database_is_away(2026_y / 4 / 15);
    Fault unavailable;
    unavailable.status = 503;
    history.has_fault(2026_y / 4 / 5, unavailable);
    unavailable.after = 12;
    history.has_fault(2026_y / 4 / 10, unavailable);
    Fault refused;
    refused.operation = Operation::stats;
    refused.organisation = listed[1].id;
    refused.status = 403;
    history.has_fault(2026_y / 4 / 20, refused);
    history.has_fault(2026_y / 5 / 20, refused);
    Fault broken;
    broken.operation = Operation::full_data;
    broken.organisation = listed[2].id;
    history.always(broken);
    world.hide(listed[3].id, simulator::vendor_midnight(2026_y / 4 / 12), simulator::vendor_midnight(2026_y / 4 / 25));
    simulator::Organisation late;
    late.id = 9'000'001;
    late.name = "Latecomer";
    world.add(late, simulator::vendor_midnight(2026_y / 4 / 18));
    // Of April it has an energy level, but nobody observed it then.
    simulator::Organisation unobserved;
    unobserved.id = 9'000'002;
    unobserved.name = "Newcomer of May";
    world.add(unobserved, simulator::vendor_midnight(2026_y / 5 / 2));
    world.set_stats(unobserved.id, {}, {50, 40, 30, 20, 10});
    auto fallen = world.stats(listed[4].id, {}, simulator::vendor_midnight(2026_y / 4 / 8)).value();
    fallen.app_use_count = 7;
    world.set_stats(listed[4].id, {}, fallen, simulator::vendor_midnight(2026_y / 4 / 8));
    history.asks_no_business_ids_from(2026_y / 5 / 10);
    history.live();
    verify(history);

    Installation& installation = history.installation();
    EXPECT_TRUE(std::ranges::any_of(history.monthly_uses(2026_y / 2 / 1),
                                    [](const std::string& line) { return field(line, 3) == "t"; }));
    EXPECT_TRUE(std::ranges::any_of(history.use_beside_energy_levels(), [&](const std::string& line) {
        return line.starts_with(unobserved.name + "|2026-04-01|2026-04-30|NULL|NULL|");
    }));
    expect_answers_of_the_page(history, 2026_y / 2 / 1, {listed[1].id, listed[2].id, listed[3].id, late.id});

    for (const char* date : {"2026-03-20", "2026-04-05", "2026-04-10", "2026-05-01", "2026-05-20"}) {
        SCOPED_TRACE(date);
        const Outcome why = history.installation().run({"why", date, "--json"});
        rapidjson::Document document;
        document.Parse(why.out.c_str());
        ASSERT_FALSE(document.HasParseError()) << why.err;
        expect_one_explanation_each(installation, date, document["cells"]);
    }
    const Outcome gaps = history.installation().run({"gaps", "--open", "--json"});
    EXPECT_EQ(gaps.exit_code, 1);
    EXPECT_EQ(history.installation().run({"gaps", "--from", "2026-03-15", "--to", "2026-03-19"}).exit_code, 0);
}

TEST_F(HistoryTest, ThePageLooksBackTwelveMonths) {
    History history{2025_y / 3 / 28, 2026_y / 7 / 2};
    for (core::Date date = 2025_y / 3 / 29; date < core::Date{2026_y / 7 / 2}; date = after(date, 1)) {
        if (date.day() != 1_d && date.day() != 15_d) {
            history.is_away(date, date);
        }
    }
    const auto gone = Truth{history.world(), core::parse_instant("2025-03-28T03:00:00Z")}.organisations().back().id;
    history.world().hide(gone, simulator::vendor_midnight(2026_y / 3 / 20));
    history.live();
    const auto organisation = Truth{history.world(), *history.days().at(history.last()).asked_at}.organisations()[0].id;
    expect_answers_of_the_page(history, 2025_y / 7 / 1, {organisation});
}

}  // namespace

}  // namespace heiasync::testing
