#include "simulator/world.hpp"

#include "simulator/dice.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace heiasync::simulator {

namespace {

using namespace std::chrono_literals;
using date::days;

constexpr auto counting_since = date::sys_days{date::year{2018} / 3 / 14};
constexpr std::int64_t report_ids_per_organisation = 1000;
constexpr std::int64_t report_ids_per_round = 8;

constexpr std::array name_stems{"Järvenpään Sähkö",  "Åbo Varv",
                                "Pohjolan Metsä",    "Hämeen Työterveys",
                                "Kükita & Söner",    "Tähtitorni \"Otava\"",
                                "Žemaitijos Pienas", "Кофейня №1",
                                "日本ヘルス",        "Lumi \\ Jää",
                                "Mäkelän Konepaja",  "Östersundom Bygg",
                                "Saimaan Satama",    "Kärkkäinen <Logistics>",
                                "Bahringer",         "Ääniala",
                                "Tammer-Ψ",          "Vuono 🏔 Matkat"};
constexpr std::array legal_forms{"Oy", "Oyj", "Ab", "Ky", "ry", "Inc"};
constexpr std::array team_names{"Hallinto",     "Myynti",      "Tuotanto",   "Asiakaspalvelu",
                                "IT & kehitys", "Logistiikka", "Työmaa Åbo", "Försäljning",
                                "R&D",          "Yövuoro",     "Laatu",      "Hankinta"};
constexpr std::array tag_names{"0-1 years", "2-5 years", "6-10 years", "Yli 10 vuotta", "Alle 30 v.",
                               "30-44 v.",  "45-59 v.",  "60+ v.",     "Etätyö"};

const date::time_zone& vendor_zone() {
    static const date::time_zone& zone = *date::locate_zone("Europe/Helsinki");
    return zone;
}

core::Instant vendor_time(date::local_days day, std::chrono::seconds time_of_day) {
    return vendor_zone().to_sys(day + time_of_day, date::choose::earliest);
}

date::local_days vendor_day(core::Instant at) {
    return date::floor<days>(vendor_zone().to_local(at));
}

std::int64_t day_number(core::Date date) {
    return date::sys_days{date}.time_since_epoch().count();
}

std::int64_t share(std::int64_t count, int percent) {
    return count * percent / 100;
}

std::optional<std::int64_t> share(std::optional<std::int64_t> count, int percent) {
    return count ? std::optional{share(*count, percent)} : std::nullopt;
}

/// Shaped like a Finnish business id.
std::string make_business_id(std::uint64_t luck) {
    return fmt::format("{:07}-{}", luck % 10'000'000, luck >> 32U & 7U);
}

}  // namespace

core::Date vendor_date(core::Instant at) {
    return core::Date{vendor_day(at)};
}

core::Instant vendor_midnight(core::Date date) {
    return vendor_time(date::local_days{date}, 0s);
}

World::World(std::uint64_t seed, std::size_t organisation_count) : seed_{seed} {
    members_.reserve(organisation_count);
    std::int64_t id = 100;
    for (std::size_t index = 0; index < organisation_count; ++index) {
        id += roll_between(1, 17, seed_, Topic::organisation_id, index);
        members_.push_back(make_member(static_cast<std::int64_t>(index), id));
        positions_.emplace(id, index);
    }
}

