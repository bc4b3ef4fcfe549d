#include "calendar/calendar.hpp"
#include "usage_views_test.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <ranges>
#include <set>
#include <span>
#include <utility>

namespace heiasync::history {
namespace {

/// What the views should say, by going through the observations in their order.
class Naive {
public:
    explicit Naive(const std::vector<Observation>& observations) {
        for (const Observation& made : observations) {
            Day& day = subjects_[{made.organisation_id, made.business_id}][made.day];
            ++day.observations;
            day.app_uses[made.time] = made.figures.at(app_use);
            if (day.observations == 1 || made.time > day.time) {
                day.time = made.time;
                day.figures = made.figures;
            }
        }
    }

    [[nodiscard]] Table daily() const {
        Table table;
        for (const auto& [subject, days] : subjects_) {
            const Day* previous = nullptr;
            core::Date previous_day{};
            for (const auto& [day, made] : days) {
                auto& row = begin_row(table, subject);
                row.push_back(text(day));
                append(row, made.figures);
                row.push_back(std::to_string(made.observations));
                row.push_back(previous == nullptr ? "NULL" : text(previous_day));
                row.push_back(previous == nullptr
                                  ? "NULL"
                                  : std::to_string((date::sys_days{day} - date::sys_days{previous_day}).count()));
                append_deltas(row, made.figures, previous, has_fallen({&made.figures.at(app_use), 1}, previous));
                previous = &made;
                previous_day = day;
            }
        }
        return table;
    }

    /// `span_of` names the month or the period of a day. A delta is that to the span before, or to any before.
    template <class SpanOf>
    [[nodiscard]] Table spans(SpanOf span_of, bool directly_before) const {
        Table table;
        for (const auto& [subject, days] : subjects_) {
            std::map<calendar::Period, std::vector<core::Date>> spans;
            for (const auto& [day, made] : days) {
                spans[span_of(day)].push_back(day);
            }
            for (auto span = spans.begin(); span != spans.end(); ++span) {
                const auto& [start, end] = span->first;
                const core::Date closing = span->second.back();
                std::optional<core::Date> before;
                if (span != spans.begin()) {
                    const auto& [earlier, days_of_it] = *std::prev(span);
                    if (!directly_before || date::sys_days{earlier.end} + date::days{1} == date::sys_days{start}) {
                        before = days_of_it.back();
                    }
                }
                auto& row = begin_row(table, subject);
                row.insert(row.end(), {text(start), text(closing)});
                append(row, days.at(closing).figures);
                row.push_back(before ? text(*before) : "NULL");
                std::vector<Figure> app_uses;
                for (const core::Date day : span->second) {
                    std::ranges::copy(days.at(day).app_uses | std::views::values, std::back_inserter(app_uses));
                }
                const Day* previous = before ? &days.at(*before) : nullptr;
                append_deltas(row, days.at(closing).figures, previous, has_fallen(app_uses, previous));
                row.push_back(std::to_string(span->second.size()));
                row.push_back(std::to_string((date::sys_days{end} - date::sys_days{start}).count() + 1));
            }
        }
        return table;
    }

private:
    struct Day {
        int observations = 0;
        std::map<std::chrono::minutes, Figure> app_uses;
        std::chrono::minutes time{};
        Figures figures{};
    };
    using Subject = std::pair<std::int64_t, std::string>;

    static std::vector<std::string>& begin_row(Table& table, const Subject& subject) {
        return table.emplace_back(std::vector{std::to_string(subject.first), subject.second});
    }

    static void append(std::vector<std::string>& row, const Figures& figures) {
        std::ranges::transform(figures, std::back_inserter(row), [](const Figure& figure) { return text(figure); });
    }

    /// Whether any of them, in their order, is less than one before it, or than that of `before`.
    static bool has_fallen(std::span<const Figure> app_uses, const Day* before) {
        Figure highest = before == nullptr ? Figure{} : before->figures.at(app_use);
        for (const Figure& figure : app_uses) {
            if (figure && highest && *figure < *highest) {
                return true;
            }
            highest = std::max(highest, figure);
        }
        return false;
    }

