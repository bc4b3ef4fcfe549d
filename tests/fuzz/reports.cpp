#include "documents/field_reader.hpp"
#include "fuzz/page.hpp"

namespace heiasync::fuzz {

namespace {

void require_readable(const std::optional<core::Instant>& instant) {
    require(!instant || core::parse_instant(core::format_instant(*instant)) == *instant,
            "an instant is read as it is written");
}

void check_item(const documents::Report& report) {
    require(is_storable(report.data_instance_id.reveal()), "a data instance id can be stored");
    require(is_storable(report.business_id), "a business id can be stored");
    require(report.business_id.size() <= documents::FieldReader::max_business_id, "a business id can be a key");
    require(is_storable(report.scheduled_survey_title.value_or("")), "a title can be stored");
    require_readable(report.first_viewed_at);
    require_readable(report.generated_at);
    require_readable(report.started_at);
    if (report.survey_title) {
        require_storable_json(*report.survey_title);
    }
    for (const auto& question : report.copy_questions) {
        require(is_storable(question), "the key of a question can be stored");
    }
    require(!report.ready() || (report.viewed && !report.data_instance_id.empty()), "what is ready can be downloaded");
}

}  // namespace

void check(std::string_view input) {
    for (const auto& report : decode_page(documents::decode_reports, input, "reports")) {
        check_item(report);
    }
}

}  // namespace heiasync::fuzz
