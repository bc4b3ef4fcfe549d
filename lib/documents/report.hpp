#pragma once

#include "core/instant.hpp"
#include "core/secret.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::documents {

/// A report as the listing shows it (OrganisationSurveyReport of the vendor's document).
struct Report {
    std::int64_t id = 0;            ///< a key field: missing or ill-typed, the item is rejected
    core::Secret data_instance_id;  ///< empty where there is none. Whoever knows it can read the report
    bool viewed = false;
    bool sub_report = false;
    /// `sub_report_business_id`; empty for the whole organisation. One that cannot be a key makes the item rejected.
    std::string business_id;
    std::optional<core::Instant> first_viewed_at;
    std::optional<core::Instant> generated_at;  ///< with the id, what makes a version
    std::optional<std::int64_t> scheduled_survey_id;
    std::optional<std::string> scheduled_survey_title;
    std::optional<core::Instant> started_at;
    std::optional<core::Date> ends_on;
    std::optional<bool> closed;
    std::optional<std::int64_t> survey_id;
    std::optional<std::string> survey_title;  ///< a storable JSON text: an object keyed by language
    std::vector<std::int64_t> enabled_questions;
    std::vector<std::string> copy_questions;

    /// Viewed, generated and with a data instance: only such a report can be downloaded.
    [[nodiscard]] bool ready() const { return viewed && generated_at.has_value() && !data_instance_id.empty(); }

    friend bool operator==(const Report&, const Report&) = default;
};

}  // namespace heiasync::documents
