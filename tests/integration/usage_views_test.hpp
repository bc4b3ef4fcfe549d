#pragma once

#include "history/usage_stats.hpp"
#include "history_test.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::history {

using Figure = std::optional<std::int64_t>;
/// total, HeiaHeia total, HeiaHeia accepted, app use, monthly app use
using Figures = std::array<Figure, 5>;
inline constexpr std::size_t app_use = 3;
inline constexpr auto none = std::nullopt;

constexpr Figures uses(std::int64_t count) {
    return {none, none, none, count, none};
}

using Table = std::vector<std::vector<std::string>>;

inline constexpr const char* figure_columns =
    "total_membership_count, hh_core_total_membership_count, hh_core_accepted_membership_count, app_use_count, "
    "app_monthly_use_count";
inline constexpr const char* delta_columns =
    "total_membership_count_delta, hh_core_total_membership_count_delta, hh_core_accepted_membership_count_delta, "
    "app_use_count_delta, app_monthly_use_count_delta, counter_reset";

struct Observation {
    std::int64_t organisation_id = 1;
    std::string business_id;
    core::Date day{};
    std::chrono::minutes time{};
    Figures figures{};
};

inline std::string text(core::Date day) {
    return date::format("%F", day);
}

inline std::string text(const Figure& figure) {
    return figure ? std::to_string(*figure) : "NULL";
}

class UsageViewsTest : public HistoryTest {
protected:
    /// Runs are numbered by their day.
    void store(const std::vector<Observation>& observations) {
        transact([&](Transaction& transaction) {
            for (const Observation& made : observations) {
                if (!runs_.contains(made.day)) {
                    NewRun run;
                    run.run_on = made.day;
                    run.started_at = date::sys_days{made.day};
                    runs_[made.day] = start_run(transaction, run);
                }
                const auto& [total, hh_total, accepted, use, monthly_use] = made.figures;
                UsageStatsObservation observation;
                observation.sync_run_id = runs_[made.day];
                observation.organisation_id = made.organisation_id;
                observation.business_id = made.business_id;
                observation.observed_on = made.day;
                observation.observed_at = date::sys_days{made.day} + made.time;
                observation.stats = {total, hh_total, accepted, use, monthly_use, "{}"};
                store_usage_stats(transaction, observation);
            }
        });
    }

    /// Of organisation 1, at noon.
    void store(core::Date day, const Figures& figures) { store({{1, "", day, 12h, figures}}); }

    void list(std::int64_t organisation_id, const std::string& business_ids = "{}") {
        query(
            fmt::format("INSERT INTO heiasync.organisation_versions (organisation_id, name, multi_business_id, "
                        "business_ids, listed, valid_from) VALUES ({}, 'Name', true, '{}', true, '2020-01-01')",
                        organisation_id, business_ids));
    }

    void set_period_length(int months, core::Date on) {
        transact([=](Transaction& transaction) {
            record_settings(transaction, {"UTC", "04:30", "UTC", months, 5, 7, true, true, {50}},
                            date::sys_days{on} + 12h);
        });
    }

    /// The day, the app's use, its change and whether the counter fell.
    Table uses_in(const std::string& relation, const std::string& day) {
        return query(
            fmt::format("SELECT {0}, app_use_count, app_use_count_delta, counter_reset FROM heiasync.{1} "
                        "WHERE organisation_id = 1 AND business_id = '' ORDER BY {0}",
                        day, relation));
    }

private:
    std::map<core::Date, std::int64_t> runs_;
};

}  // namespace heiasync::history