World::Member World::make_member(std::int64_t index, std::int64_t id) const {
    Member member;
    member.index = index;
    auto& organisation = member.organisation;
    organisation.id = id;
    const auto name_luck = roll(seed_, Topic::name, index);
    organisation.name = fmt::format("{} {} {}", name_stems[name_luck % name_stems.size()], index,
                                    legal_forms[(name_luck >> 32U) % legal_forms.size()]);
    organisation.size_class = index % 8 == 3 ? 20 : index % 4 == 1 ? 10000 : 50;
    if (index % 2 == 0) {
        organisation.su_access = index % 10 == 0;
    }
    organisation.business_id = make_business_id(roll(seed_, Topic::business_id, index));
    organisation.company_code = fmt::format("{:012}", name_luck % 1'000'000'000'000U);
    if (index % 5 == 2) {
        organisation.feature_tags = {"tyovire2", "pilotti-ä"};
    }
    if (index % 6 == 5) {
        organisation.multi_business_id = true;
        const auto count = 2 + index / 6 % 3;
        int left = 100;
        for (std::int64_t number = 0; number < count; ++number) {
            BusinessId business_id;
            business_id.id = make_business_id(roll(seed_, Topic::business_id, index, number));
            business_id.description = fmt::format("{}, tytäryhtiö {}", organisation.name, number + 1);
            business_id.mapped = index % 12 != 5 || number + 1 < count;
            business_id.share_percent =
                business_id.mapped
                    ? left * static_cast<int>(roll_between(5, 80, seed_, Topic::share, index, number)) / 100
                    : 0;
            left -= business_id.share_percent;
            organisation.business_ids.push_back(std::move(business_id));
        }
    }

    const auto dated = [&](date::year_month_day first, std::int64_t span, Topic topic) {
        return vendor_midnight(date::sys_days{first} + days{roll_between(0, span, seed_, topic, index)});
    };
    member.joined = index % 53 == 11 ? dated(date::year{2026} / 2 / 1, 330, Topic::joined)
                                     : dated(date::year{2023} / 7 / 1, 900, Topic::joined);
    if (index % 61 == 17) {
        member.hidden.emplace_back(dated(date::year{2026} / 3 / 1, 300, Topic::growth), core::Instant::max());
    }
    if (index % 37 == 6) {
        member.later_name = organisation.name + " & Kumppanit";
        member.renamed_from = dated(date::year{2026} / 1 / 1, 365, Topic::name);
    }
    return member;
}

const World::Member* World::find(std::int64_t organisation_id) const {
    const auto position = positions_.find(organisation_id);
    return position == positions_.end() ? nullptr : &members_[position->second];
}

World::Member& World::at(std::int64_t organisation_id) {
    const auto position = positions_.find(organisation_id);
    if (position == positions_.end()) {
        throw std::invalid_argument{fmt::format("the world has no organisation {}", organisation_id)};
    }
    return members_[position->second];
}

bool World::listed(const Member& member, core::Instant at) {
    return at >= member.joined && std::ranges::none_of(member.hidden, [at](const auto& interval) {
               return at >= interval.first && at < interval.second;
           });
}

Organisation World::as_of(const Member& member, core::Instant at) {
    const auto change = member.changes.upper_bound(at);
    auto organisation = change == member.changes.begin() ? member.organisation : std::prev(change)->second;
    if (member.later_name && at >= member.renamed_from) {
        organisation.name = *member.later_name;
    }
    return organisation;
}

std::vector<Organisation> World::organisations(core::Instant at) const {
    const std::shared_lock lock{mutex_};
    std::vector<Organisation> found;
    found.reserve(members_.size());
    for (const auto& [id, position] : positions_) {
        if (const auto& member = members_[position]; listed(member, at)) {
            found.push_back(as_of(member, at));
        }
    }
    return found;
}

std::optional<Organisation> World::organisation(std::int64_t organisation_id, core::Instant at) const {
    const std::shared_lock lock{mutex_};
    const auto* const member = find(organisation_id);
    return member != nullptr && listed(*member, at) ? std::optional{as_of(*member, at)} : std::nullopt;
}

