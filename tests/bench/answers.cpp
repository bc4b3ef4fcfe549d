#include "answers.hpp"

#include "simulator/documents.hpp"
#include "simulator/world.hpp"

#include <date/date.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

namespace heiasync::bench {

namespace {

using namespace date::literals;

constexpr std::size_t page_size = 500;
constexpr std::string_view listing_path = "/admin/v1/documents/organisations";

std::vector<simulator::Team> teams(std::size_t count) {
    std::vector<simulator::Team> result(count);
    for (std::size_t number = 0; number < count; ++number) {
        auto& team = result[number];
        team.id = 3'205'000'000 + static_cast<std::int64_t>(number);
        team.name = fmt::format("Työmaa {}", number + 1);
        team.include_in_tag_breakdown = number % 4 == 0;
        team.share_percent = static_cast<int>(10 + number % 40);
    }
    return result;
}

/// Gives the organisation as many teams as make `write()` that long.
template <class Write>
std::string with_size(simulator::World& world, std::int64_t organisation_id, std::size_t size, Write write) {
    constexpr std::size_t step = 16;
    const auto write_with = [&](std::size_t count) {
        world.set_teams(organisation_id, teams(count));
        return write();
    };
    std::string shortest = write_with(1);
    if (size <= shortest.size()) {
        return shortest;
    }
    const auto longer = write_with(1 + step).size();
    return write_with(1 + (size - shortest.size()) * step / (longer - shortest.size()));
}

std::optional<simulator::Report> viewed_report(const simulator::World& world, std::int64_t organisation_id,
                                               core::Instant at) {
    for (auto& report : world.reports(organisation_id, at)) {
        if (report.viewed && !report.sub_report_business_id) {
            return std::move(report);
        }
    }
    return std::nullopt;
}

}  // namespace

std::string make_answer(std::string_view body) {
    return fmt::format("{}{}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n\r\n{}",
                       date_prefix, date_example, body.size(), body);
}

std::string_view body_of(std::string_view answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
}

Answers make_answers(std::size_t organisations, std::size_t document_size) {
    const core::Instant at = date::sys_days{2026_y / 6 / 1};
    const simulator::DateRange period{2026_y / 5 / 1, 2026_y / 5 / 31};
    // Many of the world's organisations have no report yet.
    simulator::World world{1, 2 * organisations + 20};
    Answers answers;
    std::vector<simulator::Organisation> listed;
    for (auto& organisation : world.organisations(at)) {
        const auto report = viewed_report(world, organisation.id, at);
        if (listed.size() == organisations || !report) {
            continue;
        }
        organisation.multi_business_id = false;
        const simulator::UsageStats stats{400, 380, 360, 100'000 + organisation.id, 900};
        world.set_stats(organisation.id, {}, stats);
        const auto path = fmt::format("{}/{}", listing_path, organisation.id);
        answers[path + "/stats"] = make_answer(simulator::stats_document(stats, simulator::StatsShape::wrapped));
        answers[path + "/energy_levels"] = make_answer(with_size(world, organisation.id, document_size, [&] {
            return simulator::energy_levels_document(world, organisation.id, {}, period, at);
        }));
        answers[path + "/reports"] = make_answer(simulator::reports_document(std::span{&*report, 1}, std::nullopt));
        answers[fmt::format("/reports/v1/documents/reports/{}/full_data", report->data_instance_id)] =
            make_answer(with_size(world, organisation.id, document_size,
                                  [&] { return simulator::report_document(world, *report); }));
        listed.push_back(std::move(organisation));
    }
    if (listed.size() < organisations) {
        throw std::logic_error{"the world has too few organisations with a report"};
    }
    for (std::size_t first = 0; first < listed.size(); first += page_size) {
        const auto page = std::span{listed}.subspan(first, std::min(page_size, listed.size() - first));
        const auto key =
            first == 0 ? std::string{listing_path} : fmt::format("{} {}", listing_path, first / page_size + 1);
        answers[key] = make_answer(simulator::organisations_document(page, std::nullopt));
    }
    answers["/oauth/token"] = make_answer(simulator::token_document("token", "read_only_admin_api", at));
    return answers;
}

}  // namespace heiasync::bench
