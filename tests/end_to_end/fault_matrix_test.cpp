#include "fault_matrix.hpp"

#include "installation.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <regex>
#include <thread>

namespace heiasync::testing {

namespace {

using simulator::Operation;

constexpr auto day = "2026-07-01";
constexpr auto day_before = "2026-06-30";
constexpr std::size_t reports = 3;                                      ///< of the organisation that is hit
constexpr std::string_view no_gate = "1 energy_levels gate_unknown -";  ///< where there are no stats

/// How a run ended.
struct Ending {
    int exit_code = 0;
    std::string status;
    std::set<std::string> failed;  ///< `COUNT STREAM REASON HTTP_STATUS` of failed tasks; a report is its own stream
};

std::string to_string(const Ending& ending) {
    return fmt::format("exit code {}, {}, {}", ending.exit_code, ending.status, fmt::join(ending.failed, ", "));
}

/// Nine organisations, one of them for the faults: with a gate that it passes, three reports, and no business id, so
/// that it has one task of each kind but for the reports. Listings have several pages.
simulator::Options tiny_world() {
    auto options = small_world();
    options.seed = 22;
    options.organisations = 9;
    options.page_cap = 2;
    return options;
}

/// A fault that lasts or passes, of one call. Of an organisation's calls it hits those of one organisation.
struct Cell {
    const FaultCase& fault;
    Operation call;
    bool lasts;

    [[nodiscard]] std::string_view expected() const {
        const auto& endings = endings_of(fault, call);
        return lasts ? endings.lasting : endings.passing;
    }
    [[nodiscard]] bool is_everyones() const { return call == Operation::token || call == Operation::organisations; }
};

/// What was seen, in a word, and what of it should not be.
struct Finding {
    std::string shown;
    std::string complaints;
};

/// An installation that knows its organisations since the day before, and is put back to that for each cell.
class Laboratory {
public:
    explicit Laboratory(std::optional<simulator::CertificateFlaw> tls)
        : installation_{[&] {
              auto options = tiny_world();
              options.tls = tls;
              return options;
          }()},
          elsewhere_{tiny_world()},
          truth_{installation_.truth_on(day)} {
        if (tls) {
            installation_.config()["api"]["ca_file"] =
                installation_.write("authority.pem", installation_.api().ca_pem()).string();
        }
        installation_.config()["api"]["retry"]["attempts"] = 2;
        installation_.make_every_count_known(day);
        for (const auto& organisation : truth_.organisations()) {
            if (organisation.business_ids.empty() && truth_.viewed_reports(organisation.id).size() == reports &&
                truth_.accepted_members(organisation.id, {}).value_or(0) >= 5) {
                unlucky_ = organisation.id;
            }
        }
        const auto outcome = installation_.sync_on(day_before, {"--stream", "organisations"});
        if (outcome.exit_code != exit_code::done || unlucky_ == 0) {
            throw std::runtime_error{"the laboratory cannot be set up"};
        }
        installation_.save_history();
    }

    Finding look_at(const Cell& cell) {
        installation_.restore_history();
        finding_ = {};
        auto retry = installation_.config()["api"]["retry"];
        retry["max_delay"] = cell.fault.needs == "patience" ? "1s" : "5ms";
        installation_.config()["api"]["request_timeout"] = cell.fault.needs == "timeout" ? "300ms" : "10s";

        installation_.api().fail(fault_of(cell));
        const auto outcome = installation_.sync_on(day);
        const auto ending = ending_of(outcome);
        finding_.shown = ending.exit_code == exit_code::incomplete ? fmt::format("1 {}", shortest_reason(ending))
                                                                   : std::to_string(ending.exit_code);
        const auto expected = expected_ending(cell);
        if (to_string(ending) != to_string(expected)) {
            complain(
                fmt::format("expected: {}\nseen:     {}\n{}", to_string(expected), to_string(ending), outcome.err));
        }
        if (ending.exit_code <= exit_code::incomplete) {
            complain_of_missing(ending.failed.empty() || cell.is_everyones() ? 0 : unlucky_);
        }
        complain_of_requests(cell);
        complain_of_errors();

        installation_.api().clear_faults();
        const auto again = installation_.sync_on(day);
        if (again.exit_code != exit_code::done) {
            complain(fmt::format("the next sync ends with {}\n{}", again.exit_code, again.err));
        }
        complain_of_missing(0);
        complain_of_doubles();
        complain_of_violations();
        return std::move(finding_);
    }

private:
    void complain(const std::string& complaint) {
        if (!complaint.empty()) {
            finding_.complaints += complaint + "\n";
        }
    }

