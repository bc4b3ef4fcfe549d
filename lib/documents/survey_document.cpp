#include "documents/survey_document.hpp"

#include "documents/cursor.hpp"
#include "documents/field_reader.hpp"
#include "documents/number.hpp"
#include "documents/storable_writer.hpp"
#include "documents/suppressed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace heiasync::documents {

namespace {

/// Far beyond every real document, so that none can take the memory.
constexpr std::size_t max_instances = 10'000;
constexpr std::size_t max_questions = 10'000;
constexpr std::size_t max_groups = 1'000'000;
constexpr std::size_t max_breakdown = 1'000'000;

using NamesById = std::unordered_map<std::int64_t, std::string>;

struct Reading {
    SurveyDocumentKind kind;
    ResultVisitor& visitor;
    bool names_complete = false;  ///< in the second pass
    bool second_pass_needed = false;
    std::optional<NamesById> teams{};
    std::optional<NamesById> tags{};
    SurveyDocument document{};

    /// Whether everything that results are labelled with has been read.
    [[nodiscard]] bool ready_for_results() const {
        return names_complete || (teams && (tags || kind == SurveyDocumentKind::energy_levels));
    }
};

std::string_view operation_of(SurveyDocumentKind kind) {
    return kind == SurveyDocumentKind::report ? "report_data" : "energy_levels";
}

void limit(const Cursor& cursor, std::size_t count, std::size_t most) {
    if (count > most) {
        cursor.fail(fmt::format("more than {} entries", most));
    }
}

// Teams and tags

struct Named {
    std::optional<std::int64_t> id;
    std::optional<std::string> name;
};

constexpr auto team_members = std::to_array<Member<Named>>({
    {"id", into<&Named::id>},
    {"name", into<&Named::name>},
    {"avatar_url"},
    {"description"},
    {"managed"},
    {"include_in_team_tag_breakdown"},
    {"parent"},
});

constexpr auto tag_members = std::to_array<Member<Named>>({
    {"id", into<&Named::id>},
    {"name", into<&Named::name>},
    {"include_in_team_tag_breakdown"},
});

template <std::size_t Count>
void read_names(FieldReader& reader, const std::array<Member<Named>, Count>& members, NamesById& names) {
    if (!reader.enter_array()) {
        return;
    }
    while (reader.cursor().next_element()) {
        Named named;
        if (reader.object(members, named) && named.id && named.name) {
            names.emplace(*named.id, *std::move(named.name));
            limit(reader.cursor(), names.size(), max_groups);
        }
    }
}

std::optional<std::string> name_of(const std::optional<NamesById>& names, std::int64_t id) {
    if (!names) {
        return std::nullopt;
    }
    const auto found = names->find(id);
    return found == names->end() ? std::nullopt : std::optional{found->second};
}

// Questions

constexpr auto question_members = std::to_array<Member<Question>>({
    {"id", into_key<&Question::id>, Member<Question>::Need::key},
    {"title", into_json<&Question::title, ValueType::object>},
    {"description"},
    {"category", into_json<&Question::category, ValueType::object>},
    {"category_object"},
    {"options", into_json<&Question::options, ValueType::array>},
    {"custom"},
    {"enabled"},
    {"position", into<&Question::position>},
    {"kind"},
    {"global_comparison_type"},
});

void read_questions(FieldReader& reader, Reading& reading) {
    auto& questions = reading.document.questions;
    reader.enter_key_array();
    while (reader.cursor().next_element()) {
        reader.key_object(question_members, questions.emplace_back());
        reader.require_keys();
        limit(reader.cursor(), questions.size(), max_questions);
    }
}

// Results

struct GroupReading {
    Reading& reading;
    std::int64_t ordinal;
    GroupResult result{};
    std::optional<bool> insufficient{};
};

/// A flag that cannot be read hides the values: they may be what must not be seen.
void read_insufficient_data(FieldReader& reader, GroupReading& group) {
    const auto type = reader.cursor().type();
    reader.read(group.insufficient);
    if (!group.insufficient && type != ValueType::null) {
        group.insufficient = true;
    }
}

void read_breakdown(FieldReader& reader, GroupReading& group) {
    if (!reader.enter_object(Cursor::Names::hidden)) {
        return;
    }
    auto& breakdown = group.result.breakdown;
    Figures figures;
    while (const auto name = reader.cursor().next_member()) {
        const auto question_id = to_integer(*name);
        if (!question_id) {
            reader.note(Drift::Kind::unknown_field);
            continue;
        }
        if (reader.read(figures)) {
            breakdown.add(*question_id, figures);
            limit(reader.cursor(), breakdown.question_ids().size(), max_questions);
            limit(reader.cursor(), breakdown.figures().size(), max_breakdown);
        }
    }
    breakdown.sort();
}

void read_team_tags(FieldReader& reader, GroupReading& team);

constexpr auto group_members = std::to_array<Member<GroupReading>>({
    {"participant_count", [](FieldReader& r, GroupReading& g) { r.read(g.result.participant_count); }},
    {"answer_count", [](FieldReader& r, GroupReading& g) { r.read(g.result.answer_count); }},
    {"average_points", [](FieldReader& r, GroupReading& g) { r.read(g.result.average_points); }},
    {"answer_percentages", [](FieldReader& r, GroupReading& g) { r.read(g.result.question_average_points); }},
    {"breakdown", read_breakdown},
    {"point_categories", [](FieldReader& r, GroupReading& g) { r.read(g.result.point_categories); }},
    {"insufficient_data", read_insufficient_data},
    {"insufficient_data_reason", [](FieldReader& r, GroupReading& g) { r.read(g.result.insufficient_data_reason); }},
});

constexpr auto report_team_members = [] {
    std::array<Member<GroupReading>, group_members.size() + 1> members{};
    std::ranges::copy(group_members, members.begin());
    members.back() = {"tags", read_team_tags};
    return members;
}();

void suppress(GroupResult& result) {
    result.average_points.reset();
    result.point_categories.reset();
    result.question_average_points.reset();
    result.breakdown.clear();
}

void read_group(FieldReader& reader, Reading& reading, std::int64_t ordinal, Group group) {
    GroupReading target{reading, ordinal};
    target.result.group = std::move(group);
    const bool may_have_tags = target.result.group.scope == Scope::team && reading.kind == SurveyDocumentKind::report;
    if (!(may_have_tags ? reader.object(report_team_members, target) : reader.object(group_members, target))) {
        return;
    }
    auto& result = target.result;
    result.insufficient_data = target.insufficient.value_or(result.insufficient_data_reason.has_value());
    if (result.insufficient_data) {
        suppress(result);
    }
    reading.visitor.visit(ordinal, result);
}

/// The results of an object keyed by id. `label(id)` says whose they are.
template <class Label>
void read_groups(FieldReader& reader, Reading& reading, std::int64_t ordinal, Label label) {
    if (!reader.enter_object(Cursor::Names::hidden)) {
        return;
    }
    std::unordered_set<std::int64_t> met;
    while (const auto name = reader.cursor().next_member()) {
        const auto id = to_integer(*name);
        if (!id) {
            reader.note(Drift::Kind::unknown_field);
        } else if (met.insert(*id).second) {
            limit(reader.cursor(), met.size(), max_groups);
            read_group(reader, reading, ordinal, label(*id));
        }
    }
}

void read_team_tags(FieldReader& reader, GroupReading& team) {
    auto group = team.result.group;
    group.scope = Scope::team_tag;
    read_groups(reader, team.reading, team.ordinal, [&](std::int64_t tag_id) {
        group.tag_id = tag_id;
        group.tag_name = name_of(team.reading.tags, tag_id);
        return group;
    });
}

// Instances

struct InstanceReading {
    Reading& reading;
    std::int64_t ordinal;
    Instance instance{};
};

constexpr auto point_category_members = std::to_array<Member<Instance>>({
    {"minimum", into<&Instance::point_minimum>},
    {"maximum", into<&Instance::point_maximum>},
    {"step", into<&Instance::point_step>},
});

template <Scope scope>
void read_whole(FieldReader& reader, InstanceReading& target) {
    read_group(reader, target.reading, target.ordinal, Group{scope, 0, {}, 0, {}});
}

void read_teams(FieldReader& reader, InstanceReading& target) {
    read_groups(reader, target.reading, target.ordinal, [&](std::int64_t id) {
        return Group{Scope::team, id, name_of(target.reading.teams, id), 0, {}};
    });
}

void read_tags(FieldReader& reader, InstanceReading& target) {
    read_groups(reader, target.reading, target.ordinal, [&](std::int64_t id) {
        return Group{Scope::tag, 0, {}, id, name_of(target.reading.tags, id)};
    });
}

constexpr auto energy_instance_members = std::to_array<Member<InstanceReading>>({
    {"minimum_answer_count", [](FieldReader& r, InstanceReading& i) { r.read(i.instance.minimum_answer_count); }},
    {"global", read_whole<Scope::global>},
    {"organisation", read_whole<Scope::organisation>},
    {"teams", read_teams},
});

constexpr auto report_instance_members = std::to_array<Member<InstanceReading>>({
    {"generated_at", [](FieldReader& r, InstanceReading& i) { r.read(i.instance.generated_at); }},
    {"start_time", [](FieldReader& r, InstanceReading& i) { r.read(i.instance.start_time); }},
    {"ends_on", [](FieldReader& r, InstanceReading& i) { r.read(i.instance.ends_on); }},
    {"minimum_answer_count", [](FieldReader& r, InstanceReading& i) { r.read(i.instance.minimum_answer_count); }},
    {"point_categories", [](FieldReader& r, InstanceReading& i) { r.object(point_category_members, i.instance); }},
    {"global", read_whole<Scope::global>},
    {"organisation", read_whole<Scope::organisation>},
    {"subgroup"},
    {"filtered_subgroup"},
    {"teams", read_teams},
    {"filtered_teams"},
    {"tags", read_tags},
    {"open_questions"},
    {"similarities"},
});

/// Left for the second pass where results could not be labelled yet.
void read_instances(FieldReader& reader, Reading& reading) {
    if (!reading.ready_for_results()) {
        reading.second_pass_needed = true;
        return;
    }
    auto& instances = reading.document.instances;
    reader.enter_key_array();
    while (reader.cursor().next_element()) {
        InstanceReading target{reading, static_cast<std::int64_t>(instances.size())};
        if (reading.kind == SurveyDocumentKind::report) {
            reader.key_object(report_instance_members, target);
        } else {
            reader.key_object(energy_instance_members, target);
        }
        reader.require_keys();
        instances.push_back(target.instance);
        limit(reader.cursor(), instances.size(), max_instances);
    }
}

// Documents

void read_team_names(FieldReader& reader, Reading& reading) {
    read_names(reader, team_members, reading.teams.emplace());
}

void read_tag_names(FieldReader& reader, Reading& reading) {
    read_names(reader, tag_members, reading.tags.emplace());
}

constexpr auto key = Member<Reading>::Need::key;

constexpr auto energy_levels_members = std::to_array<Member<Reading>>({
    {"organisation"},
    {"questions", read_questions, key},
    {"teams", read_team_names},
    {"instances", read_instances, key},
});

constexpr auto report_members = std::to_array<Member<Reading>>({
    {"title", [](FieldReader& r, Reading& d) { r.read(d.document.title); }},
    {"sub_report", [](FieldReader& r, Reading& d) { r.read(d.document.sub_report); }},
    {"report_business_id", [](FieldReader& r, Reading& d) { d.document.business_id = r.business_id(); }},
    {"report_business_desc", [](FieldReader& r, Reading& d) { r.read(d.document.business_description); }},
    {"organisation"},
    {"survey"},
    {"explicit_team_ids"},
    {"explicit_tag_ids"},
    {"teams", read_team_names},
    {"tags", read_tag_names},
    {"questions", read_questions, key},
    {"question_categories"},
    {"instances", read_instances, key},
    {"id"},
});

void read_document(const Original& original, Reading& reading) {
    OriginalReader source{original};
    Cursor cursor{operation_of(reading.kind), source};
    FieldReader reader{cursor};
    reading.document = {};
    if (reading.kind == SurveyDocumentKind::report) {
        reader.key_object(report_members, reading);
    } else {
        reader.key_object(energy_levels_members, reading);
    }
    reader.require_keys();
    cursor.finish();
    reading.document.drift = reader.drift();
}

}  // namespace

