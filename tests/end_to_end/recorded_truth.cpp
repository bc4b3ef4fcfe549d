#include "recorded_truth.hpp"

#include <date/date.h>
#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

namespace heiasync::testing {

namespace {

using date::sys_days;
using namespace date::literals;
using namespace std::chrono_literals;
using simulator::Operation;
using simulator::Organisation;
using simulator::Request;
using simulator::UsageStats;
using Outcome = ExpectedCell::Outcome;

constexpr int minimum_accepted_members = 5;
constexpr int max_days_late = 7;
constexpr std::size_t always_believed = 5;
constexpr std::size_t max_vanished_percent = 20;

/// An organisation or one of its business ids.
using Subject = std::pair<std::int64_t, std::string>;
/// Energy levels: whose, and the first day of the period as it was sent.
using Snapshot = std::tuple<std::int64_t, std::string, std::string>;
/// A version of a report, as the simulator counts them.
using Version = std::pair<std::int64_t, int>;

core::Date after(core::Date date, int days) {
    return core::Date{sys_days{date} + date::days{days}};
}

int days_between(core::Date from, core::Date until) {
    return static_cast<int>((sys_days{until} - sys_days{from}).count());
}

/// Of a date in Finland.
core::Instant end_of(core::Date date) {
    return simulator::vendor_midnight(after(date, 1));
}

template <class Value, class Format>
std::string text_or_null(const std::optional<Value>& value, Format format) {
    return value ? format(*value) : "NULL";
}

std::string text_or_null(std::optional<std::int64_t> value) {
    return text_or_null(value, [](std::int64_t number) { return std::to_string(number); });
}

std::string text_or_null(const std::optional<core::Date>& value) {
    return text_or_null(value, [](core::Date date) { return core::format_date(date); });
}

struct Failure {
    std::string reason;
    core::Date on{};
    bool is_for_the_day = false;  ///< 400, 403 and 404
};

bool is_answered(const Request& request) {
    return request.status == 200 && !request.faulty;
}

/// Faults that answer anything answer the documented error object; those that do not cut the connection.
Failure failure_of(const Request& request) {
    Failure failure;
    failure.on = simulator::vendor_date(request.at);
    failure.is_for_the_day = request.status == 400 || request.status == 403 || request.status == 404;
    failure.reason = request.status == 200   ? "transport"
                     : request.faulty        ? "unknown_error"
                     : request.status == 403 ? "no_org_access"
                     : request.status == 400 ? "invalid_param"
                                             : "not_found";
    return failure;
}

std::size_t number(const Request& request, const char* parameter) {
    return std::stoul(request.query.at(parameter));
}

/// Whether a page of a listing has nothing on it: that is how its end is known.
bool is_past(const Request& page, std::size_t items) {
    return (number(page, "page") - 1) * number(page, "per_page") >= items;
}

/// A complete listing of the organisations, and who is known after it.
struct Listing {
    core::Instant at;
    bool is_held_back = false;
    std::map<std::int64_t, Organisation> known;
};

/// What the runs of a date asked and were answered.
struct Day {
    bool had_a_run = false;
    std::vector<Listing> listings;
    std::optional<Failure> listing_failure;
    std::map<Subject, std::vector<core::Instant>> stats;
    std::map<Subject, Failure> failed_stats;
    std::set<Subject> unmapped;
    std::map<std::int64_t, core::Instant> report_listings;  ///< by organisation
    std::map<std::int64_t, Failure> failed_report_listings;
    std::map<std::int64_t, core::Instant> came_to_reports;  ///< when last, answered or not
    std::map<Snapshot, core::Instant> energy_levels;
    std::map<Snapshot, Failure> failed_energy_levels;
    std::set<Version> reports;
    std::map<Version, Failure> failed_reports;
};

std::vector<simulator::Report> viewed(const simulator::World& world, std::int64_t organisation, core::Instant at) {
    return Truth{world, at}.viewed_reports(organisation);
}

std::vector<Organisation> listed(const simulator::World& world, const Request& page) {
    std::set<int> size_classes;
    std::istringstream list{page.query.at("size_classes")};
    for (std::string item; std::getline(list, item, ',');) {
        size_classes.insert(std::stoi(item));
    }
    std::vector<Organisation> organisations = world.organisations(page.at);
    std::erase_if(organisations, [&](const Organisation& item) { return !size_classes.contains(item.size_class); });
    return organisations;
}

std::vector<std::string> subjects(const Organisation& organisation, bool per_business_id) {
    std::vector<std::string> subjects{""};
    if (per_business_id && organisation.multi_business_id) {
        for (const auto& business_id : organisation.business_ids) {
            subjects.push_back(business_id.id);
        }
    }
    return subjects;
}

std::string done(std::string_view stream, std::int64_t organisation, std::string_view business_id,
                 std::string_view period_start, const std::string& report) {
    return fmt::format("{}|{}|{}|{}|{}", stream, organisation, business_id, period_start, report);
}

/// What held from a date on.
template <class Value>
Value in_force(const std::map<core::Date, Value>& values, core::Date date, Value otherwise) {
    const auto later = values.upper_bound(date);
    return later == values.begin() ? otherwise : std::prev(later)->second;
}

}  // namespace

std::string ExpectedCell::name() const {
    return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", stream, organisation_id, business_id, core::format_date(expected_on),
                       text_or_null(period_start), text_or_null(period_end), text_or_null(report_id),
                       text_or_null(generated_at, as_stored));
}

