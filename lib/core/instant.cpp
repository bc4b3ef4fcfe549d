#include "core/instant.hpp"

#include <fmt/compile.h>

#include <iterator>
#include <optional>
#include <stdexcept>

namespace heiasync::core {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int fraction_digits = 6;

bool is_digit(char character) {
    return character >= '0' && character <= '9';
}

/// Takes a text apart from its front. Nothing is consumed where nothing fits.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_{text} {}

    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    [[nodiscard]] bool at_digit() const { return !rest_.empty() && is_digit(rest_.front()); }

    bool take(char expected) {
        if (!rest_.starts_with(expected)) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    /// Exactly `count` digits.
    std::optional<int> take_number(std::size_t count) {
        if (rest_.size() < count) {
            return std::nullopt;
        }
        int number = 0;
        for (const char digit : rest_.substr(0, count)) {
            if (!is_digit(digit)) {
                return std::nullopt;
            }
            number = number * 10 + (digit - '0');
        }
        rest_.remove_prefix(count);
        return number;
    }

private:
    std::string_view rest_;
};

std::optional<Date> take_date(Reader& reader) {
    const auto year = reader.take_number(4);
    if (!year || *year == 0 || !reader.take('-')) {
        return std::nullopt;
    }
    const auto month = reader.take_number(2);
    if (!month || !reader.take('-')) {
        return std::nullopt;
    }
    const auto day = reader.take_number(2);
    if (!day) {
        return std::nullopt;
    }
    const Date date{date::year{*year}, date::month{static_cast<unsigned>(*month)},
                    date::day{static_cast<unsigned>(*day)}};
    return date.ok() ? std::optional{date} : std::nullopt;
}

/// `hh`, `mm` or `ss`: two digits, at most `largest`.
std::optional<int> take_sexagesimal(Reader& reader, int largest) {
    const auto number = reader.take_number(2);
    return number && *number <= largest ? number : std::nullopt;
}

/// What follows the point: at least one digit; those beyond a microsecond are cut.
std::optional<microseconds> take_fraction(Reader& reader) {
    if (!reader.at_digit()) {
        return std::nullopt;
    }
    microseconds::rep fraction = 0;
    int taken = 0;
    for (; reader.at_digit(); ++taken) {
        const int digit = reader.take_number(1).value_or(0);
        fraction = taken < fraction_digits ? fraction * 10 + digit : fraction;
    }
    for (; taken < fraction_digits; ++taken) {
        fraction *= 10;
    }
    return microseconds{fraction};
}

struct TimeOfDay {
    microseconds since_midnight{};
    bool leap_second = false;
};

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`. A second may be 60.
std::optional<TimeOfDay> take_time_of_day(Reader& reader) {
    const auto hour = take_sexagesimal(reader, 23);
    if (!hour || !reader.take(':')) {
        return std::nullopt;
    }
    const auto minute = take_sexagesimal(reader, 59);
    if (!minute) {
        return std::nullopt;
    }
    const auto whole_minutes = hours{*hour} + minutes{*minute};
    if (!reader.take(':')) {
        return TimeOfDay{whole_minutes};
    }
    const auto second = take_sexagesimal(reader, 60);
    if (!second) {
        return std::nullopt;
    }
    const auto fraction = reader.take('.') ? take_fraction(reader) : std::optional{microseconds{0}};
    if (!fraction) {
        return std::nullopt;
    }
    return TimeOfDay{whole_minutes + seconds{*second} + *fraction, *second == 60};
}

/// `Z`, `+hh:mm`, `+hhmm` or `+hh`.
std::optional<minutes> take_offset(Reader& reader) {
    if (reader.take('Z') || reader.take('z')) {
        return minutes{0};
    }
    const bool west = reader.take('-');
    if (!west && !reader.take('+')) {
        return std::nullopt;
    }
    const auto hour = take_sexagesimal(reader, 23);
    if (!hour) {
        return std::nullopt;
    }
    const bool more = reader.take(':') || reader.at_digit();
    const auto minute = more ? take_sexagesimal(reader, 59) : std::optional{0};
    if (!minute) {
        return std::nullopt;
    }
    const minutes offset = hours{*hour} + minutes{*minute};
    return west ? -offset : offset;
}

bool in_range(Instant instant) {
    constexpr date::sys_days first{date::year{1} / 1 / 1};
    constexpr date::sys_days end{date::year{10000} / 1 / 1};
    return instant >= first && instant < end;
}

std::optional<Instant> read_instant(std::string_view text) {
    Reader reader{text};
    const auto date = take_date(reader);
    if (!date || (!reader.take('T') && !reader.take('t') && !reader.take(' '))) {
        return std::nullopt;
    }
    const auto time = take_time_of_day(reader);
    if (!time) {
        return std::nullopt;
    }
    const auto offset = take_offset(reader);
    if (!offset || !reader.at_end()) {
        return std::nullopt;
    }
    const Instant instant = date::sys_days{*date} + time->since_midnight - *offset;
    // A second 60 exists only at the end of a UTC day. Like PostgreSQL, we take it for the first of the next day.
    if (time->leap_second && instant - date::floor<date::days>(instant) >= seconds{1}) {
        return std::nullopt;
    }
    return in_range(instant) ? std::optional{instant} : std::nullopt;
}

}  // namespace

Instant parse_instant(std::string_view text) {
    if (const auto instant = read_instant(text)) {
        return *instant;
    }
    throw std::invalid_argument{"expected an ISO 8601 date and time with Z or an offset, such as 2026-07-01T01:30:00Z"};
}

Date parse_date(std::string_view text) {
    Reader reader{text};
    const auto date = take_date(reader);
    if (!date || !reader.at_end()) {
        throw std::invalid_argument{"expected a date, such as 2026-07-01"};
    }
    return *date;
}

std::string format_date(Date date) {
    return fmt::format(FMT_COMPILE("{:04}-{:02}-{:02}"), static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string format_instant(Instant instant) {
    const auto day = date::floor<date::days>(instant);
    const date::hh_mm_ss time{instant - day};
    const auto fraction = time.subseconds().count();
    std::string text = format_date(Date{day});
    const auto append = std::back_inserter(text);
    fmt::format_to(append, FMT_COMPILE("T{:02}:{:02}:{:02}"), time.hours().count(), time.minutes().count(),
                   time.seconds().count());
    if (fraction != 0) {
        fmt::format_to(append, FMT_COMPILE(".{:06}"), fraction);
    }
    return text += 'Z';
}

}  // namespace heiasync::core
