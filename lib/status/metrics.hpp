#pragma once

#include "core/instant.hpp"
#include "history/database.hpp"
#include "http/client.hpp"
#include "service/state.hpp"
#include "sync/run_report.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace heiasync::status {

/// What Prometheus is told. What happened is counted from the start of the program; how things stand is what
/// service::State says at a scrape. Series whose labels are known in advance are 0 from the start, so that a first
/// failure is an increase. No label names an organisation or a report.
class Metrics {
public:
    explicit Metrics(std::string_view version);
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;
    ~Metrics();

    /// What became of a request, by our clock at its end.
    void count(const http::AttemptReport& attempt, core::Instant now);
    void count(history::TransactionOutcome outcome);
    /// A run that has ended; one that could not even be recorded does not count.
    void count(const sync::RunReport& report);

    /// In the text format of Prometheus.
    std::string text(const service::State& state);

private:
    struct Families;
    std::unique_ptr<Families> families_;
};

}  // namespace heiasync::status