std::string ExpectedCell::gap() const {
    return fmt::format("{}|{}|{}|{}", name(), is_open ? "open" : "final", reason, text_or_null(attempted_on));
}

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::stored:
            return "stored";
        case Outcome::skipped:
            return "skipped";
        case Outcome::missing:
            return "missing";
        case Outcome::not_due:
            break;
    }
    return "not_due";
}

std::set<std::string> HistoryTruth::names() const {
    std::set<std::string> names;
    for (const ExpectedCell& cell : cells) {
        names.insert(cell.name());
    }
    return names;
}

std::set<std::string> HistoryTruth::gaps() const {
    std::set<std::string> gaps;
    for (const ExpectedCell& cell : cells) {
        if (cell.outcome == Outcome::missing) {
            gaps.insert(cell.gap());
        }
    }
    return gaps;
}

/// The steps from requests to cells.
class RecordedTruth::Work {
public:
    Work(const RecordedTruth& truth, const std::vector<Request>& requests, core::Instant now)
        : truth_{truth}, world_{truth.world_}, now_{now} {
        core::Date date{};
        for (const Request& request : requests) {
            if (request.operation == Operation::token) {
                // A run has the date of its start.
                date = simulator::vendor_date(request.at);
                days_[date].had_a_run = true;
            } else if (!is_in(truth_.lost_, request.at)) {
                note(days_[date], request);
            }
        }
        days_[simulator::vendor_date(now)].had_a_run = true;
        for (auto& [unused, day] : days_) {
            tell_unmapped(day);
            for (const Listing& listing : day.listings) {
                first_ = first_.value_or(simulator::vendor_date(listing.at));
            }
        }
        note_report_versions();
    }

    HistoryTruth result() {
        HistoryTruth truth;
        truth.today = simulator::vendor_date(now_);
        if (first_) {
            for (core::Date date = *first_; date <= truth.today; date = after(date, 1)) {
                add_cells(date);
            }
            for (core::Date date = after(*first_, -1); date <= after(truth.today, 1); date = after(date, 1)) {
                truth.dates[date] = tell(date);
            }
        }
        add_daily(truth.daily);
        for (const auto& [date, day] : days_) {
            for (const auto& [snapshot, unused] : day.energy_levels) {
                const auto& [organisation, business_id, start] = snapshot;
                const core::Date end = period_end(core::parse_date(start));
                truth.energy_levels.insert(fmt::format("{}|{}|{}|{}|{}", organisation, business_id, start,
                                                       core::format_date(end), days_between(end, date) - 1));
            }
        }
        for (const auto& [version, unused] : versions_) {
            if (is_stored(version)) {
                truth.reports.insert(version_line(version));
            }
        }
        truth.cells = std::move(cells_);
        return truth;
    }

private:
    /// A version of a report: of which organisation, which report, and when generated.
    struct ListedVersion {
        std::int64_t organisation = 0;
        std::int64_t report = 0;
        core::Instant generated_at;
        int generation = 0;

        friend auto operator<=>(const ListedVersion&, const ListedVersion&) = default;
    };
    struct FirstListing {
        core::Date on{};
        std::string business_id;
    };

