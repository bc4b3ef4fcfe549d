#include "simulator/observations.hpp"

#include "simulator/json_text.hpp"

#include <algorithm>
#include <utility>

namespace heiasync::simulator {

std::string_view to_string(Violation::Kind kind) {
    switch (kind) {
        case Violation::Kind::concurrent_requests:
            return "concurrent_requests";
        case Violation::Kind::token_on_full_data:
            return "token_on_full_data";
        case Violation::Kind::secret_in_query:
            return "secret_in_query";
        case Violation::Kind::energy_levels_below_gate:
            return "energy_levels_below_gate";
        case Violation::Kind::energy_levels_of_open_period:
            return "energy_levels_of_open_period";
        case Violation::Kind::reports_not_restricted_to_viewed:
            return "reports_not_restricted_to_viewed";
        case Violation::Kind::report_downloaded_twice:
            return "report_downloaded_twice";
        case Violation::Kind::write:
            return "write";
        case Violation::Kind::unknown_path:
            break;
    }
    return "unknown_path";
}

void Observations::record(Request request) {
    const std::scoped_lock lock{mutex_};
    max_in_flight_ = std::max(max_in_flight_, request.in_flight);
    latest_ = std::max(latest_, request.at);
    requests_.push_back(std::move(request));
    recorded_.notify_all();
}

bool Observations::wait_for(core::Instant at, std::chrono::seconds limit) const {
    std::unique_lock lock{mutex_};
    return recorded_.wait_for(lock, limit, [this, at] { return latest_ >= at; });
}

bool Observations::wait_for(std::size_t count, std::optional<Operation> operation, std::chrono::seconds limit) const {
    std::unique_lock lock{mutex_};
    return recorded_.wait_for(lock, limit, [this, count, operation] {
        const auto asked = [operation](const Request& request) {
            return !operation || request.operation == *operation;
        };
        return static_cast<std::size_t>(std::ranges::count_if(requests_, asked)) >= count;
    });
}

void Observations::record(Violation violation) {
    const std::scoped_lock lock{mutex_};
    violations_.push_back(std::move(violation));
}

void Observations::sent(std::size_t bytes) {
    const std::scoped_lock lock{mutex_};
    bytes_sent_ += bytes;
}

void Observations::clear() {
    const std::scoped_lock lock{mutex_};
    requests_.clear();
    violations_.clear();
    downloads_.clear();
    max_in_flight_ = 0;
    latest_ = core::Instant::min();
    bytes_sent_ = 0;
}

std::vector<Request> Observations::requests() const {
    const std::scoped_lock lock{mutex_};
    return requests_;
}

std::vector<Violation> Observations::violations() const {
    const std::scoped_lock lock{mutex_};
    return violations_;
}

std::size_t Observations::max_in_flight() const {
    const std::scoped_lock lock{mutex_};
    return max_in_flight_;
}

void Observations::downloaded(std::int64_t report, int generation, core::Date on) {
    const std::scoped_lock lock{mutex_};
    downloads_.insert_or_assign({report, generation}, on);
}

bool Observations::was_downloaded(std::int64_t report, int generation, core::Date on) const {
    const std::scoped_lock lock{mutex_};
    const auto last = downloads_.find({report, generation});
    return last != downloads_.end() && last->second == on;
}

std::string Observations::summary() const {
    const std::scoped_lock lock{mutex_};
    std::map<std::string_view, std::size_t> by_operation;
    std::map<unsigned, std::size_t> by_status;
    for (const auto& request : requests_) {
        ++by_operation[to_string(request.operation)];
        ++by_status[request.status];
    }
    JsonText json;
    json.object([&] {
        json.object("requests", [&] {
            for (const auto& [operation, count] : by_operation) {
                json.member(operation, count);
            }
        });
        json.object("statuses", [&] {
            for (const auto& [status, count] : by_status) {
                json.member(std::to_string(status), count);
            }
        });
        json.member("max_concurrent_requests", max_in_flight_);
        json.member("bytes_sent", bytes_sent_);
        json.array("violations", [&] {
            for (const auto& violation : violations_) {
                json.object([&] {
                    json.member("kind", to_string(violation.kind));
                    json.member("text", violation.text);
                });
            }
        });
    });
    return json.text();
}

}  // namespace heiasync::simulator
