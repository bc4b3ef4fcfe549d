#include "status/daemon_report.hpp"

#include "calendar/calendar.hpp"
#include "documents/utf8.hpp"

#include <date/tz.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace heiasync::status {

namespace {

using service::State;
using std::chrono::duration_cast;
using std::chrono::seconds;

/// A member of an object, read strictly: whatever is not as to_json() writes it throws std::invalid_argument, or
/// std::logic_error.
class Member {
public:
    Member(const rapidjson::Value& object, const char* name) : value_{find(object, name)} {}

    [[nodiscard]] bool is_null() const { return value_.IsNull(); }
    [[nodiscard]] const rapidjson::Value& object() const { return require(value_.IsObject()); }
    [[nodiscard]] auto array() const { return require(value_.IsArray()).GetArray(); }
    [[nodiscard]] std::string text() const {
        const rapidjson::Value& value = require(value_.IsString());
        return {value.GetString(), value.GetStringLength()};
    }
    [[nodiscard]] std::int64_t number() const { return require(value_.IsInt64()).GetInt64(); }
    [[nodiscard]] bool flag() const { return require(value_.IsBool()).GetBool(); }
    [[nodiscard]] core::Instant instant() const { return core::parse_instant(text()); }
    [[nodiscard]] std::optional<core::Instant> optional_instant() const {
        return is_null() ? std::nullopt : std::optional{instant()};
    }

private:
    static const rapidjson::Value& find(const rapidjson::Value& object, const char* name) {
        const auto member = object.FindMember(name);
        if (member == object.MemberEnd()) {
            throw std::invalid_argument{"a member is missing"};
        }
        return member->value;
    }
    [[nodiscard]] const rapidjson::Value& require(bool fits) const {
        if (!fits) {
            throw std::invalid_argument{"a member of another type"};
        }
        return value_;
    }

    const rapidjson::Value& value_;
};

State::RunInHand read_run(const rapidjson::Value& object) {
    State::RunInHand run;
    run.trigger = history::trigger_of(Member{object, "trigger"}.text());
    run.scheduled_for = Member{object, "scheduled_for"}.optional_instant();
    run.started_at = Member{object, "started_at"}.instant();
    run.progress.sync_run_id = Member{object, "sync_run_id"}.number();
    run.progress.organisations_done = Member{object, "organisations_done"}.number();
    run.progress.organisations = Member{object, "organisations"}.number();
    run.progress.requests = Member{object, "requests"}.number();
    run.progress.failures = Member{object, "failures"}.number();
    return run;
}

State::Configuration read_configuration(const rapidjson::Value& object) {
    State::Configuration configuration;
    configuration.loaded_at = Member{object, "loaded_at"}.instant();
    configuration.last_reload_ok = Member{object, "last_reload_ok"}.flag();
    if (const Member error{object, "last_reload_error"}; !error.is_null()) {
        configuration.last_reload_error = error.text();
    }
    configuration.client_secret_loaded_at = Member{object, "client_secret_loaded_at"}.instant();
    configuration.magic_token_loaded_at = Member{object, "magic_token_loaded_at"}.instant();
    return configuration;
}

DaemonReport read_report(const rapidjson::Value& object) {
    DaemonReport report;
    report.version = Member{object, "version"}.text();
    report.now = Member{object, "now"}.instant();
    report.zone = &calendar::find_zone(Member{object, "time_zone"}.text());
    if (const Member run{object, "run"}; !run.is_null()) {
        report.run = read_run(run.object());
    }
    if (const Member next_run{object, "next_run"}; !next_run.is_null()) {
        report.next_run = Member{next_run.object(), "utc"}.instant();
    }
    report.configuration = read_configuration(Member{object, "config"}.object());
    for (const rapidjson::Value& item : Member{object, "conditions"}.array()) {
        if (!item.IsObject()) {
            throw std::invalid_argument{"a condition is no object"};
        }
        report.hindrances.push_back({Member{item, "condition"}.text(), seconds{Member{item, "seconds"}.number()},
                                     Member{item, "message"}.text()});
    }
    return report;
}

}  // namespace

DaemonReport report_of(const State& state, std::string_view version, core::Instant now, const date::time_zone& zone) {
    DaemonReport report;
    report.version = version;
    report.now = now;
    report.zone = &zone;
    report.run = state.run;
    report.next_run = state.next_run;
    report.configuration = state.configuration;
    report.standing = state.standing.value_or(history::Standing{});
    const auto real_now = std::chrono::steady_clock::now();
    for (const auto& [name, member] : service::conditions) {
        const service::Condition& condition = state.*member;
        if (condition.since()) {
            report.hindrances.push_back(
                {std::string{name}, duration_cast<seconds>(real_now - *condition.since()), condition.message()});
        }
    }
    return report;
}

