#pragma once

#include "core/instant.hpp"
#include "simulator/operation.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::simulator {

/// A request as it was answered.
struct Request {
    Operation operation = Operation::unknown;
    std::string method;
    std::string path;  ///< decoded, without the query. Of full_data: holds the data instance id
    std::optional<std::int64_t> organisation;
    std::string business_id;
    std::map<std::string, std::string> query;  ///< without access_token
    std::optional<std::int64_t> report;        ///< of full_data, where the report is known
    int generation = 0;                        ///< of that report
    bool token_in_header = false;
    bool token_in_query = false;
    core::Instant at;           ///< the time that the simulator went by
    std::size_t in_flight = 1;  ///< requests being answered when this one came, itself included
    unsigned status = 0;
    bool faulty = false;  ///< a fault hit it
};

/// What a well-behaved client never does.
struct Violation {
    enum class Kind : std::uint8_t {
        concurrent_requests,
        token_on_full_data,
        secret_in_query,
        energy_levels_below_gate,
        energy_levels_of_open_period,
        reports_not_restricted_to_viewed,
        report_downloaded_twice,  ///< the same version on the same day, the first time answered in full
        write,                    ///< a method other than GET, the token call apart
        unknown_path
    };

    Kind kind = Kind::unknown_path;
    std::string text;  ///< names operation, organisation and report; never a token or a data instance id
};

std::string_view to_string(Violation::Kind kind);

/// What the simulator saw, and what of it should not have been. Thread-safe.
class Observations {
public:
    void record(Request request);
    void record(Violation violation);
    void sent(std::size_t bytes);
    void clear();

    /// Waits until a request has come that is this late by the simulator's time. False where that takes too long.
    [[nodiscard]] bool wait_for(core::Instant at, std::chrono::seconds limit) const;
    /// Waits until this many requests have come, of one operation or of all. False where that takes too long.
    [[nodiscard]] bool wait_for(std::size_t count, std::optional<Operation> operation,
                                std::chrono::seconds limit) const;

    [[nodiscard]] std::vector<Request> requests() const;
    [[nodiscard]] std::vector<Violation> violations() const;
    [[nodiscard]] std::size_t max_in_flight() const;

    /// Remembers that a version of a report was answered in full on that date.
    void downloaded(std::int64_t report, int generation, core::Date on);
    [[nodiscard]] bool was_downloaded(std::int64_t report, int generation, core::Date on) const;

    /// `{"requests": {operation: count}, "statuses": {status: count}, "max_concurrent_requests", "bytes_sent",
    /// "violations": [{"kind", "text"}]}`.
    [[nodiscard]] std::string summary() const;

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable recorded_;
    core::Instant latest_ = core::Instant::min();
    std::vector<Request> requests_;
    std::vector<Violation> violations_;
    std::map<std::pair<std::int64_t, int>, core::Date> downloads_;
    std::size_t max_in_flight_ = 0;
    std::uint64_t bytes_sent_ = 0;
};

}  // namespace heiasync::simulator