    void note(Day& day, const Request& request) {
        const Subject subject{request.organisation.value_or(0), request.business_id};
        const bool answered = is_answered(request);
        switch (request.operation) {
            case Operation::organisations:
                note_listing(day, request);
                break;
            case Operation::stats:
                if (answered) {
                    day.stats[subject].push_back(request.at);
                } else {
                    day.failed_stats[subject] = failure_of(request);
                }
                break;
            case Operation::energy_levels: {
                const Snapshot snapshot{subject.first, subject.second, request.query.at("start_date")};
                if (answered) {
                    day.energy_levels.emplace(snapshot, request.at);
                } else {
                    day.failed_energy_levels[snapshot] = failure_of(request);
                }
                break;
            }
            case Operation::reports:
                day.came_to_reports[subject.first] = request.at;
                if (!answered) {
                    day.failed_report_listings[subject.first] = failure_of(request);
                } else if (is_past(request, viewed(world_, subject.first, request.at).size())) {
                    day.report_listings[subject.first] = request.at;
                }
                break;
            case Operation::full_data: {
                const Version version{request.report.value_or(0), request.generation};
                if (answered) {
                    day.reports.insert(version);
                } else {
                    day.failed_reports[version] = failure_of(request);
                }
                break;
            }
            default:
                break;
        }
    }

    void note_listing(Day& day, const Request& page) {
        if (!is_answered(page)) {
            day.listing_failure = failure_of(page);
            day.listing_failure->reason = "listing_incomplete";
            return;
        }
        const std::vector<Organisation> organisations = listed(world_, page);
        if (!is_past(page, organisations.size())) {
            return;
        }
        const core::Date date = simulator::vendor_date(page.at);
        std::map<std::int64_t, Organisation> now_listed;
        for (const Organisation& organisation : organisations) {
            now_listed.emplace(organisation.id, organisation);
            missed_.erase(organisation.id);
        }
        // Rule 9.
        std::set<std::int64_t> vanished;
        std::size_t present = 0;
        for (const auto& [id, organisation] : known_) {
            if (now_listed.contains(id)) {
                ++present;
                continue;
            }
            auto& missed = missed_[id];
            missed.insert(date);
            const bool is_asked_for =
                page.query.at("size_classes").find(std::to_string(organisation.size_class)) != std::string::npos;
            if (is_asked_for && missed.size() < 3) {
                vanished.insert(id);
            }
        }
        Listing listing;
        listing.at = page.at;
        listing.is_held_back = vanished.size() > always_believed &&
                               vanished.size() * 100 > (present + vanished.size()) * max_vanished_percent &&
                               !is_in(truth_.accepted_losses_, page.at);
        if (listing.is_held_back) {
            day.listing_failure = failure_of(page);
            day.listing_failure->reason = fmt::format("listing_shrank: {} of {}", vanished.size(), known_.size());
            for (const std::int64_t id : vanished) {
                now_listed.insert(*known_.find(id));
            }
        }
        known_ = std::move(now_listed);
        listing.known = known_;
        day.listings.push_back(std::move(listing));
    }

    /// A 400 to a business id is a skip where the same call without it succeeded (rule 8).
    static void tell_unmapped(Day& day) {
        for (const auto& [subject, failure] : day.failed_stats) {
            if (failure.reason == "invalid_param" && !subject.second.empty() && !day.stats.contains(subject) &&
                day.stats.contains({subject.first, ""})) {
                day.unmapped.insert(subject);
            }
        }
    }

    void note_report_versions() {
        for (const auto& [date, day] : days_) {
            for (const auto& [organisation, at] : day.report_listings) {
                std::set<ListedVersion>& newest = listed_last_[organisation];
                newest.clear();
                for (const auto& report : viewed(world_, organisation, at)) {
                    const ListedVersion version{organisation, report.id, report.generated_at, report.generation};
                    versions_.try_emplace(version, date, report.sub_report_business_id.value_or(""));
                    newest.insert(version);
                }
            }
        }
    }

    [[nodiscard]] const Day& day(core::Date date) const {
        static const Day nothing;
        const auto found = days_.find(date);
        return found == days_.end() ? nothing : found->second;
    }

    [[nodiscard]] core::Date period_end(core::Date start) const {
        return after(core::Date{start + date::months{start < truth_.quarters_from_ ? 1 : 3}}, -1);
    }

    /// The first day of the period that ended on the day before.
    [[nodiscard]] std::optional<core::Date> period_before(core::Date date) const {
        if (date.day() != 1_d) {
            return std::nullopt;
        }
        if (date <= truth_.quarters_from_) {
            return core::Date{date - date::months{1}};
        }
        const bool is_boundary = static_cast<unsigned>(date.month()) % 3 == 1;
        return is_boundary ? std::optional{core::Date{date - date::months{3}}} : std::nullopt;
    }

