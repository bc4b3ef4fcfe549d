#include "http/http_date.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace heiasync::http {
namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};

/// Reads from the front of a text. Once something did not match it has failed, and stays so.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_{text} {}

    void literal(std::string_view expected) { ok_ = ok_ && accept(expected); }

    bool accept(std::string_view expected) {
        if (!rest_.starts_with(expected)) {
            return false;
        }
        rest_.remove_prefix(expected.size());
        return true;
    }

    int number(std::size_t digits) {
        int value = 0;
        ok_ = ok_ && rest_.size() >= digits;
        for (std::size_t i = 0; ok_ && i < digits; ++i) {
            ok_ = rest_[i] >= '0' && rest_[i] <= '9';
            value = value * 10 + (rest_[i] - '0');
        }
        if (ok_) {
            rest_.remove_prefix(digits);
        }
        return value;
    }

    unsigned month() {
        const auto* found = std::ranges::find(months, rest_.substr(0, 3));
        ok_ = ok_ && found != months.end();
        rest_.remove_prefix(ok_ ? 3 : 0);
        return static_cast<unsigned>(found - months.begin()) + 1;
    }

    std::chrono::seconds time_of_day() {
        const int hours = number(2);
        literal(":");
        const int minutes = number(2);
        literal(":");
        const int seconds = number(2);
        ok_ = ok_ && hours < 24 && minutes < 60 && seconds <= 60;
        return std::chrono::hours{hours} + std::chrono::minutes{minutes} + std::chrono::seconds{seconds};
    }

    [[nodiscard]] bool complete() const { return ok_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool ok_ = true;
};

int full_year(int two_digits, core::Instant now) {
    const int this_year{date::year_month_day{date::floor<date::days>(now)}.year()};
    const int in_50_years = this_year + 50;
    return in_50_years - ((in_50_years - two_digits) % 100 + 100) % 100;
}

}  // namespace

std::optional<core::Instant> parse_http_date(std::string_view text, core::Instant now) {
    Scanner scan{text};
    int year = 0;
    unsigned month = 0;
    int day = 0;
    std::chrono::seconds time{0};
    const auto day_of_week = [&](auto&& spelled) {
        return std::ranges::any_of(weekdays, [&](std::string_view name) { return scan.accept(spelled(name)); });
    };
    const auto whole = [](std::string_view name) { return name; };
    const auto abbreviated = [](std::string_view name) { return name.substr(0, 3); };

    if (day_of_week(whole)) {
        scan.literal(", ");
        day = scan.number(2);
        scan.literal("-");
        month = scan.month();
        scan.literal("-");
        year = full_year(scan.number(2), now);
        scan.literal(" ");
        time = scan.time_of_day();
        scan.literal(" GMT");
    } else if (day_of_week(abbreviated) && scan.accept(", ")) {
        day = scan.number(2);
        scan.literal(" ");
        month = scan.month();
        scan.literal(" ");
        year = scan.number(4);
        scan.literal(" ");
        time = scan.time_of_day();
        scan.literal(" GMT");
    } else {
        scan.literal(" ");
        month = scan.month();
        scan.literal(" ");
        day = scan.number(scan.accept(" ") ? 1 : 2);
        scan.literal(" ");
        time = scan.time_of_day();
        scan.literal(" ");
        year = scan.number(4);
    }
    const core::Date civil = date::year{year} / static_cast<int>(month) / day;
    if (!scan.complete() || !civil.ok()) {
        return std::nullopt;
    }
    return date::sys_days{civil} + time;
}

}  // namespace heiasync::http
