#pragma once

#include "core/instant.hpp"
#include "simulator/operation.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync::simulator {

/// Something that goes wrong with the calls it matches: those of `operation`, `organisation`, `business_id` and `page`,
/// where they are given, from one instant until another by the simulator's time. A full_data call belongs to the
/// organisation of its report.
struct Fault {
    enum class Kind : std::uint8_t {
        status,           ///< answers `status`, with `body` (default: the documented error object) and `retry_after`
        drop,             ///< closes the connection without a byte
        reset,            ///< sends half of the answer, then resets the connection
        truncate,         ///< sends half of the answer, then closes it in good order
        hang,             ///< never answers; ends when the client goes
        drip,             ///< the body one byte every `interval`
        delay,            ///< the right answer, `interval` late
        garbage,          ///< bytes that are no HTTP, then closes
        html,             ///< 200 with a page for people
        empty,            ///< 200 with a body of no bytes
        broken_gzip,      ///< the answer said to be gzip, and broken in the middle
        cut_short,        ///< half of the JSON, with a length that says that this is all
        expired_token,    ///< 401, and the token is dead from now on
        duplicate_items,  ///< a listing's page begins with its first item twice
        shift_items,      ///< pages after the first begin `shift` items earlier, as if that many had been added before
        redirect,         ///< `status` (302 unless set) to `location`; `{target}` in it is the request's own target.
                          ///< Does not hit what came below `/simulator/moved`: one redirect there is enough
        headers           ///< the right answer with `headers` added
    };

    Kind kind = Kind::status;
    std::optional<Operation> operation;
    std::optional<std::int64_t> organisation;
    std::optional<std::string> business_id;
    std::optional<std::string> page;  ///< of a listing
    core::Instant from = core::Instant::min();
    core::Instant until = core::Instant::max();
    std::optional<unsigned> times;  ///< how many calls it hits; none: all of them
    unsigned after = 0;             ///< how many matching calls it lets pass first

    unsigned status = 0;  ///< 0: 500, and 302 for a redirect
    std::optional<std::string> body;
    std::optional<std::string> retry_after;
    std::optional<std::chrono::seconds> retry_after_date;  ///< Retry-After as a date, that long after the answer's
    std::vector<std::pair<std::string, std::string>> headers;
    std::string location = "{target}";
    std::chrono::milliseconds interval{100};
    int shift = 1;
};

/// Reads `key=value,...`: kind, operation, organisation, business_id, times, after, status, body, retry_after,
/// retry_after_date (seconds), header (`Name: value`; repeatable), location, interval (milliseconds), shift;
/// `status=500` alone is a fault of kind status. A value holds no comma. Throws std::invalid_argument with a sentence.
Fault parse_fault(std::string_view text);

/// A call, as far as a fault looks at it.
struct Occasion {
    Operation operation = Operation::unknown;
    std::optional<std::int64_t> organisation;
    std::string business_id;
    std::string page;
    core::Instant at;
    bool moved = false;  ///< the call came to where a redirect sent it
};

/// The faults that are still to come. Thread-safe.
class FaultPlan {
public:
    void add(Fault fault);
    void clear();

    /// The first fault that hits this call, and counts it.
    std::optional<Fault> take(const Occasion& call);

private:
    std::mutex mutex_;
    std::vector<Fault> faults_;
};

}  // namespace heiasync::simulator
