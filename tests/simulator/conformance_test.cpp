#include "simulator/protocol.hpp"
#include "simulator/vendor_schema.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace heiasync::simulator {
namespace {

namespace http = boost::beast::http;
using rapidjson::Value;

std::string_view text_of(const Value& value) {
    return {value.GetString(), value.GetStringLength()};
}

template <class Parse>
bool is_read_by(Parse parse, std::string_view text) {
    try {
        (void)parse(text);
        return true;
    } catch (const std::invalid_argument&) {
        return false;
    }
}

bool is_one_of(std::string_view text, std::string_view alternatives) {
    return fmt::format("|{}|", alternatives).find(fmt::format("|{}|", text)) != std::string::npos;
}

bool has_fields(std::string_view schema) {
    return std::ranges::find(vendor_fields, schema, &VendorField::schema) != vendor_fields.end();
}

/// Holds answers against the vendor's tables, and remembers which rows of them they used.
class Conformance {
public:
    void check(const Value& value, std::string_view type, const std::string& where) {
        if (type.starts_with("[]")) {
            if (expect(value.IsArray(), where, "an array")) {
                for (const auto& item : value.GetArray()) {
                    check(item, type.substr(2), where + "/*");
                }
            }
        } else if (has_fields(type)) {
            if (expect(value.IsObject(), where, "an object")) {
                for (const auto& member : value.GetObject()) {
                    check_member(type, text_of(member.name), member.value, where);
                }
            }
        } else {
            expect(is_scalar(value, type), where, type);
        }
    }

    /// At most a few, so that a systematic mistake stays readable.
    [[nodiscard]] const std::set<std::string>& mistakes() const { return mistakes_; }

    [[nodiscard]] std::vector<std::string> never_sent() const {
        std::vector<std::string> rows;
        for (const auto& field : vendor_fields) {
            if (!field.name.empty() && !used_.contains(&field)) {
                rows.push_back(fmt::format("{}.{}", field.schema, field.name));
            }
        }
        for (const auto& exception : vendor_exceptions) {
            if (!excused_.contains(&exception)) {
                rows.push_back(fmt::format("{}.{} as {}", exception.schema, exception.name, exception.type));
            }
        }
        return rows;
    }

private:
    static bool is_scalar(const Value& value, std::string_view type) {
        if (type == "int32") {
            return value.IsInt();
        }
        if (type == "int64" || type == "integer") {
            return value.IsInt64();
        }
        if (type == "number") {
            return value.IsNumber();
        }
        if (type == "boolean") {
            return value.IsBool();
        }
        if (!value.IsString()) {
            return false;
        }
        return type == "string" || (type == "dateTime" && is_read_by(core::parse_instant, text_of(value))) ||
               (type == "date" && is_read_by(core::parse_date, text_of(value))) || is_one_of(text_of(value), type);
    }

    /// The row that describes a member, its base schemas included.
    static const VendorField* find(std::string_view schema, std::string_view name) {
        for (const auto& field : vendor_fields) {
            if (field.schema != schema) {
                continue;
            }
            if (field.name == name || field.name == "*") {
                return &field;
            }
            if (field.name.empty()) {
                if (const auto* const inherited = find(field.type, name)) {
                    return inherited;
                }
            }
        }
        return nullptr;
    }

    bool excuse(std::string_view schema, std::string_view name, std::string_view type) {
        for (const auto& exception : vendor_exceptions) {
            if (exception.schema == schema && exception.name == name && exception.type == type) {
                excused_.insert(&exception);
                return true;
            }
        }
        return false;
    }

    void check_member(std::string_view schema, std::string_view name, const Value& value, const std::string& where) {
        const auto* const field = find(schema, name);
        if (field == nullptr) {
            expect(excuse(schema, name, "any"), fmt::format("{}/{}", where, name), "nothing");
            return;
        }
        used_.insert(field);
        const auto at = fmt::format("{}/{}", where, field->name);
        if (field->name == "*") {
            expect(std::ranges::all_of(name, [](char digit) { return digit >= '0' && digit <= '9'; }), at, "an id");
        }
        const std::string_view spare = value.IsNull() ? "null" : value.IsString() ? "string" : "";
        if (spare.empty() || is_scalar(value, field->type) || !excuse(field->schema, name, spare)) {
            check(value, field->type, at);
        }
    }

    bool expect(bool holds, const std::string& where, std::string_view what) {
        if (!holds && mistakes_.size() < 20) {
            mistakes_.insert(fmt::format("{}: {} expected", where, what));
        }
        return holds;
    }

    std::set<const VendorField*> used_;
    std::set<const VendorException*> excused_;
    std::set<std::string> mistakes_;
};

class VendorDocument : public testing::Test {
protected:
    Answer ask(std::string_view target) {
        HttpRequest request{http::verb::get, target, 11};
        if (!target.starts_with("/reports/")) {
            request.set(http::field::authorization, "Bearer " + token_);
        }
        request.set("X-Simulated-Time", "2026-07-01T04:30:00+03:00");
        return protocol_.answer(request, 1);
    }

