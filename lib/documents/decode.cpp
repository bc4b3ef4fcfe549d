#include "documents/decode.hpp"

#include "documents/cursor.hpp"
#include "documents/field_reader.hpp"
#include "documents/storable_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <unordered_set>
#include <utility>

namespace heiasync::documents {

namespace {

/// Far beyond the 500 items that a page can have, so that no answer can take the memory.
constexpr std::size_t max_items = 100'000;
constexpr std::size_t max_rejected = 1'000;

template <class Target>
constexpr auto key = Member<Target>::Need::key;

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

// Access tokens

struct TokenReading {
    std::string token;
    std::optional<std::string> scope;
    std::optional<core::Instant> created_at;
};

/// Seconds since 1970, though every other instant of the API is ISO 8601.
void read_created_at(FieldReader& reader, TokenReading& target) {
    constexpr std::int64_t end_of_9999 = 253'402'300'799;
    if (reader.cursor().type() != ValueType::number) {
        reader.read(target.created_at);
        return;
    }
    std::optional<std::int64_t> seconds;
    reader.read(seconds);
    if (seconds && *seconds >= 0 && *seconds <= end_of_9999) {
        target.created_at = core::Instant{std::chrono::seconds{*seconds}};
    }
}

void read_token(FieldReader& reader, TokenReading& target) {
    reader.read_key(target.token);
    reader.require_keys();
    if (!is_printable(target.token)) {
        reader.cursor().fail("holds characters that no token has");
    }
}

constexpr auto token_members = std::to_array<Member<TokenReading>>({
    {"access_token", read_token, key<TokenReading>},
    {"scope", into<&TokenReading::scope>},
    {"created_at", read_created_at},
    {"token_type"},
    {"expires_in"},
    {"refresh_token"},
});

// Organisations

void read_business_ids(FieldReader& reader, Organisation& organisation) {
    std::unordered_set<std::string> met{organisation.business_ids.begin(), organisation.business_ids.end()};
    reader.list([&] {
        if (auto id = reader.business_id(); id && !id->empty() && met.insert(*id).second) {
            organisation.business_ids.push_back(*std::move(id));
        }
    });
}

constexpr auto organisation_members = std::to_array<Member<Organisation>>({
    {"id", into_key<&Organisation::id>, key<Organisation>},
    {"name", into_key<&Organisation::name>, key<Organisation>},
    {"size_class", into<&Organisation::size_class>},
    {"multi_business_id", into<&Organisation::multi_business_id>},
    {"multi_business_ids", read_business_ids},
    {"business_ids", read_business_ids},
    {"su_access", into<&Organisation::su_access>},
    {"total_membership_count"},
    {"hh_core_total_membership_count"},
    {"hh_core_accepted_membership_count"},
    {"feature_tags"},
    {"business_id"},
    {"company_code"},
});

// Reports

/// What decides whether a report is downloaded may be absent, and then it is not. What cannot be read is no absence.
template <class Field>
void read_or_reject(FieldReader& reader, std::optional<Field>& field, const char* expected) {
    const bool may_be_absent = reader.cursor().type() == ValueType::null;
    reader.read(field);
    if (!field && !may_be_absent) {
        reader.reject(expected);
    }
}

void read_data_instance_id(FieldReader& reader, Report& report) {
    std::optional<std::string> id;
    read_or_reject(reader, id, "expected a string");
    report.data_instance_id = core::Secret{std::move(id).value_or("")};
}

void read_viewed(FieldReader& reader, Report& report) {
    std::optional<bool> viewed;
    read_or_reject(reader, viewed, "expected a boolean");
    report.viewed = viewed.value_or(false);
}

void read_generated_at(FieldReader& reader, Report& report) {
    read_or_reject(reader, report.generated_at, "expected a time with an offset");
}

constexpr auto data_instance_members = std::to_array<Member<Report>>({
    {"id", read_data_instance_id},
    {"type"},
});

constexpr auto survey_members = std::to_array<Member<Report>>({
    {"id", into<&Report::survey_id>},
    {"title", into_json<&Report::survey_title, ValueType::object>},
});

constexpr auto scheduled_survey_members = std::to_array<Member<Report>>({
    {"id", into<&Report::scheduled_survey_id>},
    {"started_at", into<&Report::started_at>},
    {"ends_on", into<&Report::ends_on>},
    {"closed", into<&Report::closed>},
    {"title", into<&Report::scheduled_survey_title>},
    {"survey", [](FieldReader& reader, Report& report) { reader.object(survey_members, report); }},
    {"enabled_questions", into<&Report::enabled_questions>},
    {"copy_questions", into<&Report::copy_questions>},
});

/// Whose report it is. Nothing means the whole organisation, so what cannot be read must not become nothing.
void read_sub_report_business_id(FieldReader& reader, Report& report) {
    auto& cursor = reader.cursor();
    const bool may_be_absent = cursor.type() == ValueType::null;
    const auto id = reader.business_id();
    report.business_id = id.value_or("");
    if (!id && !may_be_absent) {
        reader.reject("expected a business id");
    }
}

constexpr auto report_members = std::to_array<Member<Report>>({
    {"id", into_key<&Report::id>, key<Report>},
    {"data_instance", [](FieldReader& reader, Report& report) { reader.object(data_instance_members, report); }},
    {"viewed", read_viewed},
    {"sub_report", into<&Report::sub_report>},
    {"sub_report_business_id", read_sub_report_business_id},
    {"first_viewed_at", into<&Report::first_viewed_at>},
    {"generated_at", read_generated_at},
    {"scheduled_survey", [](FieldReader& reader, Report& report) { reader.object(scheduled_survey_members, report); }},
});

// Listings

template <class Item>
constexpr const auto& members_of() {
    if constexpr (std::is_same_v<Item, Organisation>) {
        return organisation_members;
    } else {
        return report_members;
    }
}

template <class Item>
void read_items(FieldReader& reader, Page<Item>& page) {
    reader.enter_key_array();
    while (reader.cursor().next_element()) {
        if (++page.raw_count > max_items) {
            reader.cursor().fail(fmt::format("more than {} items on a page", max_items));
        }
        Item item;
        reader.key_object(members_of<Item>(), item);
        if (auto rejection = reader.take_rejection(); !rejection) {
            page.items.push_back(std::move(item));
        } else if (page.rejected.size() < max_rejected) {
            page.rejected.push_back(*std::move(rejection));
        }
    }
}

template <class Item>
constexpr auto page_members = std::to_array<Member<Page<Item>>>({
    {"total"},
    {"items", read_items<Item>, key<Page<Item>>},
});

template <class Item>
Page<Item> decode_page(std::string_view operation, core::ByteSource& source) {
    Cursor cursor{operation, source};
    FieldReader reader{cursor};
    Page<Item> page;
    reader.key_object(page_members<Item>, page);
    reader.require_keys();
    cursor.finish();
    page.drift = reader.drift();
    return page;
}

// Usage statistics

struct StatsReading {
    UsageStats stats;
    bool any_figure = false;
    core::StringSink extra;
    StorableWriter extra_writer{extra};
};

template <auto Field>
void read_figure(FieldReader& reader, StatsReading& target) {
    reader.read(target.stats.*Field);
    target.any_figure = true;
}

void keep_extra(FieldReader& reader, std::string_view name, StatsReading& target) {
    target.extra_writer.name(name);
    target.extra_writer.copy(reader.cursor());
}

constexpr auto figure_members = std::to_array<Member<StatsReading>>({
    {"total_membership_count", read_figure<&UsageStats::total_membership_count>},
    {"hh_core_total_membership_count", read_figure<&UsageStats::hh_core_total_membership_count>},
    {"hh_core_accepted_membership_count", read_figure<&UsageStats::hh_core_accepted_membership_count>},
    {"app_use_count", read_figure<&UsageStats::app_use_count>},
    {"app_monthly_use_count", read_figure<&UsageStats::app_monthly_use_count>},
});

void read_usage(FieldReader& reader, StatsReading& target) {
    reader.key_object(figure_members, target, keep_extra);
}

constexpr auto stats_members = [] {
    std::array<Member<StatsReading>, figure_members.size() + 1> members{};
    std::ranges::copy(figure_members, members.begin());
    members.back() = {"usage", read_usage};
    return members;
}();

// Failures

struct FailureReading {
    std::optional<std::string> error;
};

constexpr auto failure_members = std::to_array<Member<FailureReading>>({
    {"error", into<&FailureReading::error>},
    {"error_description"},
});

}  // namespace

AccessToken decode_access_token(core::ByteSource& source) {
    Cursor cursor{"access_token", source};
    FieldReader reader{cursor};
    TokenReading reading;
    reader.key_object(token_members, reading);
    reader.require_keys();
    cursor.finish();
    return {core::Secret{std::move(reading.token)}, std::move(reading.scope), reading.created_at};
}

Page<Organisation> decode_organisations(core::ByteSource& source) {
    return decode_page<Organisation>("organisations", source);
}

Page<Report> decode_reports(core::ByteSource& source) {
    return decode_page<Report>("reports", source);
}

DecodedUsageStats decode_usage_stats(core::ByteSource& source) {
    Cursor cursor{"usage_stats", source};
    FieldReader reader{cursor};
    StatsReading reading;
    reading.extra_writer.open_object();
    reader.key_object(stats_members, reading, keep_extra);
    reader.require_keys();
    cursor.finish();
    if (!reading.any_figure) {
        cursor.fail("none of the figures that we know");
    }
    reading.extra_writer.close_object();
    if (reading.extra_writer.finish() != DocumentStatus::too_large) {
        reading.stats.extra = reading.extra.text();
    }
    return {std::move(reading.stats), reader.drift()};
}

ApiFailure decode_failure(std::string_view body) noexcept {
    // Those of the vendor's document and of OAuth 2. Another text is not repeated: a server may echo what it was sent.
    constexpr auto codes = std::to_array<std::string_view>(
        {"access_denied", "invalid_api_version", "invalid_client", "invalid_grant", "invalid_param", "invalid_request",
         "invalid_scope", "invalid_token", "missing_param", "no_org_access", "not_found", "report_not_found",
         "scheduled_survey_not_found", "server_error", "survey_not_found", "temporarily_unavailable",
         "unauthorized_client", "unknown_error", "unsupported_grant_type"});
    constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyz_";
    try {
        core::StringSource source{body};
        Cursor cursor{"failure", source};
        FieldReader reader{cursor};
        FailureReading reading;
        reader.key_object(failure_members, reading);
        reader.require_keys();
        cursor.finish();
        const std::string said = std::move(reading.error).value_or("");
        const auto code =
            std::ranges::find(codes, std::string_view{said}.substr(0, said.find_first_not_of(characters)));
        return {code == codes.end() ? std::string{} : std::string{*code}};
    } catch (const std::exception&) {
        return {};
    }
}

}  // namespace heiasync::documents