    static void append_deltas(std::vector<std::string>& row, const Figures& now, const Day* before, bool reset) {
        for (std::size_t i = 0; i < now.size(); ++i) {
            const Figure then = before == nullptr ? Figure{} : before->figures.at(i);
            const bool is_known = now.at(i) && then && !(i == app_use && reset);
            row.push_back(text(is_known ? Figure{*now.at(i) - *then} : Figure{}));
        }
        row.emplace_back(reset ? "t" : "f");
    }

    std::map<Subject, std::map<core::Date, Day>> subjects_;
};

class RandomHistory {
public:
    std::vector<Observation> observations() {
        std::vector<Observation> result;
        for (const auto& [organisation_id, business_id] :
             {std::pair{1, ""}, std::pair{1, "a"}, std::pair{1, "b"}, std::pair{2, ""}, std::pair{30, ""}}) {
            Figures figures{100, 80, 60, 1000, 300};
            for (date::sys_days day{2022_y / 11 / 20}; day < date::sys_days{2024_y / 4 / 10}; day += date::days{1}) {
                // Mostly every day; now and then a gap, which may have months.
                if (below(40) == 0) {
                    day += date::days{below(4) == 0 ? below(90) : below(4)};
                }
                std::set<int> hours{below(24)};
                while (below(5) == 0) {
                    hours.insert(below(24));
                }
                for (const int hour : hours) {
                    result.push_back({organisation_id, business_id, day, std::chrono::hours{hour}, next(figures)});
                }
            }
        }
        std::ranges::shuffle(result, random_);
        return result;
    }

private:
    int below(int bound) { return std::uniform_int_distribution{0, bound - 1}(random_); }

    /// Moves on; and some are not given.
    Figures next(Figures& figures) {
        for (std::size_t i = 0; i < figures.size(); ++i) {
            const int step = below(7);
            figures.at(i) = i == app_use ? (below(50) == 0 ? step : *figures.at(i) + step) : *figures.at(i) + step - 3;
        }
        Figures given = figures;
        for (Figure& figure : given) {
            if (below(25) == 0) {
                figure.reset();
            }
        }
        return given;
    }

    std::mt19937 random_{11};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same history each time
};

TEST_F(UsageViewsTest, SayWhatGoingThroughTheObservationsSays) {
    list(1, "{b,a}");
    list(2);
    list(30);
    set_period_length(4, 2022_y / 11 / 1);
    set_period_length(1, 2023_y / 3 / 3);
    set_period_length(2, 2023_y / 8 / 30);
    const auto observations = RandomHistory{}.observations();
    store(observations);
    const Naive naive{observations};
    EXPECT_EQ(query(fmt::format("SELECT organisation_id, business_id, observed_on, {}, observations, "
                                "previous_observed_on, days_since_previous, {} FROM heiasync.usage_stats_daily "
                                "ORDER BY 1, business_id COLLATE \"C\", 3",
                                figure_columns, delta_columns)),
              naive.daily());
    const auto spans = [this](const char* relation, const char* start, const char* length) {
        return query(
            fmt::format("SELECT organisation_id, business_id, {}, closing_on, {}, previous_closing_on, {}, "
                        "observed_days, {} FROM heiasync.{} ORDER BY 1, business_id COLLATE \"C\", 3",
                        start, figure_columns, delta_columns, length, relation));
    };
    EXPECT_EQ(spans("usage_stats_monthly", "month", "days_in_month"),
              naive.spans([](core::Date day) { return calendar::period_of(day, 1); }, true));
    const auto periods = transact([](Transaction& transaction) { return reporting_periods(transaction); });
    EXPECT_EQ(spans("usage_stats_periods", "period_start", "days_in_period"),
              naive.spans([&](core::Date day) { return periods.containing(day); }, false));
}

}  // namespace
}  // namespace heiasync::history
