#include "commands/place.hpp"

#include "core/printable.hpp"

#include <fmt/format.h>

namespace heiasync::commands {

void write_place(core::Json& json, const history::TaskKey& key, std::optional<core::Date> period_end,
                 std::optional<core::Instant> generated_at) {
    json.member("stream", history::to_string(key.stream));
    json.member("organisation_id", key.organisation_id);
    json.member("business_id", key.business_id);
    json.member("period_start", key.period_start);
    json.member("period_end", period_end);
    json.member("report_id", key.report_id);
    json.member("generated_at", generated_at);
}

std::string describe_place(const history::TaskKey& key, std::optional<core::Date> period_end) {
    std::string place;
    if (!key.business_id.empty()) {
        place += " business id " + core::printable(key.business_id);
    }
    if (key.period_start) {
        place += period_end ? fmt::format(", period {} to {}", core::format_date(*key.period_start),
                                          core::format_date(*period_end))
                            : ", period from " + core::format_date(*key.period_start);
    }
    if (key.report_id) {
        place += fmt::format(", report {}", *key.report_id);
    }
    return place;
}

}  // namespace heiasync::commands