    /// Rule 3, where every zone but UTC is Finland's.
    [[nodiscard]] static core::Instant closed_at(core::Date period_end) {
        return std::max<core::Instant>(end_of(period_end), sys_days{after(period_end, 1)});
    }

    [[nodiscard]] const Listing* last_listing(core::Date until) const {
        for (auto entry = days_.upper_bound(until); entry != days_.begin();) {
            --entry;
            if (!entry->second.listings.empty()) {
                return &entry->second.listings.back();
            }
        }
        return nullptr;
    }

    [[nodiscard]] const Listing* first_listing(core::Instant from) const {
        for (const auto& [unused, day] : days_) {
            for (const Listing& listing : day.listings) {
                if (listing.at >= from) {
                    return &listing;
                }
            }
        }
        return nullptr;
    }

    [[nodiscard]] core::Instant slot_of(core::Date date) const {
        const std::chrono::minutes daily_at = in_force<std::chrono::minutes>(truth_.daily_at_, date, 4h + 30min);
        const auto local = date::local_days{date} + daily_at;
        const date::time_zone& zone = *date::locate_zone("Europe/Helsinki");
        const date::local_info info = zone.get_info(local);
        // What is skipped counts as the first instant after; the first of what happens twice is earlier.
        return info.result == date::local_info::nonexistent
                   ? core::Instant{info.second.begin}
                   : core::Instant{local.time_since_epoch() - info.first.offset};
    }

    /// `cell` is one of that date alone, and no report or period.
    void add(ExpectedCell cell, bool is_stored, const Failure* failure) {
        const Day& day = this->day(cell.expected_on);
        if (!is_stored) {
            cell.outcome = now_ < slot_of(cell.expected_on) ? Outcome::not_due : Outcome::missing;
            cell.is_open = now_ < end_of(cell.expected_on) && (failure == nullptr || !failure->is_for_the_day);
            explain(cell, failure, day.had_a_run ? "not_asked" : "no_run");
        }
        cells_.push_back(std::move(cell));
    }

    static void explain(ExpectedCell& cell, const Failure* failure, const std::string& otherwise) {
        cell.reason = failure == nullptr ? otherwise : failure->reason;
        cell.attempted_on = failure == nullptr ? std::nullopt : std::optional{failure->on};
    }

    template <class Key>
    static const Failure* failure_in(const std::map<Key, Failure>& failures, const Key& key) {
        const auto found = failures.find(key);
        return found == failures.end() ? nullptr : &found->second;
    }

    void add_cells(core::Date date) {
        const Day& day = this->day(date);
        const bool per_business_id = in_force(truth_.stats_per_business_id_, date, true);
        ExpectedCell cell;
        cell.expected_on = date;
        cell.stream = "organisations";
        const bool is_listed =
            std::ranges::any_of(day.listings, [](const Listing& item) { return !item.is_held_back; });
        add(cell, is_listed, day.listing_failure ? &*day.listing_failure : nullptr);
        for (const auto& [id, organisation] : last_listing(date)->known) {
            cell.organisation_id = id;
            cell.stream = "usage_stats";
            for (const std::string& business_id : subjects(organisation, per_business_id)) {
                cell.business_id = business_id;
                const Subject subject{id, business_id};
                if (day.unmapped.contains(subject)) {
                    ExpectedCell skipped = cell;
                    skipped.outcome = Outcome::skipped;
                    skipped.reason = "business_id_not_mapped";
                    cells_.push_back(std::move(skipped));
                } else {
                    add(cell, day.stats.contains(subject), failure_in(day.failed_stats, subject));
                }
            }
            cell.business_id.clear();
            cell.stream = "reports";
            add(cell, day.report_listings.contains(id), failure_in(day.failed_report_listings, id));
        }
        if (const auto start = period_before(date)) {
            add_energy_levels(*start, date);
        }
        for (const auto& [version, listing] : versions_) {
            if (listing.on == date) {
                add_report(version, listing.business_id, date);
            }
        }
    }

