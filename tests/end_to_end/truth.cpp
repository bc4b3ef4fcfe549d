#include "truth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace heiasync::testing {

namespace {

std::string text_or_null(std::optional<std::int64_t> figure) {
    return figure ? std::to_string(*figure) : "NULL";
}

}  // namespace

std::string after_slot(std::string_view summer_date) {
    return fmt::format("{}T04:35:00+03:00", summer_date);
}

core::Instant instant_after_slot(std::string_view summer_date) {
    return core::parse_instant(after_slot(summer_date));
}

std::string as_stored(core::Instant instant) {
    return date::format("%F %T+00", date::floor<std::chrono::seconds>(instant));
}

std::string subject(std::int64_t organisation_id, std::string_view business_id) {
    return fmt::format("{}|{}", organisation_id, business_id);
}

std::vector<simulator::Organisation> Truth::organisations() const {
    auto found = world_.organisations(at_);
    std::erase_if(found, [](const simulator::Organisation& organisation) { return organisation.size_class == 20; });
    return found;
}

std::set<std::string> Truth::organisation_ids() const {
    std::set<std::string> ids;
    for (const auto& organisation : organisations()) {
        ids.insert(std::to_string(organisation.id));
    }
    return ids;
}

std::set<std::string> Truth::mapped_subjects() const {
    std::set<std::string> subjects;
    for (const auto& organisation : organisations()) {
        subjects.insert(subject(organisation.id));
        for (const auto& business_id : organisation.business_ids) {
            if (business_id.mapped) {
                subjects.insert(subject(organisation.id, business_id.id));
            }
        }
    }
    return subjects;
}

std::set<std::string> Truth::unmapped_subjects() const {
    std::set<std::string> subjects;
    for (const auto& organisation : organisations()) {
        for (const auto& business_id : organisation.business_ids) {
            if (!business_id.mapped) {
                subjects.insert(subject(organisation.id, business_id.id));
            }
        }
    }
    return subjects;
}

std::set<std::string> Truth::usage_stats() const {
    std::set<std::string> rows;
    for (const auto& mapped : mapped_subjects()) {
        const auto bar = mapped.find('|');
        const auto stats = world_.stats(std::stoll(mapped), mapped.substr(bar + 1), at_).value();
        rows.insert(fmt::format("{}|{}|{}|{}|{}|{}", mapped, text_or_null(stats.total_membership_count),
                                text_or_null(stats.hh_core_total_membership_count),
                                text_or_null(stats.hh_core_accepted_membership_count),
                                text_or_null(stats.app_use_count), text_or_null(stats.app_monthly_use_count)));
    }
    return rows;
}

std::optional<std::int64_t> Truth::accepted_members(std::int64_t organisation_id, std::string_view business_id) const {
    const auto stats = world_.stats(organisation_id, business_id, at_);
    return stats ? stats->hh_core_accepted_membership_count : std::nullopt;
}

std::set<std::string> Truth::at_least(std::int64_t minimum) const {
    auto subjects = mapped_subjects();
    std::erase_if(subjects, [&](const std::string& line) {
        const auto accepted = accepted_members(std::stoll(line), line.substr(line.find('|') + 1));
        return !accepted || *accepted < minimum;
    });
    return subjects;
}

std::set<std::string> Truth::below(std::int64_t minimum) const {
    auto subjects = mapped_subjects();
    std::erase_if(subjects, [&](const std::string& line) {
        const auto accepted = accepted_members(std::stoll(line), line.substr(line.find('|') + 1));
        return !accepted || *accepted >= minimum;
    });
    return subjects;
}

std::set<std::string> Truth::unknown_count() const {
    auto subjects = mapped_subjects();
    std::erase_if(subjects, [&](const std::string& line) {
        return accepted_members(std::stoll(line), line.substr(line.find('|') + 1)).has_value();
    });
    return subjects;
}

std::vector<simulator::Report> Truth::viewed_reports(std::int64_t organisation_id) const {
    auto reports = world_.reports(organisation_id, at_);
    std::erase_if(reports, [](const simulator::Report& report) { return !report.viewed; });
    return reports;
}

std::vector<simulator::Report> Truth::viewed_reports() const {
    std::vector<simulator::Report> reports;
    for (const auto& organisation : organisations()) {
        std::ranges::move(viewed_reports(organisation.id), std::back_inserter(reports));
    }
    return reports;
}

std::set<std::string> Truth::report_versions() const {
    std::set<std::string> versions;
    for (const auto& report : viewed_reports()) {
        versions.insert(version_line(report));
    }
    return versions;
}

std::string version_line(const simulator::Report& report) {
    return fmt::format("{}|{}|{}", report.organisation_id, report.id, as_stored(report.generated_at));
}

std::string difference(const std::set<std::string>& expected, const std::set<std::string>& actual) {
    std::string text;
    for (const auto& line : expected) {
        if (!actual.contains(line)) {
            text += fmt::format("missing:    {}\n", line);
        }
    }
    for (const auto& line : actual) {
        if (!expected.contains(line)) {
            text += fmt::format("unexpected: {}\n", line);
        }
    }
    return text;
}

}  // namespace heiasync::testing
