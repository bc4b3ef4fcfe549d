#include "simulator/documents.hpp"

#include "simulator/dice.hpp"
#include "simulator/json_text.hpp"
#include "simulator/surveys.hpp"

#include <date/tz.h>

#include <array>
#include <numeric>
#include <utility>

namespace heiasync::simulator {

namespace {

constexpr int energy_levels_minimum = 7;
constexpr int report_minimum = 5;
constexpr std::size_t point_category_count = 8;  // from 1 to 5 in steps of 0.5

enum class Offset { utc_z, utc_numeric, vendor };

std::string format_time(core::Instant instant, Offset offset) {
    const auto seconds = date::floor<std::chrono::seconds>(instant);
    switch (offset) {
        case Offset::utc_z:
            return date::format("%FT%TZ", seconds);
        case Offset::utc_numeric:
            return date::format("%FT%T+00:00", seconds);
        case Offset::vendor:
            break;
    }
    return date::format("%FT%T%Ez", date::make_zoned("Europe/Helsinki", seconds));
}

void write_wording(JsonText& json, std::string_view name, const Wording& wording) {
    json.object(name, [&] {
        for (const auto& [language, text] :
             {std::pair{"en", wording.en}, std::pair{"fi", wording.fi}, std::pair{"sv", wording.sv}}) {
            if (!text.empty()) {
                json.member(language, text);
            }
        }
    });
}

void write_organisation_head(JsonText& json, const Organisation& organisation) {
    json.member("id", organisation.id);
    json.member("name", organisation.name);
}

void write_business_ids(JsonText& json, const Organisation& organisation) {
    json.member("multi_business_id", organisation.multi_business_id);
    if (organisation.multi_business_id) {
        json.array("multi_business_ids", [&] {
            for (const auto& business_id : organisation.business_ids) {
                json.value(business_id.id);
            }
        });
    }
}

void write_figures(JsonText& json, const UsageStats& stats) {
    json.member("total_membership_count", stats.total_membership_count);
    json.member("hh_core_total_membership_count", stats.hh_core_total_membership_count);
    json.member("hh_core_accepted_membership_count", stats.hh_core_accepted_membership_count);
    json.member("app_use_count", stats.app_use_count);
    json.member("app_monthly_use_count", stats.app_monthly_use_count);
}

void write_teams(JsonText& json, std::span<const Team> teams) {
    json.array("teams", [&] {
        for (const auto& team : teams) {
            json.object([&] {
                json.member("id", team.id);
                json.member("name", team.name);
                json.member("avatar_url", fmt::format("https://cdn.example.com/teams/{}/{{size}}.png", team.id));
                json.member_where_known("description", team.description);
                json.member("managed", team.managed);
                json.member("include_in_team_tag_breakdown", team.include_in_tag_breakdown);
                if (team.parent) {
                    json.object("parent", [&] {
                        json.member("id", teams[*team.parent].id);
                        json.member("name", teams[*team.parent].name);
                    });
                }
            });
        }
    });
}

void write_category_head(JsonText& json, const Category& category) {
    json.member("id", category.id);
    write_wording(json, "title", category.title);
}

void write_questions(JsonText& json, const SurveyText& survey) {
    json.array("questions", [&] {
        std::int64_t position = 0;
        for (const auto& question : survey.questions) {
            json.object([&] {
                json.member("id", question.id);
                write_wording(json, "title", question.title);
                if (!question.description.en.empty()) {
                    write_wording(json, "description", question.description);
                }
                write_wording(json, "category", question.category->title);
                json.object("category_object", [&] { write_category_head(json, *question.category); });
                json.array("options", [&] {
                    std::int64_t points = 0;
                    for (const auto& option : answer_options()) {
                        ++points;
                        json.object([&] {
                            const auto id = 8'430'000 + question.id % 1000 * 10 + points;
                            // An integer by its schema, a string in the example beside it.
                            if (position % 2 == 0) {
                                json.member("id", std::to_string(id));
                            } else {
                                json.member("id", id);
                            }
                            json.member("points", points);
                            write_wording(json, "title", option);
                        });
                    }
                });
                json.member("custom", question.custom);
                json.member("enabled", question.enabled);
                json.member("position", position);
                json.member("kind", "radio");
                json.member("global_comparison_type", "mean");
            });
            ++position;
        }
    });
}

/// What is asked of every organisation is the same text: written once.
const std::string& questions_member(const SurveyText& survey) {
    static const auto write = [](const SurveyText& text) {
        JsonText json;
        json.object([&] { write_questions(json, text); });
        const auto whole = json.text();
        constexpr std::string_view head = R"({"questions":)";
        return whole.substr(head.size(), whole.size() - head.size() - 1);
    };
    static const std::string energy_levels = write(energy_levels_survey());
    static const std::string tyovire = write(survey_text(SurveyKind::tyovire));
    static const std::string tyoyhteisovire = write(survey_text(SurveyKind::tyoyhteisovire));
    return &survey == &energy_levels_survey()             ? energy_levels
           : &survey == &survey_text(SurveyKind::tyovire) ? tyovire
                                                          : tyoyhteisovire;
}

/// Splits a number of people by weights taken from `luck`, so that the parts add up to it.
template <std::size_t Parts>
std::array<std::int64_t, Parts> split(std::int64_t people, std::uint64_t luck) {
    std::array<std::int64_t, Parts> weights{};
    for (auto& weight : weights) {
        weight = 1 + static_cast<std::int64_t>(luck & 31U);
        luck >>= 5U;
    }
    const auto sum = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
    std::array<std::int64_t, Parts> parts{};
    std::int64_t weight_so_far = 0;
    std::int64_t people_so_far = 0;
    for (std::size_t part = 0; part < Parts; ++part) {
        weight_so_far += weights[part];
        const auto next = people * weight_so_far / sum;
        parts[part] = next - people_so_far;
        people_so_far = next;
    }
    return parts;
}

Decimal ratio(std::int64_t numerator, std::int64_t denominator) {
    return {(numerator * 10'000 + denominator / 2) / denominator};
}

struct Group {
    std::int64_t participants = 0;
    std::int64_t answers = 0;
    std::uint64_t luck = 0;
};

/// The results of one run of a survey in one organisation or business id.
class Results {
public:
    Results(std::uint64_t seed, const SurveyText& survey, std::int64_t members, int minimum, std::uint64_t luck)
        : seed_{seed}, survey_{survey}, members_{members}, minimum_{minimum}, luck_{luck} {}

    void write_global(JsonText& json) const {
        // Every organisation of the vendor in one; the same for all that asked about the same survey.
        const Group group{90'000, 61'873, roll(seed_, Topic::answers, survey_.id)};
        json.object("global", [&] { write_points(json, group); });
    }

    void write_organisation(JsonText& json) const {
        json.object("organisation", [&] { write_group(json, group(100, 0, 0)); });
    }

    void write_teams(JsonText& json, std::span<const Team> teams, std::span<const Tag> breakdown) const {
        json.object("teams", [&] {
            for (const auto& team : teams) {
                json.object(std::to_string(team.id), [&] {
                    write_group(json, group(team.share_percent, team.id, 0));
                    if (team.include_in_tag_breakdown.value_or(false) && !breakdown.empty()) {
                        write_tags(json, breakdown, &team);
                    }
                });
            }
        });
    }

    void write_tags(JsonText& json, std::span<const Tag> tags, const Team* within) const {
        json.object("tags", [&] {
            for (const auto& tag : tags) {
                if (within != nullptr && !tag.include_in_team_breakdown.value_or(false)) {
                    continue;
                }
                const auto percent =
                    within == nullptr ? tag.share_percent : tag.share_percent * within->share_percent / 100;
                json.object(std::to_string(tag.id),
                            [&] { write_group(json, group(percent, within == nullptr ? 0 : within->id, tag.id)); });
            }
        });
    }

private:
    [[nodiscard]] Group group(int share_percent, std::int64_t team_id, std::int64_t tag_id) const {
        Group group;
        group.luck = roll(luck_, Topic::participation, team_id, tag_id);
        group.participants = members_ * share_percent / 100;
        group.answers = group.participants * static_cast<std::int64_t>(55 + group.luck % 45) / 100;
        return group;
    }

    void write_group(JsonText& json, const Group& group) const {
        json.member("participant_count", group.participants);
        json.member("answer_count", group.answers);
        const bool too_few = group.answers < minimum_;
        if (too_few || (group.luck >> 32U) % 19 == 0) {
            for (const auto* name : {"average_points", "answer_percentages", "breakdown", "point_categories"}) {
                json.member(name, nullptr);
            }
            json.member("insufficient_data", true);
            json.member("insufficient_data_reason", too_few ? "too_few_results" : "too_similar");
            return;
        }
        write_points(json, group);
        json.array("point_categories", [&] {
            for (const auto people : split<point_category_count>(group.answers, roll(group.luck, Topic::points))) {
                json.value(ratio(people * 100, group.answers));
            }
        });
        json.member("insufficient_data", false);
        json.member("insufficient_data_reason", nullptr);
    }

    void write_points(JsonText& json, const Group& group) const {
        std::vector<std::array<std::int64_t, 5>> picked;
        std::vector<std::int64_t> points;
        for (const auto& question : survey_.questions) {
            picked.push_back(split<5>(group.answers, roll(group.luck, Topic::answers, question.id)));
            std::int64_t sum = 0;
            std::int64_t worth = 0;
            for (const auto people : picked.back()) {
                sum += people * ++worth;
            }
            points.push_back(sum);
        }
        const auto questions = static_cast<std::int64_t>(points.size());
        json.member("average_points",
                    ratio(std::accumulate(points.begin(), points.end(), std::int64_t{0}), group.answers * questions));
        json.array("answer_percentages", [&] {
            for (const auto sum : points) {
                json.value(ratio(sum, group.answers));
            }
        });
        json.object("breakdown", [&] {
            for (std::size_t number = 0; number < picked.size(); ++number) {
                json.array(std::to_string(survey_.questions[number].id), [&] {
                    for (const auto people : picked[number]) {
                        json.value(ratio(people * 100, group.answers));
                    }
                });
            }
        });
    }

    std::uint64_t seed_;
    const SurveyText& survey_;
    std::int64_t members_;
    int minimum_;
    std::uint64_t luck_;
};

void write_survey_head(JsonText& json, const SurveyText& survey) {
    json.member("id", survey.id);
    write_wording(json, "title", survey.title);
}

void write_report(JsonText& json, const Report& report) {
    const auto& scheduled = report.scheduled_survey;
    const auto& survey = survey_text(scheduled.kind);
    const auto offset = report.id % 3 == 0 ? Offset::utc_z : report.id % 3 == 1 ? Offset::vendor : Offset::utc_numeric;
    json.member("id", report.id);
    if (report.viewed) {
        json.object("data_instance", [&] {
            json.member("id", report.data_instance_id);
            json.member("type", "OrganisationSurveyReportDataInstance");
        });
    } else {
        json.member("data_instance", nullptr);
    }
    json.member("viewed", report.viewed);
    json.member("sub_report", report.sub_report_business_id.has_value());
    json.member_where_known("sub_report_business_id", report.sub_report_business_id);
    json.member("first_viewed_at",
                report.first_viewed_at ? std::optional{format_time(*report.first_viewed_at, offset)} : std::nullopt);
    json.member("generated_at", format_time(report.generated_at, offset));
    json.object("scheduled_survey", [&] {
        json.member("id", scheduled.id);
        json.member("started_at", format_time(scheduled.started_at, Offset::utc_z));
        json.member("ends_on", core::format_date(scheduled.ends_on));
        json.member("closed", true);
        json.member("title", scheduled.title);
        json.object("survey", [&] { write_survey_head(json, survey); });
        json.array("enabled_questions", [&] {
            for (const auto& question : survey.questions) {
                if (question.enabled) {
                    json.value(question.id);
                }
            }
        });
        json.array("copy_questions", [&] {
            if (scheduled.kind == SurveyKind::tyovire) {
                json.value("enps");
            }
        });
    });
}

template <class Item, class Write>
std::string page_document(std::span<const Item> page, std::optional<std::size_t> total, Write write) {
    JsonText json;
    json.object([&] {
        json.member("total", total);
        json.array("items", [&] {
            for (const auto& item : page) {
                json.object([&] { write(json, item); });
            }
        });
    });
    return json.text();
}

void write_report_organisation(JsonText& json, const World& world, const Report& report,
                               const Organisation& organisation) {
    const auto stats = world.stats(organisation.id, {}, report.generated_at).value_or(UsageStats{});
    json.object("organisation", [&] {
        write_organisation_head(json, organisation);
        json.member("business_id", organisation.business_id);
        json.member("size_class", organisation.size_class);
        json.member("su_access", organisation.su_access.value_or(false));
        json.member("total_membership_count", stats.total_membership_count);
        // Integers by their schema, strings in the examples beside it.
        if (organisation.id % 2 == 0 && stats.hh_core_total_membership_count &&
            stats.hh_core_accepted_membership_count) {
            json.member("hh_core_total_membership_count", std::to_string(*stats.hh_core_total_membership_count));
            json.member("hh_core_accepted_membership_count", std::to_string(*stats.hh_core_accepted_membership_count));
        } else {
            json.member("hh_core_total_membership_count", stats.hh_core_total_membership_count);
            json.member("hh_core_accepted_membership_count", stats.hh_core_accepted_membership_count);
        }
        json.array("feature_tags", [&] {
            for (const auto& tag : organisation.feature_tags) {
                json.value(tag);
            }
        });
        write_business_ids(json, organisation);
        json.member("company_code", organisation.company_code);
    });
}

void write_survey(JsonText& json, const SurveyText& survey) {
    json.object("survey", [&] {
        write_survey_head(json, survey);
        json.member("custom", false);
        write_wording(json, "description", survey.description);
        json.member("icon_url", fmt::format("https://cdn.example.com/surveys/{}/{{size}}.png", survey.id));
        json.member("report_key", survey.report_key);
        if (survey.parent_id != 0) {
            json.object("parent", [&] { write_survey_head(json, survey_text(SurveyKind::tyovire)); });
        }
    });
}

void write_categories(JsonText& json, const SurveyText& survey) {
    json.array("question_categories", [&] {
        for (const auto& category : survey.categories) {
            json.object([&] {
                write_category_head(json, category);
                if (!category.description.en.empty()) {
                    write_wording(json, "description", category.description);
                }
                json.member("custom", category.custom);
            });
        }
    });
}

constexpr std::array free_texts{
    "Kiitos hyvästä vuodesta!", "More \"quiet\" rooms, please.\nAnd plants 🌿", "Työ on välillä kiireistä \\ raskasta",
    "Mer återhämtning, tack",   "Ei kommentteja – kaikki kunnossa…",           "Tärkeää:\tpalaute <heti> & suoraan"};

/// Unpublished: the shape is ours, what matters is that free text and nesting come through untouched.
void write_unpublished(JsonText& json, std::uint64_t luck, std::span<const Team> teams, std::span<const Tag> tags) {
    json.array("open_questions", [&] {
        for (std::uint64_t number = 0; number < luck % 3; ++number) {
            json.object([&] {
                json.member("id", 900 + static_cast<std::int64_t>(number));
                write_wording(json, "title", {"What would you change?", "Mitä muuttaisit?", ""});
                json.array("answers", [&] {
                    for (std::uint64_t answer = 0; answer < 1 + (luck >> 8U) % 5; ++answer) {
                        json.object([&] {
                            json.member("text", free_texts[(luck + number + answer) % free_texts.size()]);
                            json.array("team_ids", [&] {
                                if (!teams.empty()) {
                                    json.value(teams[(luck >> 16U) % teams.size()].id);
                                }
                            });
                        });
                    }
                });
            });
        }
    });
    json.array("similarities", [&] {
        if (luck % 4 == 1 && !teams.empty() && !tags.empty()) {
            json.object([&] {
                json.member("team_id", teams.front().id);
                json.member("tag_id", tags.front().id);
                json.member("similarity", Decimal{9'312});
            });
        }
    });
}

}  // namespace

std::string error_document(std::string_view code, std::string_view description) {
    JsonText json;
    json.object([&] {
        json.member("error", code);
        json.member("error_description", description);
    });
    return json.text();
}

std::string token_document(std::string_view token, std::string_view scope, core::Instant created_at) {
    JsonText json;
    json.object([&] {
        json.member("access_token", token);
        json.member("scope", scope);
        json.member("created_at", date::floor<std::chrono::seconds>(created_at).time_since_epoch().count());
        json.member("token_type", "bearer");
    });
    return json.text();
}

std::string organisations_document(std::span<const Organisation> page, std::optional<std::size_t> total) {
    return page_document(page, total, [](JsonText& json, const Organisation& organisation) {
        json.member("size_class", organisation.size_class);
        write_organisation_head(json, organisation);
        write_business_ids(json, organisation);
        json.member_where_known("su_access", organisation.su_access);
    });
}

std::string stats_document(const UsageStats& stats, StatsShape shape) {
    JsonText json;
    json.object([&] {
        if (shape == StatsShape::wrapped) {
            json.object("usage", [&] { write_figures(json, stats); });
        } else {
            write_figures(json, stats);
        }
    });
    return json.text();
}

std::string reports_document(std::span<const Report> page, std::optional<std::size_t> total) {
    return page_document(page, total, write_report);
}

std::string energy_levels_document(const World& world, std::int64_t organisation_id, std::string_view business_id,
                                   DateRange period, core::Instant at) {
    const auto organisation = world.organisation(organisation_id, at);
    const auto stats = world.stats(organisation_id, business_id, at);
    if (!organisation || !stats) {
        return {};
    }
    const auto day = [](core::Date date) { return date::sys_days{date}.time_since_epoch().count(); };
    const auto luck = roll(world.seed(), Topic::answers, organisation_id, digest(business_id), day(period.first),
                           day(period.last), day(vendor_date(at)));
    const auto teams = world.teams(organisation_id);
    const auto& survey = energy_levels_survey();
    const Results results{world.seed(), survey, stats->hh_core_accepted_membership_count.value_or(0),
                          energy_levels_minimum, luck};

    JsonText json;
    json.object([&] {
        json.object("organisation", [&] {
            write_organisation_head(json, *organisation);
            json.member("business_id", organisation->business_id);
            json.member("size_class", organisation->size_class);
            json.member("su_access", organisation->su_access.value_or(false));
        });
        json.key("questions").raw(questions_member(survey));
        write_teams(json, teams);
        json.array("instances", [&] {
            json.object([&] {
                json.member("minimum_answer_count", energy_levels_minimum);
                results.write_global(json);
                results.write_organisation(json);
                results.write_teams(json, teams, {});
            });
        });
    });
    return json.text();
}

std::string report_document(const World& world, const Report& report) {
    const auto organisation = world.organisation(report.organisation_id, report.generated_at).value_or(Organisation{});
    const auto teams = world.teams(report.organisation_id);
    const auto tags = world.tags(report.organisation_id);
    const auto& survey = survey_text(report.scheduled_survey.kind);
    const auto business_id = report.sub_report_business_id.value_or(std::string{});

    JsonText json;
    json.object([&] {
        json.member("title", report.scheduled_survey.title);
        if (report.sub_report_business_id) {
            json.member("sub_report", true);
            json.member("report_business_id", business_id);
            for (const auto& candidate : organisation.business_ids) {
                if (candidate.id == business_id) {
                    json.member("report_business_desc", candidate.description);
                }
            }
        }
        write_report_organisation(json, world, report, organisation);
        write_survey(json, survey);
        json.member("explicit_team_ids", nullptr);
        json.member("explicit_tag_ids", nullptr);
        write_teams(json, teams);
        json.array("tags", [&] {
            for (const auto& tag : tags) {
                json.object([&] {
                    json.member("id", tag.id);
                    json.member("name", tag.name);
                    json.member("include_in_team_tag_breakdown", tag.include_in_team_breakdown);
                });
            }
        });
        json.key("questions").raw(questions_member(survey));
        write_categories(json, survey);
        json.array("instances", [&] {
            for (const auto& round : world.rounds(report)) {
                const bool latest = round.round == report.scheduled_survey.round;
                const auto generated_at = latest ? report.generated_at : World::first_generated_at(round);
                const auto luck = roll(world.seed(), Topic::answers, report.organisation_id, round.id,
                                       digest(business_id), latest ? report.generation : 0);
                const auto members = world.stats(report.organisation_id, business_id, generated_at)
                                         .value_or(UsageStats{})
                                         .total_membership_count.value_or(0);
                const Results results{world.seed(), survey, members, report_minimum, luck};
                json.object([&] {
                    json.member("generated_at", format_time(generated_at, Offset::utc_numeric));
                    json.member("start_time", format_time(round.started_at, Offset::utc_z));
                    json.member("ends_on", core::format_date(round.ends_on));
                    json.member("minimum_answer_count", report_minimum);
                    json.object("point_categories", [&] {
                        json.member("minimum", 1);
                        json.member("maximum", 5);
                        json.member("step", Decimal{5'000});
                    });
                    results.write_global(json);
                    results.write_organisation(json);
                    json.member("subgroup", nullptr);
                    json.member("filtered_subgroup", nullptr);
                    results.write_teams(json, teams, tags);
                    json.member("filtered_teams", nullptr);
                    results.write_tags(json, tags, nullptr);
                    write_unpublished(json, luck, teams, tags);
                });
            }
        });
        json.member("id", report.data_instance_id);
    });
    return json.text();
}

}  // namespace heiasync::simulator