    void add_energy_levels(core::Date start, core::Date expected_on) {
        const Listing* const closing = first_listing(closed_at(after(expected_on, -1)));
        if (closing == nullptr) {
            return;
        }
        for (const auto& [id, organisation] : closing->known) {
            for (const std::string& business_id : subjects(organisation, true)) {
                ExpectedCell cell;
                cell.stream = "energy_levels";
                cell.organisation_id = id;
                cell.business_id = business_id;
                cell.expected_on = expected_on;
                cell.period_start = start;
                cell.period_end = after(expected_on, -1);
                settle_energy_levels(cell);
                cells_.push_back(std::move(cell));
            }
        }
    }

    void settle_energy_levels(ExpectedCell& cell) const {
        const Snapshot snapshot{cell.organisation_id, cell.business_id, core::format_date(*cell.period_start)};
        std::optional<Failure> failure;
        for (int late = 0; late <= max_days_late; ++late) {
            const core::Date date = after(cell.expected_on, late);
            const Day& day = this->day(date);
            if (day.energy_levels.contains(snapshot)) {
                return;
            }
            const auto came_by = day.came_to_reports.find(cell.organisation_id);
            if (const Failure* const asked = failure_in(day.failed_energy_levels, snapshot)) {
                failure = *asked;
            } else if (came_by != day.came_to_reports.end() && came_by->second >= closed_at(*cell.period_end)) {
                const std::string gate = reason_not_to_ask(day, {cell.organisation_id, cell.business_id});
                if (gate == "gate_unknown") {
                    failure = Failure{gate, date};
                } else if (!gate.empty()) {
                    cell.outcome = Outcome::skipped;
                    cell.reason = gate;
                    return;
                }
            }
        }
        cell.outcome = Outcome::missing;
        cell.is_open = days_between(cell.expected_on, simulator::vendor_date(now_)) <= max_days_late;
        explain(cell, failure ? &*failure : nullptr,
                !cell.is_open                     ? "too_late"
                : day(cell.expected_on).had_a_run ? "not_asked"
                                                  : "no_run");
    }

    /// Rule 5; empty where nothing is against it.
    [[nodiscard]] std::string reason_not_to_ask(const Day& day, const Subject& subject) const {
        if (day.unmapped.contains(subject)) {
            return "business_id_not_mapped";
        }
        for (const std::string& business_id : std::set<std::string>{"", subject.second}) {
            const auto asked = day.stats.find({subject.first, business_id});
            const std::optional<std::int64_t> accepted =
                asked == day.stats.end()
                    ? std::nullopt
                    : Truth{world_, asked->second.back()}.accepted_members(subject.first, business_id);
            if (!accepted) {
                return "gate_unknown";
            }
            if (*accepted < minimum_accepted_members) {
                return fmt::format("below_minimum_accepted_members: {} of {}", *accepted, minimum_accepted_members);
            }
        }
        return {};
    }

    [[nodiscard]] bool is_stored(const ListedVersion& version) const {
        return std::ranges::any_of(days_, [&](const auto& entry) {
            return entry.second.reports.contains({version.report, version.generation});
        });
    }

    void add_report(const ListedVersion& version, const std::string& business_id, core::Date date) {
        ExpectedCell cell;
        cell.stream = "reports";
        cell.organisation_id = version.organisation;
        cell.business_id = business_id;
        cell.expected_on = date;
        cell.report_id = version.report;
        cell.generated_at = version.generated_at;
        if (!is_stored(version)) {
            cell.outcome = Outcome::missing;
            const bool is_superseded = std::ranges::any_of(versions_, [&](const auto& other) {
                return other.first.organisation == version.organisation && other.first.report == version.report &&
                       other.first.generated_at > version.generated_at;
            });
            const std::string loss = is_superseded                                              ? "superseded"
                                     : !known_.contains(version.organisation)                   ? "organisation_removed"
                                     : !listed_last_.at(version.organisation).contains(version) ? "no_longer_listed"
                                                                                                : "";
            cell.is_open = loss.empty();
            const Failure* failure = nullptr;
            for (const auto& [unused, day] : days_) {
                const Failure* const later = failure_in(day.failed_reports, {version.report, version.generation});
                failure = later == nullptr ? failure : later;
            }
            explain(cell, failure, !loss.empty() ? loss : day(date).had_a_run ? "not_asked" : "no_run");
        }
        cells_.push_back(std::move(cell));
    }

    [[nodiscard]] std::string version_line(const ListedVersion& version) const {
        return fmt::format("{}|{}|{}", version.organisation, version.report, as_stored(version.generated_at));
    }

