#pragma once

#include "core/instant.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync::simulator {

/// A business id inside an organisation (the vendor's OrganisationCompanyTag).
struct BusinessId {
    std::string id;
    std::string description;
    bool mapped = true;       ///< users are mapped to it; where not, filtering by it is a 400
    int share_percent = 100;  ///< of the organisation's members

    friend bool operator==(const BusinessId&, const BusinessId&) = default;
};

struct Organisation {
    std::int64_t id = 0;
    std::string name;
    int size_class = 50;  ///< 20, 50 or 10000
    bool multi_business_id = false;
    std::vector<BusinessId> business_ids;
    std::optional<bool> su_access;  ///< absent from the answer where it has no value
    std::string business_id;        ///< its own, shown in documents only
    std::string company_code;
    std::vector<std::string> feature_tags;

    friend bool operator==(const Organisation&, const Organisation&) = default;
};

/// The figures of one moment. Any of them may be null.
struct UsageStats {
    std::optional<std::int64_t> total_membership_count;
    std::optional<std::int64_t> hh_core_total_membership_count;
    std::optional<std::int64_t> hh_core_accepted_membership_count;
    std::optional<std::int64_t> app_use_count;          ///< cumulative since 2018-03-14
    std::optional<std::int64_t> app_monthly_use_count;  ///< of the last 30 days

    friend bool operator==(const UsageStats&, const UsageStats&) = default;
};

struct Team {
    std::int64_t id = 0;  ///< often beyond 2^31
    std::string name;
    std::optional<std::string> description;
    bool managed = true;
    std::optional<bool> include_in_tag_breakdown;
    std::optional<std::size_t> parent;  ///< index into the list of teams
    int share_percent = 10;             ///< of the members
};

struct Tag {
    std::int64_t id = 0;
    std::string name;
    std::optional<bool> include_in_team_breakdown;
    int share_percent = 10;
};

/// The two surveys that end in a report.
enum class SurveyKind { tyovire, tyoyhteisovire };

/// One run of a survey in one organisation.
struct ScheduledSurvey {
    std::int64_t id = 0;
    SurveyKind kind = SurveyKind::tyovire;
    std::string title;
    core::Instant started_at;
    core::Date ends_on;  ///< in the vendor's zone
    int round = 0;       ///< 0 for the organisation's first
};

/// One version of a survey report: (id, generation) names it.
struct Report {
    std::int64_t id = 0;
    std::int64_t organisation_id = 0;
    int generation = 0;  ///< 0 for the first; counts how often it was generated again
    std::string data_instance_id;
    bool viewed = false;
    std::optional<std::string> sub_report_business_id;
    std::optional<core::Instant> first_viewed_at;
    core::Instant generated_at;
    ScheduledSurvey scheduled_survey;
};

/// An inclusive range of civil dates.
struct DateRange {
    core::Date first;
    core::Date last;
};

/// The date at the vendor, whose days are those of Finland.
core::Date vendor_date(core::Instant at);

/// The first moment of such a date.
core::Instant vendor_midnight(core::Date date);

/// Everything behind the fake API: organisations, their people, surveys and reports. A pure function of seed and time,
/// apart from the edits of a test. It moves at midnight in Finland and then stands still for the day: what happens on a
/// day (a report generated, a report viewed) shows from the next midnight on, so that a test can compute what any
/// request of that day was answered.
///
/// Every kind of organisation comes up within a hundred of them: few accepted members, exactly five, rising or falling
/// through five, unknown counts, several business ids with and without users, none to nine reports viewed early, late
/// or never, and some regenerated under the same or another data instance id. A few join or leave or are renamed in
/// 2026.
///
/// Thread-safe.
class World {
public:
    World(std::uint64_t seed, std::size_t organisation_count);

    [[nodiscard]] std::uint64_t seed() const { return seed_; }