    [[nodiscard]] simulator::Fault fault_of(const Cell& cell) const {
        auto text = cell.lasts ? cell.fault.lasting : cell.fault.passing;
        constexpr std::string_view mark = "{elsewhere}";
        if (const auto position = text.find(mark); position != std::string::npos) {
            text.replace(position, mark.size(), elsewhere_.base_url());
        }
        auto fault = simulator::parse_fault(text);
        fault.operation = cell.call;
        if (!cell.is_everyones()) {
            fault.organisation = unlucky_;
        }
        return fault;
    }

    [[nodiscard]] Ending expected_ending(const Cell& cell) const {
        const auto word = cell.expected();
        if (word == "done") {
            return {exit_code::done, "succeeded", {}};
        }
        if (word == "rejected") {
            return {exit_code::rejected, "failed", {}};
        }
        if (word == "unavailable") {
            return {exit_code::unavailable, "failed", {}};
        }
        const auto space = word.find(' ');
        const auto reason = word.substr(0, space);
        const auto failure = [&](std::string_view stream, std::string_view why, std::size_t count = 1) {
            return fmt::format("{} {} {} {}", count, stream, why, word.substr(space + 1));
        };
        Ending ending{exit_code::incomplete, "partial", {}};
        switch (cell.call) {
            case Operation::organisations:
                ending.failed = {failure("organisations", "listing_incomplete")};
                break;
            case Operation::stats:
                ending.failed = {failure("usage_stats", reason), std::string{no_gate}};
                break;
            case Operation::full_data:
                ending.failed = {failure("report", reason, cell.lasts ? reports : 1)};
                break;
            default:
                ending.failed = {failure(to_string(cell.call), reason)};
                break;
        }
        return ending;
    }

    [[nodiscard]] Ending ending_of(const Outcome& outcome) const {
        Ending ending;
        ending.exit_code = outcome.exit_code;
        ending.status = installation_.value("SELECT status FROM heiasync.sync_runs ORDER BY sync_run_id DESC LIMIT 1");
        ending.failed = installation_.lines(
            "SELECT count(*) || ' ' || CASE WHEN report_id IS NULL THEN stream ELSE 'report' END || ' ' || reason || ' "
            "' || coalesce(http_status::text, '-') FROM heiasync.sync_tasks WHERE status = 'failed' GROUP BY stream, "
            "report_id IS NULL, reason, http_status");
        return ending;
    }

    static std::string shortest_reason(const Ending& ending) {
        for (const auto& failure : ending.failed) {
            if (failure != no_gate) {
                const auto status = failure.substr(failure.rfind(' ') + 1);
                return status == "-" || status == "200" ? failure.substr(failure.find(' ', 2) + 1, 9) : status;
            }
        }
        return "?";
    }

    /// Everything of the day, but for what is of one organisation.
    void complain_of_missing(std::int64_t except) {
        const auto compare = [&](std::set<std::string> expected, const std::string& sql) {
            auto stored = installation_.lines(sql);
            for (auto* lines : {&expected, &stored}) {
                std::erase_if(*lines, [&](const std::string& line) { return std::stoll(line) == except; });
            }
            complain(difference(expected, stored));
        };
        compare(truth_.organisation_ids(),
                "SELECT organisation_id FROM heiasync.organisations WHERE removed_at IS NULL");
        compare(truth_.usage_stats(),
                "SELECT DISTINCT organisation_id, business_id, total_membership_count, hh_core_total_membership_count, "
                "hh_core_accepted_membership_count, app_use_count, app_monthly_use_count FROM heiasync.usage_stats");
        compare(truth_.at_least(5), "SELECT organisation_id, business_id FROM heiasync.energy_levels");
        compare(truth_.report_versions(), "SELECT organisation_id, report_id, generated_at FROM heiasync.reports");
    }

    void complain_of_doubles() {
        complain(
            difference({}, installation_.lines("SELECT organisation_id FROM heiasync.organisation_history GROUP BY "
                                               "1 HAVING count(*) > 1")));
        complain(difference(
            {}, installation_.lines("SELECT sync_run_id, organisation_id, business_id, stream, period_start, report_id "
                                    "FROM heiasync.sync_tasks GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) > 1")));
    }

    /// Where the answers are plain refusals, as many requests are written down as were sent.
    void complain_of_requests(const Cell& cell) {
        if (std::isdigit(static_cast<unsigned char>(cell.fault.name.front())) == 0 || cell.fault.name == "401" ||
            cell.call == Operation::token) {
            return;
        }
        const auto requests = installation_.api().requests();
        const auto sent = std::ranges::count_if(requests, [&](const simulator::Request& request) {
            return request.operation == cell.call && (cell.is_everyones() || request.organisation == unlucky_);
        });
        const auto written = installation_.count(fmt::format(
            "SELECT coalesce(sum(attempts), 0) FROM heiasync.sync_tasks WHERE run_on = '{}' AND organisation_id = {} "
            "AND stream = '{}' AND (report_id IS NOT NULL) = {}",
            day, cell.is_everyones() ? 0 : unlucky_,
            cell.call == Operation::stats           ? "usage_stats"
            : cell.call == Operation::energy_levels ? "energy_levels"
            : cell.call == Operation::organisations ? "organisations"
                                                    : "reports",
            cell.call == Operation::full_data));
        if (sent != written) {
            complain(fmt::format("{} requests were sent, and {} are written down", sent, written));
        }
    }