    [[nodiscard]] DateTruth tell(core::Date date) const {
        if (date < *first_) {
            return {};
        }
        const bool awaits_listing = period_before(date) && first_listing(closed_at(after(date, -1))) == nullptr;
        const bool may_bring_periods = days_between(date, simulator::vendor_date(now_)) <= max_days_late;
        const auto has_gap = [&](bool only_open) {
            return std::ranges::any_of(cells_, [&](const ExpectedCell& cell) {
                return cell.expected_on == date && cell.outcome == Outcome::missing && (cell.is_open || !only_open);
            });
        };
        DateTruth truth;
        truth.ready = now_ >= slot_of(date) && day(date).had_a_run && !truth_.cut_short_.contains(date) &&
                      !(awaits_listing && may_bring_periods) && !has_gap(true);
        truth.complete = *truth.ready && !awaits_listing && !has_gap(false);
        return truth;
    }

    void add_daily(std::set<std::string>& lines) const {
        constexpr std::array figures{&UsageStats::total_membership_count, &UsageStats::hh_core_total_membership_count,
                                     &UsageStats::hh_core_accepted_membership_count, &UsageStats::app_use_count,
                                     &UsageStats::app_monthly_use_count};
        std::map<Subject, std::pair<core::Date, UsageStats>> before;
        for (const auto& [date, day] : days_) {
            for (const auto& [subject, observed] : day.stats) {
                const UsageStats stats = world_.stats(subject.first, subject.second, observed.back()).value();
                const auto previous = before.find(subject);
                std::string deltas;
                bool is_reset = false;
                for (const auto figure : figures) {
                    std::optional<std::int64_t> delta;
                    if (previous != before.end() && stats.*figure && previous->second.second.*figure) {
                        delta = *(stats.*figure) - *(previous->second.second.*figure);
                        if (figure == &UsageStats::app_use_count && *delta < 0) {
                            delta.reset();
                            is_reset = true;
                        }
                    }
                    deltas += text_or_null(delta) + "|";
                }
                const bool is_first = previous == before.end();
                lines.insert(fmt::format("{}|{}|{}|{}|{}|{}|{}{}", subject.first, subject.second,
                                         core::format_date(date), observed.size(),
                                         is_first ? "NULL" : core::format_date(previous->second.first),
                                         is_first ? "NULL" : std::to_string(days_between(previous->second.first, date)),
                                         deltas, is_reset ? "t" : "f"));
                before.insert_or_assign(subject, std::pair{date, stats});
            }
        }
    }

    const RecordedTruth& truth_;
    const simulator::World& world_;
    core::Instant now_;
    std::map<core::Date, Day> days_;
    std::map<std::int64_t, Organisation> known_;
    std::map<std::int64_t, std::set<core::Date>> missed_;  ///< dates of complete listings since it was last listed
    std::optional<core::Date> first_;
    std::map<ListedVersion, FirstListing> versions_;
    std::map<std::int64_t, std::set<ListedVersion>> listed_last_;  ///< by organisation
    std::vector<ExpectedCell> cells_;
};

bool RecordedTruth::is_in(const std::vector<Stretch>& stretches, core::Instant at) {
    return std::ranges::any_of(stretches, [at](const Stretch& item) { return at >= item.from && at < item.until; });
}

HistoryTruth RecordedTruth::work_out(const std::vector<Request>& requests, core::Instant now) const {
    return Work{*this, requests, now}.result();
}

std::set<std::string> RecordedTruth::answered(const simulator::World& world, const std::vector<Request>& requests,
                                              core::Date date) {
    std::set<std::string> lines;
    for (const Request& request : requests) {
        const std::int64_t organisation = request.organisation.value_or(0);
        if (simulator::vendor_date(request.at) != date || !is_answered(request)) {
            continue;
        }
        switch (request.operation) {
            case Operation::stats:
                lines.insert(done("usage_stats", organisation, request.business_id, "NULL", "NULL"));
                break;
            case Operation::energy_levels:
                lines.insert(
                    done("energy_levels", organisation, request.business_id, request.query.at("start_date"), "NULL"));
                break;
            case Operation::reports:
                if (is_past(request, viewed(world, organisation, request.at).size())) {
                    lines.insert(done("reports", organisation, "", "NULL", "NULL"));
                }
                break;
            case Operation::full_data:
                lines.insert(done("reports", organisation, "*", "NULL", text_or_null(request.report)));
                break;
            default:
                break;
        }
    }
    return lines;
}

}  // namespace heiasync::testing