    rapidjson::Document get(std::string_view target, std::string_view schema, unsigned status = 200) {
        return examine(ask(target), schema, status);
    }

    rapidjson::Document examine(const Answer& answer, std::string_view schema, unsigned status = 200) {
        EXPECT_EQ(answer.status, status);
        rapidjson::Document document;
        document.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag>(answer.body.data(),
                                                                                                   answer.body.size());
        EXPECT_FALSE(document.HasParseError());
        conformance_.check(document, schema, std::string{schema});
        return document;
    }

    void log_in() {
        const auto& wanted = options_.credentials;
        HttpRequest request{http::verb::post, "/oauth/token", 11};
        request.set("X-Simulated-Time", "2026-07-01T04:30:00+03:00");
        request.body() = fmt::format(
            R"({{"grant_type":"magic_token","email":"{}","magic_token":"{}","client_id":"{}","client_secret":"{}"}})",
            wanted.email, wanted.magic_token, wanted.client_id, wanted.client_secret);
        const auto answer = examine(protocol_.answer(request, 1), "AccessToken");
        token_ = text_of(answer["access_token"]);
    }

    Options options_ = [] {
        Options options;
        options.organisations = 300;
        return options;
    }();
    World world_{options_.seed, options_.organisations};
    FaultPlan faults_;
    Observations observations_;
    Protocol protocol_{options_, world_, faults_, observations_};
    Conformance conformance_;
    std::string token_;
};

TEST_F(VendorDocument, DescribesEveryFieldOfEveryAnswerAndEveryFieldIsSent) {
    log_in();
    get("/admin/v1/documents/organisations?per_page=1&total_required=true", "ListOrganisationsResponse");
    get("/admin/v1/documents/organisations/1/stats", "ErrorResponse", 403);
    const auto listing = get("/admin/v1/documents/organisations?per_page=500", "ListOrganisationsResponse");
    ASSERT_GT(listing["items"].Size(), 270U);
    for (const auto& organisation : listing["items"].GetArray()) {
        const auto path = fmt::format("/admin/v1/documents/organisations/{}", organisation["id"].GetInt64());
        const auto usage = ask(path + "/stats");
        rapidjson::Document wrapped;
        wrapped.Parse(usage.body.data(), usage.body.size());
        ASSERT_TRUE(wrapped.IsObject() && wrapped.MemberCount() == 1 && wrapped.HasMember("usage"));
        conformance_.check(wrapped["usage"], "OrganisationUsageStats", "OrganisationUsageStats");
        get(path + "/energy_levels?start_date=2026-06-01&end_date=2026-06-30", "ParempiVireSurveyReportData");
        const auto reports = get(path + "/reports?per_page=500", "ListOrganisationSurveyReportsResponse");
        for (const auto& report : reports["items"].GetArray()) {
            if (report["viewed"].GetBool()) {
                const auto* const id = report["data_instance"]["id"].GetString();
                const auto document =
                    get(fmt::format("/reports/v1/documents/reports/{}/full_data", id), "OrganisationSurveyReportData");
                ASSERT_STREQ((document.MemberEnd() - 1)->name.GetString(), "id");
                EXPECT_STREQ(document["id"].GetString(), id);
            }
        }
    }
    EXPECT_EQ(conformance_.mistakes(), std::set<std::string>{});
    EXPECT_EQ(conformance_.never_sent(), std::vector<std::string>{});
}

TEST_F(VendorDocument, DescribesTheBareFormOfStatsToo) {
    const auto at = core::parse_instant("2026-07-01T01:30:00Z");
    for (const auto& organisation : world_.organisations(at)) {
        Answer answer;
        answer.body = stats_document(world_.stats(organisation.id, {}, at).value(), StatsShape::bare);
        const auto stats = examine(answer, "OrganisationUsageStats");
        EXPECT_EQ(stats.MemberCount(), 5U);
    }
    EXPECT_EQ(conformance_.mistakes(), std::set<std::string>{});
}

TEST_F(VendorDocument, IsBrokenByAFieldOfAnotherTypeOrName) {
    Answer answer;
    answer.body = R"({"total": "3", "items": [{"id": 3000000000, "name": "A", "nickname": "B", "su_access": null}]})";
    examine(answer, "ListOrganisationsResponse");
    EXPECT_EQ(conformance_.mistakes(),
              (std::set<std::string>{"ListOrganisationsResponse/items/*/id: int32 expected",
                                     "ListOrganisationsResponse/items/*/nickname: nothing expected",
                                     "ListOrganisationsResponse/items/*/su_access: boolean expected",
                                     "ListOrganisationsResponse/total: int32 expected"}));
}

}  // namespace
}  // namespace heiasync::simulator