    /// Messages name the call, and nobody's id.
    void complain_of_errors() {
        auto ids = installation_.data_instance_ids();
        ids.insert(std::to_string(unlucky_));
        for (const auto& report : truth_.viewed_reports(unlucky_)) {
            ids.insert(std::to_string(report.id));
        }
        const auto errors = installation_.value(
            "SELECT coalesce(string_agg(error, ' '), '') FROM (SELECT error FROM heiasync.sync_tasks UNION ALL SELECT "
            "error FROM heiasync.sync_runs) AS errors");
        for (const auto& id : ids) {
            if (std::regex_search(errors, std::regex{fmt::format("\\b{}\\b", id)})) {
                complain(fmt::format("an error names the id {}: {}", id, errors));
            }
        }
    }

    void complain_of_violations() {
        for (const auto& violation : installation_.api().violations()) {
            complain(fmt::format("the API complains: {}: {}", to_string(violation.kind), violation.text));
        }
        for (const auto& request : elsewhere_.requests()) {
            if (request.token_in_header || request.token_in_query) {
                complain("another origin was told the token");
            }
        }
        installation_.api().clear_observations();
        elsewhere_.clear_observations();
    }

    Installation installation_;
    simulator::Simulator elsewhere_;
    Truth truth_;
    std::int64_t unlucky_ = 0;
    Finding finding_;
};

/// As a table: one row is a fault, and a column holds what a call ended with where it passed and where it lasted.
std::string table(const std::vector<Cell>& cells, const std::vector<Finding>& findings) {
    std::map<std::string_view, std::map<Operation, std::string>> rows;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        auto& text = rows[cells[i].fault.name][cells[i].call];
        text += fmt::format("{}{}{}", text.empty() ? "" : " / ", findings[i].shown,
                            findings[i].complaints.empty() ? "" : " !");
    }
    std::string text = fmt::format("{:24}", "passes / lasts");
    for (const auto call : calls) {
        text += fmt::format(" {:17}", to_string(call));
    }
    for (const auto& fault : fault_cases) {
        text += fmt::format("\n{:24}", fault.name);
        for (const auto call : calls) {
            text += fmt::format(" {:17}", rows[fault.name][call]);
        }
    }
    return text + "\n";
}

/// All of them in a long test; otherwise one of each fault, another call from fault to fault, lasting every other time.
std::vector<Cell> cells_to_look_at() {
    const bool all = std::getenv("HEIASYNC_LONG_TESTS") != nullptr;  // NOLINT(concurrency-mt-unsafe)
    std::vector<Cell> cells;
    for (std::size_t i = 0; i < fault_cases.size(); ++i) {
        for (std::size_t j = 0; j < calls.size(); ++j) {
            for (const bool lasts : {false, true}) {
                const Cell cell{fault_cases[i], calls.at(j), lasts};
                if (cell.expected() != "-" && (all || ((i + j) % calls.size() == 0 && lasts == (i % 2 == 0)))) {
                    cells.push_back(cell);
                }
            }
        }
    }
    return cells;
}

TEST(FaultMatrix, EveryFaultOfEveryCallEndsAsTheRulesSayAndTheNextSyncCompletes) {
    const std::vector<Cell> cells = cells_to_look_at();
    struct Lane {
        Laboratory plain{std::nullopt};
        Laboratory tls{simulator::CertificateFlaw::none};
    };
    std::array<Lane, 2> lanes;
    std::vector<Finding> findings(cells.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&](Lane& lane) {
        for (std::size_t i = next++; i < cells.size(); i = next++) {
            try {
                findings[i] = (cells[i].fault.needs == "tls" ? lane.tls : lane.plain).look_at(cells[i]);
            } catch (const std::exception& error) {
                findings[i].complaints = error.what();
            }
        }
    };
    std::thread other{work, std::ref(lanes[1])};
    work(lanes[0]);
    other.join();

    for (std::size_t i = 0; i < cells.size(); ++i) {
        EXPECT_EQ(findings[i].complaints, "")
            << cells[i].fault.name << ", " << to_string(cells[i].call) << ", " << (cells[i].lasts ? "lasts" : "passes");
    }
    std::cout << table(cells, findings);
}

}  // namespace

}  // namespace heiasync::testing
