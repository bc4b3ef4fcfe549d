#include "calendar/calendar.hpp"
#include "history/transaction.hpp"
#include "history_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

namespace heiasync::history {
namespace {

using calendar::Period;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::array lengths{1, 2, 3, 4, 6, 12};

class ReportingPeriodsInSql : public HistoryTest {
protected:
    struct Change {
        core::Instant at{};
        std::string zone;
        int months = 1;
    };

    static void record(Transaction& transaction, const std::vector<Change>& changes) {
        for (const auto& [at, zone, months] : changes) {
            record_settings(transaction, {zone, "04:30", "UTC", months, 5, 7, true, true, {50}}, at);
        }
    }
    void record(const std::vector<Change>& changes) {
        transact([&](Transaction& transaction) { record(transaction, changes); });
    }

    std::vector<Period> periods(core::Date from, core::Date until) {
        return transact([&](Transaction& transaction) { return periods(transaction, from, until); });
    }

    static std::vector<Period> periods(Transaction& transaction, core::Date from, core::Date until) {
        static constexpr Statement select{"read reporting periods",
                                          "SELECT period_start - date '1970-01-01', period_end - date '1970-01-01' "
                                          "FROM heiasync.reporting_periods($1, $2)"};
        std::vector<Period> result;
        for (const auto& row : transaction.run(select, from, until)) {
            result.push_back(
                {date::sys_days{date::days{row[0].as<int>()}}, date::sys_days{date::days{row[1].as<int>()}}});
        }
        return result;
    }

    /// The same by the calendar, backwards as it goes.
    static std::vector<Period> periods(const calendar::ReportingPeriods& calendar, core::Date from, core::Date until) {
        std::vector<Period> result;
        for (Period period = calendar.containing(until); period.end >= from; period = calendar.previous(period)) {
            result.push_back(period);
        }
        std::ranges::reverse(result);
        return result;
    }
};

TEST_F(ReportingPeriodsInSql, AreTheCalendarsWhateverTheSettingsWere) {
    const std::array<std::string, 4> zones{"Europe/Helsinki", "America/Los_Angeles", "Pacific/Kiritimati", "UTC"};
    std::mt19937 random{7};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same histories each time
    const auto below = [&random](int bound) { return std::uniform_int_distribution{0, bound - 1}(random); };
    const auto any_of = [&below](const auto& values) {
        return values.at(static_cast<std::size_t>(below(static_cast<int>(values.size()))));
    };
    static constexpr Statement forget_settings{"forget the settings", "DELETE FROM heiasync.settings_history"};
    for (int number = 0; number < 200; ++number) {
        core::Instant at = date::sys_days{2020_y / 1 / 1} + std::chrono::hours{below(24 * 366)};
        std::vector<Change> history;
        // Often within days, so that one change takes another back; some so near a boundary that the zone decides.
        for (int changes = below(9); changes >= 0; --changes) {
            history.push_back({at, any_of(zones), any_of(lengths)});
            at += std::chrono::hours{below(below(2) == 0 ? 24 * 40 : 24 * 500)};
            if (below(4) == 0) {
                const core::Date day{date::floor<date::days>(at)};
                at = date::sys_days{day.year() / day.month() / 1 + date::months{1}} - std::chrono::hours{below(14)};
            }
        }
        const core::Date from = date::sys_days{2019_y / 6 / 1} + date::days{below(900)};
        const core::Date until = date::sys_days{from} + date::days{below(3000)};
        transact([&](Transaction& transaction) {
            transaction.run(forget_settings);
            record(transaction, history);
            ASSERT_EQ(periods(transaction, from, until), periods(reporting_periods(transaction), from, until))
                << "history " << number;
        });
    }
}

TEST_F(ReportingPeriodsInSql, AnotherLengthCountsFromACommonBoundary) {
    record({{date::sys_days{2026_y / 1 / 15}, "UTC", 1}});
    record({{date::sys_days{2026_y / 3 / 31} + 22h, "Europe/Helsinki", 3}});  // there it is 1 April
    EXPECT_THAT(periods(2026_y / 5 / 31, 2026_y / 10 / 1),
                ElementsAre(Period{2026_y / 5 / 1, 2026_y / 5 / 31}, Period{2026_y / 6 / 1, 2026_y / 6 / 30},
                            Period{2026_y / 7 / 1, 2026_y / 9 / 30}, Period{2026_y / 10 / 1, 2026_y / 12 / 31}));
    record({{date::sys_days{2026_y / 6 / 1}, "UTC", 1}});
    EXPECT_THAT(periods(2026_y / 7 / 1, 2026_y / 7 / 1), ElementsAre(Period{2026_y / 7 / 1, 2026_y / 7 / 31}));
}

TEST_F(ReportingPeriodsInSql, ThereAreNoneWithoutSettingsAndNoneOfNoDates) {
    EXPECT_THAT(periods(2026_y / 1 / 1, 2026_y / 12 / 31), IsEmpty());
    record({{date::sys_days{2026_y / 1 / 15}, "UTC", 12}});
    EXPECT_THAT(periods(2026_y / 3 / 2, 2026_y / 3 / 1), IsEmpty());
    EXPECT_THAT(periods(1999_y / 3 / 1, 1999_y / 3 / 1), ElementsAre(Period{1999_y / 1 / 1, 1999_y / 12 / 31}));
}

}  // namespace
}  // namespace heiasync::history