std::string to_json(const DaemonReport& report) {
    core::Json json;
    json.begin_object();
    json.member("version", report.version);
    json.member("now", report.now);
    json.member("time_zone", report.zone->name());
    json.key("run");
    write_run(json, report.run);
    json.key("next_run");
    write_next_run(json, report.next_run, *report.zone);
    json.key("last_runs");
    write_runs(json, report.standing.last_runs);
    json.key("streams");
    write_streams(json, report.standing.last_successes, report.standing.gaps);
    json.key("config");
    write_configuration(json, report.configuration);
    json.key("conditions");
    write_hindrances(json, report.hindrances);
    json.end_object();
    return json.text();
}

std::optional<DaemonReport> parse_report(std::string_view json) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
    if (document.HasParseError() || !document.IsObject()) {
        return std::nullopt;
    }
    try {
        return read_report(document);
    } catch (const std::logic_error&) {
        return std::nullopt;
    }
}

void write_run(core::Json& json, const std::optional<State::RunInHand>& run) {
    if (!run) {
        json.value(std::nullopt);
        return;
    }
    json.begin_object();
    json.member("trigger", history::to_string(run->trigger));
    json.member("scheduled_for", run->scheduled_for);
    json.member("started_at", run->started_at);
    json.member("sync_run_id", run->progress.sync_run_id);
    json.member("organisations_done", run->progress.organisations_done);
    json.member("organisations", run->progress.organisations);
    json.member("requests", run->progress.requests);
    json.member("failures", run->progress.failures);
    json.end_object();
}

void write_next_run(core::Json& json, const std::optional<core::Instant>& next_run, const date::time_zone& zone) {
    if (!next_run) {
        json.value(std::nullopt);
        return;
    }
    json.begin_object();
    json.member("local", calendar::iso_local(*next_run, zone));
    json.member("utc", *next_run);
    json.end_object();
}

void write_runs(core::Json& json, const std::vector<history::RunRecord>& runs) {
    json.begin_array();
    for (const history::RunRecord& run : runs) {
        json.begin_object();
        json.member("sync_run_id", run.sync_run_id);
        json.member("trigger", history::to_string(run.trigger));
        json.member("run_on", run.run_on);
        json.member("scheduled_for", run.scheduled_for);
        json.member("started_at", run.started_at);
        json.member("finished_at", run.finished_at);
        json.member("status", history::to_string(run.status));
        json.member("organisations", run.organisations);
        json.member("requests", run.requests);
        json.member("failures", run.failures);
        json.member("bytes_received", run.bytes_received);
        json.member("error", run.error);
        json.member("host", run.host);
        json.member("version", run.version);
        json.member("limited_to", run.limited_to);
        json.end_object();
    }
    json.end_array();
}

void write_streams(core::Json& json, const std::map<history::Stream, std::optional<core::Instant>>& last_successes,
                   const std::map<history::Stream, history::GapCount>& gaps) {
    json.begin_array();
    for (const history::Stream stream : history::all_streams) {
        const auto success = last_successes.find(stream);
        const auto missing = gaps.find(stream);
        const history::GapCount count = missing == gaps.end() ? history::GapCount{} : missing->second;
        json.begin_object();
        json.member("stream", history::to_string(stream));
        json.member("last_success", success == last_successes.end() ? std::nullopt : success->second);
        json.member("open_gaps", count.open);
        json.member("final_gaps", count.final);
        json.end_object();
    }
    json.end_array();
}

void write_configuration(core::Json& json, const State::Configuration& configuration) {
    json.begin_object();
    json.member("loaded_at", configuration.loaded_at);
    json.member("last_reload_ok", configuration.last_reload_ok);
    json.key("last_reload_error");
    if (configuration.last_reload_error) {
        json.value(documents::as_utf8(*configuration.last_reload_error));
    } else {
        json.value(std::nullopt);
    }
    json.member("client_secret_loaded_at", configuration.client_secret_loaded_at);
    json.member("magic_token_loaded_at", configuration.magic_token_loaded_at);
    json.end_object();
}

void write_hindrances(core::Json& json, const std::vector<Hindrance>& hindrances) {
    json.begin_array();
    for (const Hindrance& hindrance : hindrances) {
        json.begin_object();
        json.member("condition", hindrance.condition);
        json.member("seconds", std::int64_t{hindrance.lasting.count()});
        json.member("message", documents::as_utf8(hindrance.message));
        json.end_object();
    }
    json.end_array();
}

}  // namespace heiasync::status