SurveyDocument decode_survey_document(SurveyDocumentKind kind, const Original& original, ResultVisitor& visitor) {
    Reading reading{kind, visitor};
    read_document(original, reading);
    if (reading.second_pass_needed) {
        reading.names_complete = true;
        read_document(original, reading);
    }
    // A snapshot is stored once for ever: one without its result would look like an answer.
    if (kind == SurveyDocumentKind::energy_levels && reading.document.instances.size() != 1) {
        throw DecodeError{std::string{operation_of(kind)}, "/instances", "expected exactly one instance"};
    }
    return std::move(reading.document);
}

DocumentStatus write_storable_json(SurveyDocumentKind kind, const Original& original, core::ByteSink& sink) {
    OriginalReader whole{original};
    std::vector<Cut> suppressed = find_suppressed_values(operation_of(kind), whole);
    const bool has_suppressed = !suppressed.empty();
    OriginalReader reader{original};
    CutSource source{reader, std::move(suppressed)};
    Cursor cursor{operation_of(kind), source};
    if (cursor.type() != ValueType::object) {
        cursor.fail("expected an object");
    }
    StorableWriter writer{sink};
    cursor.enter_object();
    writer.open_object();
    while (const auto name = cursor.next_member()) {
        if (kind == SurveyDocumentKind::report && *name == "id") {
            cursor.skip();
        } else {
            writer.name(*name);
            writer.copy(cursor);
        }
    }
    writer.close_object();
    cursor.finish();
    const auto status = writer.finish();
    const bool is_changed = cursor.replacements() > 0 || has_suppressed;
    return status == DocumentStatus::stored && is_changed ? DocumentStatus::sanitised : status;
}

}  // namespace heiasync::documents