    /// Those that the listing shows, ordered by id.
    [[nodiscard]] std::vector<Organisation> organisations(core::Instant at) const;
    [[nodiscard]] std::optional<Organisation> organisation(std::int64_t organisation_id, core::Instant at) const;

    /// Of the organisation, or of one of its business ids where `business_id` is not empty; nothing where there is no
    /// such organisation at that time or no user is mapped to the business id.
    [[nodiscard]] std::optional<UsageStats> stats(std::int64_t organisation_id, std::string_view business_id,
                                                  core::Instant at) const;

    /// The current version of every report generated before that day, viewed or not, most recently generated first.
    [[nodiscard]] std::vector<Report> reports(std::int64_t organisation_id, core::Instant at) const;

    /// The newest version that can be read under this id: generated and viewed before that day.
    [[nodiscard]] std::optional<Report> report(std::string_view data_instance_id, core::Instant at) const;

    [[nodiscard]] std::vector<Team> teams(std::int64_t organisation_id) const;
    [[nodiscard]] std::vector<Tag> tags(std::int64_t organisation_id) const;

    /// The survey rounds of the same kind that end with that of the report, latest first, at most three.
    [[nodiscard]] std::vector<ScheduledSurvey> rounds(const Report& report) const;

    /// When the report on a round was generated for the first time.
    [[nodiscard]] static core::Instant first_generated_at(const ScheduledSurvey& round);

    /// Edits, effective for every time that follows `from`. An organisation may be hidden several times.
    void rename(std::int64_t organisation_id, std::string name, core::Instant from = core::Instant::min());
    void hide(std::int64_t organisation_id, core::Instant from = core::Instant::min(),
              core::Instant until = core::Instant::max());
    void add(Organisation organisation, core::Instant from = core::Instant::min());
    /// What the listing shows of it, its business ids included; those of its reports stay.
    void change(Organisation organisation, core::Instant from);
    /// Pins the figures until others are pinned from a later time on.
    void set_stats(std::int64_t organisation_id, std::string business_id, UsageStats stats,
                   core::Instant from = core::Instant::min());
    /// Pins the teams, at every time: what makes a document long or short.
    void set_teams(std::int64_t organisation_id, std::vector<Team> teams);

private:
    struct Member {
        std::int64_t index = 0;  ///< what its rolls go by
        Organisation organisation;
        std::optional<std::string> later_name;  ///< from `renamed_from` on
        core::Instant joined = core::Instant::min();
        core::Instant renamed_from = core::Instant::max();
        std::map<core::Instant, Organisation> changes;  ///< by when they take effect
        std::vector<std::pair<core::Instant, core::Instant>> hidden;
        std::map<std::string, std::map<core::Instant, UsageStats>, std::less<>> pinned;
        std::optional<std::vector<Team>> pinned_teams;
    };

    [[nodiscard]] Member make_member(std::int64_t index, std::int64_t id) const;
    [[nodiscard]] const Member* find(std::int64_t organisation_id) const;
    [[nodiscard]] Member& at(std::int64_t organisation_id);
    [[nodiscard]] static bool listed(const Member& member, core::Instant at);
    [[nodiscard]] static Organisation as_of(const Member& member, core::Instant at);
    [[nodiscard]] UsageStats whole_stats(const Member& member, core::Date date) const;
    [[nodiscard]] std::int64_t cadence(const Member& member) const;
    [[nodiscard]] ScheduledSurvey round(const Member& member, int number) const;
    [[nodiscard]] std::vector<Report> versions(const Member& member, const ScheduledSurvey& round,
                                               std::size_t sub) const;
    [[nodiscard]] std::string data_instance_id(std::int64_t organisation_id, SurveyKind kind, std::int64_t report_id,
                                               int change) const;

    std::uint64_t seed_;
    mutable std::shared_mutex mutex_;
    std::vector<Member> members_;                    ///< by index
    std::map<std::int64_t, std::size_t> positions_;  ///< by organisation id
};

}  // namespace heiasync::simulator