UsageStats World::whole_stats(const Member& member, core::Date date) const {
    const auto index = member.index;
    const auto day = day_number(date);
    const auto size_class = member.organisation.size_class;
    const auto grown = (day - day_number(date::year{2024} / 1 / 1)) *
                       roll_between(-2, 6, seed_, Topic::growth, index, 0) * (size_class == 10000 ? 10 : 1) / 1000;
    const auto base = size_class == 20   ? roll_between(5, 18, seed_, Topic::members, index)
                      : size_class == 50 ? roll_between(12, 60, seed_, Topic::members, index)
                                         : roll_between(80, 900, seed_, Topic::members, index);
    const auto total =
        std::max<std::int64_t>(9, base + grown + roll_between(0, 2, seed_, Topic::growth, index, day / 7));
    auto core_total = share(total, static_cast<int>(roll_between(80, 100, seed_, Topic::acceptance, index, 0)));
    auto accepted = share(core_total, static_cast<int>(roll_between(70, 98, seed_, Topic::acceptance, index, 1)));
    const auto weeks_past_crossing =
        (day - day_number(date::year{2026} / 1 / 1) - roll_between(0, 365, seed_, Topic::crossing, index) + 7'000) / 7 -
        1'000;
    switch (index % 12) {
        case 0:
            accepted = roll_between(0, 4, seed_, Topic::acceptance, index, 2);
            if (index % 24 == 0) {
                core_total = accepted = 0;
            }
            break;
        case 1:
            accepted = 5;
            break;
        case 2:
            accepted = 5 + weeks_past_crossing;
            break;
        case 3:
            accepted = 4 - weeks_past_crossing;
            break;
        default:
            accepted = std::max<std::int64_t>(accepted, 6);
    }
    accepted = std::clamp<std::int64_t>(accepted, 0, core_total);

    // A whole number of uses a day plus less than one day's jitter: the counter never falls.
    const std::int64_t users = index % 12 <= 3 ? 6 : base;
    const auto uses_a_day = roll_between(1, 5 + 2 * users, seed_, Topic::usage, index, 0);
    const auto used_by = [&](std::int64_t number) {
        const auto counted = number - counting_since.time_since_epoch().count();
        return counted <= 0 ? 0
                            : uses_a_day * counted + roll_between(0, uses_a_day, seed_, Topic::usage, index, number);
    };

    UsageStats stats;
    stats.total_membership_count = total;
    stats.hh_core_total_membership_count = core_total;
    stats.hh_core_accepted_membership_count = accepted;
    stats.app_use_count = used_by(day);
    stats.app_monthly_use_count = used_by(day) - used_by(day - 30);
    if (index % 24 == 4) {
        stats.hh_core_total_membership_count.reset();
        stats.hh_core_accepted_membership_count.reset();
    }
    if (index % 48 == 9) {
        stats.app_use_count.reset();
        stats.app_monthly_use_count.reset();
    }
    return stats;
}

std::optional<UsageStats> World::stats(std::int64_t organisation_id, std::string_view business_id,
                                       core::Instant at) const {
    const std::shared_lock lock{mutex_};
    const auto* const member = find(organisation_id);
    if (member == nullptr || !listed(*member, at)) {
        return std::nullopt;
    }
    if (const auto pinned = member->pinned.find(business_id); pinned != member->pinned.end()) {
        if (const auto later = pinned->second.upper_bound(at); later != pinned->second.begin()) {
            return std::prev(later)->second;
        }
    }
    auto stats = whole_stats(*member, vendor_date(at));
    if (business_id.empty()) {
        return stats;
    }
    const auto ids = as_of(*member, at).business_ids;
    const auto found = std::ranges::find(ids, business_id, &BusinessId::id);
    if (found == ids.end() || !found->mapped) {
        return std::nullopt;
    }
    for (auto figure : {&UsageStats::total_membership_count, &UsageStats::hh_core_total_membership_count,
                        &UsageStats::hh_core_accepted_membership_count, &UsageStats::app_use_count,
                        &UsageStats::app_monthly_use_count}) {
        stats.*figure = share(stats.*figure, found->share_percent);
    }
    return stats;
}

std::int64_t World::cadence(const Member& member) const {
    constexpr std::array<std::int64_t, 4> lengths{150, 200, 300, 400};
    return lengths[roll(seed_, Topic::cadence, member.index) % lengths.size()];
}

ScheduledSurvey World::round(const Member& member, int number) const {
    const auto luck = roll(seed_, Topic::round, member.index, number);
    const auto start = vendor_day(std::max(member.joined, vendor_midnight(date::year{2023} / 7 / 1))) +
                       days{30 + number * cadence(member) + static_cast<std::int64_t>(luck % 10)};
    ScheduledSurvey survey;
    survey.id = member.index * 200 + number + 1;
    survey.kind = (member.index % 4 == 2 ? number % 2 == 0 : member.index % 3 == 0) ? SurveyKind::tyoyhteisovire
                                                                                    : SurveyKind::tyovire;
    survey.title = fmt::format("Henkilöstökysely {}", static_cast<int>(core::Date{start}.year()));
    survey.started_at = vendor_time(start, 8h + std::chrono::seconds{luck >> 16U & 0xFFFU});
    survey.ends_on = core::Date{start + days{7 + static_cast<std::int64_t>(luck >> 40U & 7U)}};
    survey.round = number;
    return survey;
}

core::Instant World::first_generated_at(const ScheduledSurvey& round) {
    return vendor_time(date::local_days{round.ends_on} + days{1}, 4h + 12min + std::chrono::seconds{round.id % 60});
}

std::string World::data_instance_id(std::int64_t organisation_id, SurveyKind kind, std::int64_t report_id,
                                    int change) const {
    const auto noise = [&](int number) { return roll(seed_, Topic::data_instance, report_id, change, number); };
    const auto tail = fmt::format("{:016x}{:016x}{:016x}{:012x}", noise(0), noise(1), noise(2), noise(3) >> 16U);
    // Half of them spell the report id, as the guide's first example does; in the others it is scrambled.
    if (report_id % 2 == 0) {
        return fmt::format("organisation_{}_survey_key_{}_{}_{}", organisation_id,
                           kind == SurveyKind::tyovire ? "tyovire" : "tyoyhteisovire", report_id, tail);
    }
    const auto scrambled = static_cast<std::uint64_t>(report_id) ^ roll(seed_, Topic::data_instance);
    return fmt::format("{:016x}{:016x}{:08x}_{}", scrambled, noise(4), noise(5) >> 32U, tail);
}

std::vector<Report> World::versions(const Member& member, const ScheduledSurvey& round, std::size_t sub) const {
    Report report;
    report.id = (member.index + 1) * report_ids_per_organisation + round.round * report_ids_per_round +
                static_cast<std::int64_t>(sub);
    report.organisation_id = member.organisation.id;
    report.scheduled_survey = round;
    report.generated_at = first_generated_at(round);
    report.data_instance_id = data_instance_id(member.organisation.id, round.kind, report.id, 0);
    if (sub > 0) {
        report.sub_report_business_id = member.organisation.business_ids[sub - 1].id;
    }

    const auto generated_on = vendor_day(report.generated_at);
    const auto viewed_on = [&]() -> std::optional<date::local_days> {
        switch (roll(seed_, Topic::viewed, report.id) % 10) {
            case 0:
                return std::nullopt;
            case 1:  // a year and a half later
                return generated_on + days{roll_between(535, 560, seed_, Topic::viewed, report.id, 1)};
            case 2:  // often after a newer one
                return generated_on + days{roll_between(60, 420, seed_, Topic::viewed, report.id, 1)};
            default:
                return generated_on + days{roll_between(0, 14, seed_, Topic::viewed, report.id, 1)};
        }
    }();
    if (viewed_on) {
        report.first_viewed_at = vendor_time(*viewed_on, 16h + std::chrono::seconds{report.id % 3600});
    }

    std::vector<Report> versions{report};
    const auto luck = roll(seed_, Topic::regenerated, report.id);
    if (!viewed_on || luck % 5 != 0) {
        return versions;
    }
    auto day = *viewed_on;
    int change = 0;
    for (int generation = 1; generation <= (luck % 15 == 0 ? 2 : 1); ++generation) {
        day += days{roll_between(4, 90, seed_, Topic::regenerated, report.id, generation)};
        report.generation = generation;
        report.generated_at = vendor_time(day, 13h + 30min + std::chrono::seconds{report.id % 60});
        if ((luck >> (8U + static_cast<unsigned>(generation)) & 1U) != 0) {
            report.data_instance_id = data_instance_id(member.organisation.id, round.kind, report.id, ++change);
        }
        versions.push_back(report);
    }
    return versions;
}

std::vector<Report> World::reports(std::int64_t organisation_id, core::Instant at) const {
    const std::shared_lock lock{mutex_};
    const auto* const member = find(organisation_id);
    std::vector<Report> found;
    if (member == nullptr || !listed(*member, at) || member->index % 7 == 0) {
        return found;
    }
    const auto midnight = vendor_midnight(vendor_date(at));
    for (int number = 0; number < report_ids_per_organisation / report_ids_per_round; ++number) {
        const auto survey = round(*member, number);
        if (first_generated_at(survey) >= midnight) {
            break;
        }
        for (std::size_t sub = 0; sub <= member->organisation.business_ids.size(); ++sub) {
            if (sub > 0 && !member->organisation.business_ids[sub - 1].mapped) {
                continue;
            }
            std::optional<Report> current;
            for (auto& version : versions(*member, survey, sub)) {
                if (version.generated_at < midnight) {
                    current = std::move(version);
                }
            }
            current->viewed = current->first_viewed_at && *current->first_viewed_at < midnight;
            if (!current->viewed) {
                current->first_viewed_at.reset();
            }
            found.push_back(*std::move(current));
        }
    }
    std::ranges::sort(found, [](const Report& left, const Report& right) {
        return std::tie(right.generated_at, right.id) < std::tie(left.generated_at, left.id);
    });
    return found;
}

std::optional<Report> World::report(std::string_view data_instance_id, core::Instant at) const {
    std::int64_t report_id = 0;
    if (data_instance_id.starts_with("organisation_")) {
        const auto end = data_instance_id.rfind('_');
        const auto start = data_instance_id.rfind('_', end - 1) + 1;
        std::from_chars(data_instance_id.data() + start, data_instance_id.data() + end, report_id);
    } else if (data_instance_id.size() > 16) {
        std::uint64_t scrambled = 0;
        std::from_chars(data_instance_id.data(), data_instance_id.data() + 16, scrambled, 16);
        report_id = static_cast<std::int64_t>(scrambled ^ roll(seed_, Topic::data_instance));
    }
    const auto index = report_id / report_ids_per_organisation - 1;
    const auto number = report_id % report_ids_per_organisation;
    const auto sub = static_cast<std::size_t>(number % report_ids_per_round);

    const std::shared_lock lock{mutex_};
    if (report_id <= 0 || index < 0 || static_cast<std::size_t>(index) >= members_.size()) {
        return std::nullopt;
    }
    const auto& member = members_[static_cast<std::size_t>(index)];
    const auto& business_ids = member.organisation.business_ids;
    if (index % 7 == 0 || sub > business_ids.size() || (sub > 0 && !business_ids[sub - 1].mapped)) {
        return std::nullopt;
    }
    const auto midnight = vendor_midnight(vendor_date(at));
    std::optional<Report> newest;
    for (auto& version : versions(member, round(member, static_cast<int>(number / report_ids_per_round)), sub)) {
        if (version.generated_at < midnight && version.first_viewed_at && *version.first_viewed_at < midnight &&
            version.data_instance_id == data_instance_id) {
            newest = std::move(version);
            newest->viewed = true;
        }
    }
    return newest;
}

std::vector<ScheduledSurvey> World::rounds(const Report& report) const {
    const std::shared_lock lock{mutex_};
    std::vector<ScheduledSurvey> found;
    const auto* const member = find(report.organisation_id);
    for (int number = report.scheduled_survey.round; member != nullptr && number >= 0 && found.size() < 3; --number) {
        if (auto survey = round(*member, number); survey.kind == report.scheduled_survey.kind) {
            found.push_back(std::move(survey));
        }
    }
    return found;
}

std::vector<Team> World::teams(std::int64_t organisation_id) const {
    const std::shared_lock lock{mutex_};
    const auto* const member = find(organisation_id);
    std::vector<Team> teams;
    if (member == nullptr) {
        return teams;
    }
    if (member->pinned_teams) {
        return *member->pinned_teams;
    }
    const auto index = member->index;
    const auto count = member->organisation.size_class == 10000 ? roll_between(8, 20, seed_, Topic::teams, index)
                                                                : roll_between(1, 5, seed_, Topic::teams, index);
    for (std::int64_t number = 0; number < count; ++number) {
        const auto luck = roll(seed_, Topic::teams, index, number);
        Team team;
        team.id = (number % 2 == 0 ? 3'205'000'000 : 3'700) + index * 64 + number;
        team.name = fmt::format("{} {}", team_names[luck % team_names.size()], number + 1);
        if (number % 3 != 1) {
            team.description = fmt::format("Tiimi {} – {}", number + 1, "työ ja hyvinvointi");
        }
        team.managed = (luck >> 16U & 1U) != 0;
        if (number % 4 != 3) {
            team.include_in_tag_breakdown = number % 4 == 0;
        }
        if (number >= 3) {
            team.parent = static_cast<std::size_t>(number / 3 - 1);
        }
        team.share_percent = static_cast<int>(4 + (luck >> 24U) % 30);
        teams.push_back(std::move(team));
    }
    return teams;
}

std::vector<Tag> World::tags(std::int64_t organisation_id) const {
    const std::shared_lock lock{mutex_};
    const auto* const member = find(organisation_id);
    std::vector<Tag> tags;
    if (member == nullptr) {
        return tags;
    }
    const auto index = member->index;
    const auto count = roll_between(2, static_cast<std::int64_t>(tag_names.size()), seed_, Topic::tags, index);
    for (std::int64_t number = 0; number < count; ++number) {
        Tag tag;
        tag.id = 470'000 + index * 16 + number;
        tag.name = tag_names[static_cast<std::size_t>(number)];
        if (number % 3 != 2) {
            tag.include_in_team_breakdown = number % 3 == 0;
        }
        tag.share_percent = static_cast<int>(roll_between(5, 45, seed_, Topic::tags, index, number));
        tags.push_back(std::move(tag));
    }
    return tags;
}

void World::rename(std::int64_t organisation_id, std::string name, core::Instant from) {
    const std::unique_lock lock{mutex_};
    auto& member = at(organisation_id);
    member.later_name = std::move(name);
    member.renamed_from = from;
}

void World::hide(std::int64_t organisation_id, core::Instant from, core::Instant until) {
    const std::unique_lock lock{mutex_};
    at(organisation_id).hidden.emplace_back(from, until);
}

void World::add(Organisation organisation, core::Instant from) {
    const std::unique_lock lock{mutex_};
    const auto id = organisation.id;
    if (!positions_.emplace(id, members_.size()).second) {
        throw std::invalid_argument{fmt::format("the world has an organisation {} already", id)};
    }
    Member member;
    member.index = static_cast<std::int64_t>(members_.size());
    member.organisation = std::move(organisation);
    member.joined = from;
    members_.push_back(std::move(member));
}

void World::change(Organisation organisation, core::Instant from) {
    const std::unique_lock lock{mutex_};
    at(organisation.id).changes.insert_or_assign(from, std::move(organisation));
}

void World::set_stats(std::int64_t organisation_id, std::string business_id, UsageStats stats, core::Instant from) {
    const std::unique_lock lock{mutex_};
    at(organisation_id).pinned[std::move(business_id)].insert_or_assign(from, stats);
}

void World::set_teams(std::int64_t organisation_id, std::vector<Team> teams) {
    const std::unique_lock lock{mutex_};
    at(organisation_id).pinned_teams = std::move(teams);
}

}  // namespace heiasync::simulator
