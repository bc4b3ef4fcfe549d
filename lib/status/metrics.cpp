#include "status/metrics.hpp"

#include "heiaheia/admin_api.hpp"
#include "status/process_figures.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

namespace heiasync::status {

namespace {

using heiaheia::Operation;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;

constexpr std::array<std::pair<Operation, const char*>, 6> operations{{{Operation::access_token, "access_token"},
                                                                       {Operation::organisations, "organisations"},
                                                                       {Operation::usage_stats, "usage_stats"},
                                                                       {Operation::energy_levels, "energy_levels"},
                                                                       {Operation::reports, "reports"},
                                                                       {Operation::report_data, "report_data"}}};
constexpr std::array codes{"200", "3xx", "400", "401", "403",   "404", "429",
                           "500", "502", "503", "504", "other", "none"};
constexpr std::array retry_reasons{"429", "500", "502", "503", "504", "other", "transport"};
constexpr std::array outcomes{std::pair{history::TransactionOutcome::committed, "committed"},
                              std::pair{history::TransactionOutcome::rolled_back, "rolled_back"},
                              std::pair{history::TransactionOutcome::fenced, "fenced"},
                              std::pair{history::TransactionOutcome::unknown, "unknown"}};
constexpr std::array ends_of_runs{history::RunStatus::succeeded, history::RunStatus::partial,
                                  history::RunStatus::failed, history::RunStatus::interrupted};

double seconds(std::chrono::microseconds duration) {
    return std::chrono::duration<double>{duration}.count();
}

double timestamp(const std::optional<core::Instant>& instant) {
    return instant ? seconds(instant->time_since_epoch()) : 0.0;
}

const char* name_of(std::string_view route) {
    const auto* const operation =
        std::ranges::find(operations, route, [](const auto& candidate) { return heiaheia::route(candidate.first); });
    return operation == operations.end() ? "other" : operation->second;
}

/// A status that is not among the known ones is `other`, so that no server makes series at will.
template <std::size_t Size>
std::string code_of(unsigned status, const std::array<const char*, Size>& known) {
    std::string code = std::to_string(status);
    return std::ranges::find(known, code) == known.end() ? "other" : code;
}

/// Metrics are registered as they are declared here.
class Registrar {
public:
    template <class Metric>
    Family<Metric>& family(const char* name, const char* help) {
        return prometheus::detail::Builder<Metric>{}.Name(name).Help(help).Register(registry_);
    }
    Gauge& gauge(const char* name, const char* help, const Labels& labels = {}) {
        return family<Gauge>(name, help).Add(labels);
    }

    [[nodiscard]] std::string text() const { return prometheus::TextSerializer{}.Serialize(registry_.Collect()); }

private:
    prometheus::Registry registry_;
};

}  // namespace

struct Metrics::Families {
    explicit Families(std::string_view version) {
        all.gauge("heiasync_build_info", "1; the label tells the version.", {{"version", std::string{version}}}).Set(1);
        for (const auto& [operation, name] : operations) {
            for (const char* code : codes) {
                requests.Add({{"operation", name}, {"code", code}});
            }
            request_duration.Add({{"operation", name}}, buckets);
        }
        for (const char* reason : retry_reasons) {
            retries.Add({{"reason", reason}});
        }
        for (const auto& [outcome, name] : outcomes) {
            transactions.Add({{"outcome", name}});
        }
        for (const history::RunStatus status : ends_of_runs) {
            runs.Add({{"status", std::string{to_string(status)}}});
        }
        set(service::State{});
    }

    void set(const service::State& state);
    void set(const history::Standing& standing);
    void set(const ProcessFigures& process);

    inline static const Histogram::BucketBoundaries buckets{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

    Registrar all;

    Gauge& run_lock_held{all.gauge("heiasync_run_lock_held", "Whether a run of this process holds the run lock.")};
    Gauge& run_progress{
        all.gauge("heiasync_run_progress_timestamp_seconds",
                  "When the run in hand last had an answer or finished an organisation; 0 without one.")};
    Gauge& reload_successful{all.gauge("heiasync_config_last_reload_successful",
                                       "Whether the last reload of the configuration was accepted; 1 before any.")};
    Gauge& reload_success{all.gauge("heiasync_config_last_reload_success_timestamp_seconds",
                                    "When the configuration in force was loaded.")};
    Gauge& next_run{all.gauge("heiasync_next_run_timestamp_seconds",
                              "When the next run is due; stays at a due slot until that has its run. 0 until the "
                              "ledger has been read.")};
    Gauge& run_duration{all.gauge("heiasync_run_duration_seconds", "How long the last run of this process took.")};
    Family<Counter>& runs{all.family<Counter>("heiasync_runs_total", "Runs of this process that have ended.")};

    Family<Gauge>& last_success{all.family<Gauge>(
        "heiasync_run_last_success_timestamp_seconds",
        "When the last whole run ended after which nothing of the stream was left failed; 0: never.")};
    Family<Gauge>& gaps{
        all.family<Gauge>("heiasync_gaps", "What is missing of the last 400 days: open (can still be had) or final.")};
    Gauge& period_missing{all.gauge("heiasync_period_missing",
                                    "Whether a reporting period is closed, can still be pulled, and some of its energy "
                                    "levels are neither stored nor skipped.")};
    Gauge& organisations{all.gauge("heiasync_organisations", "Organisations that are listed.")};
    Gauge& held_back{all.gauge("heiasync_organisations_held_back",
                               "Organisations that the last listing lacked and that were too many to be taken for "
                               "gone.")};
    Gauge& schema_version{all.gauge("heiasync_schema_version", "Number of the last migration of the database.")};

    Family<Gauge>& condition{all.family<Gauge>("heiasync_condition", "Whether this hinders the daemon.")};
    Gauge& database_up{all.gauge("heiasync_database_up",
                                 "Whether the database could be used at the last attempt; 0 before the first.")};
    Family<Gauge>& clock_skew{all.family<Gauge>("heiasync_clock_skew_seconds",
                                                "How far the other's clock is ahead of ours, when it was last seen.")};
    Gauge& clock_skew_of_api{clock_skew.Add({{"reference", "api"}})};
    Gauge& clock_skew_of_database{clock_skew.Add({{"reference", "database"}})};
    Family<Counter>& transactions{
        all.family<Counter>("heiasync_database_transactions_total", "Transactions, by what became of them.")};

    Family<Counter>& requests{all.family<Counter>(
        "heiasync_api_requests_total",
        "Requests to the API, by the HTTP status of the answer; 3xx: redirects followed, none: no answer was had.")};
    Family<Histogram>& request_duration{
        all.family<Histogram>("heiasync_api_request_duration_seconds", "How long requests to the API took.")};
    Family<Counter>& retries{
        all.family<Counter>("heiasync_api_retries_total", "Requests that failed and were repeated, by their failure.")};
    Counter& received{
        all.family<Counter>("heiasync_api_received_bytes_total", "Bytes of answers, as they came over the wire.")
            .Add({})};

    // A counter, whatever the kernel's figure is: what is set is never less than before.
    Counter& cpu{all.family<Counter>("process_cpu_seconds_total", "User and system CPU time.").Add({})};
    Gauge& open_fds{all.gauge("process_open_fds", "Open file descriptors.")};
    Gauge& max_fds{all.gauge("process_max_fds", "Most file descriptors that may be open.")};
    Gauge& virtual_memory{all.gauge("process_virtual_memory_bytes", "Virtual memory size.")};
    Gauge& resident_memory{all.gauge("process_resident_memory_bytes", "Resident memory size.")};
    Gauge& start_time{all.gauge("process_start_time_seconds", "When the process was started.")};
    Gauge& threads{all.gauge("process_threads", "Threads of the process.")};
};

void Metrics::Families::set(const service::State& state) {
    const auto& run = state.run;
    // One that has lost its session waits for it without the lock.
    run_lock_held.Set(run && run->progress.sync_run_id != 0 && !state.database.since() ? 1 : 0);
    run_progress.Set(run ? timestamp(run->progressed_at) : 0);
    reload_successful.Set(state.configuration.last_reload_ok ? 1 : 0);
    reload_success.Set(timestamp(state.configuration.loaded_at));
    next_run.Set(timestamp(state.next_run));
    for (const auto& [name, member] : service::conditions) {
        condition.Add({{"condition", std::string{name}}}).Set((state.*member).since() ? 1 : 0);
    }
    const auto& look = state.database_look;
    database_up.Set(look && !look->failure && !state.database.since() ? 1 : 0);
    set(state.standing.value_or(history::Standing{}));
}

void Metrics::Families::set(const history::Standing& standing) {
    for (const history::Stream stream : history::all_streams) {
        const std::string name{to_string(stream)};
        const auto success = standing.last_successes.find(stream);
        last_success.Add({{"stream", name}})
            .Set(success == standing.last_successes.end() ? 0 : timestamp(success->second));
        const auto missing = standing.gaps.find(stream);
        const history::GapCount count = missing == standing.gaps.end() ? history::GapCount{} : missing->second;
        gaps.Add({{"stream", name}, {"state", "open"}}).Set(static_cast<double>(count.open));
        gaps.Add({{"stream", name}, {"state", "final"}}).Set(static_cast<double>(count.final));
    }
    period_missing.Set(standing.period_missing ? 1 : 0);
    organisations.Set(static_cast<double>(standing.organisations));
    held_back.Set(static_cast<double>(standing.held_back));
    schema_version.Set(standing.schema_version);
    clock_skew_of_database.Set(seconds(standing.clock_difference));
}

void Metrics::Families::set(const ProcessFigures& process) {
    cpu.Increment(std::max(process.cpu_seconds - cpu.Value(), 0.0));
    open_fds.Set(process.open_fds);
    max_fds.Set(process.max_fds);
    virtual_memory.Set(process.virtual_memory_bytes);
    resident_memory.Set(process.resident_memory_bytes);
    start_time.Set(process.start_time_seconds);
    threads.Set(process.threads);
}

Metrics::Metrics(std::string_view version) : families_{std::make_unique<Families>(version)} {}

Metrics::~Metrics() = default;

void Metrics::count(const http::AttemptReport& attempt, core::Instant now) {
    const std::string operation = name_of(attempt.route);
    const std::string code = attempt.status ? code_of(*attempt.status, codes) : "none";
    families_->requests.Add({{"operation", operation}, {"code", code}}).Increment();
    families_->requests.Add({{"operation", operation}, {"code", "3xx"}}).Increment(attempt.requests - 1);
    families_->request_duration.Add({{"operation", operation}}, Families::buckets).Observe(seconds(attempt.duration));
    families_->received.Increment(static_cast<double>(attempt.bytes_received));
    if (attempt.retry_in) {
        const std::string reason = attempt.status ? code_of(*attempt.status, retry_reasons) : "transport";
        families_->retries.Add({{"reason", reason}}).Increment();
    }
    if (attempt.server_date) {
        families_->clock_skew_of_api.Set(seconds(*attempt.server_date - now));
    }
}

void Metrics::count(history::TransactionOutcome outcome) {
    const auto* const found = std::ranges::find(outcomes, outcome, [](const auto& known) { return known.first; });
    families_->transactions.Add({{"outcome", found->second}}).Increment();
}

void Metrics::count(const sync::RunReport& report) {
    if (report.sync_run_id == 0) {
        return;
    }
    families_->runs.Add({{"status", std::string{to_string(report.status)}}}).Increment();
    families_->run_duration.Set(seconds(report.finished_at - report.started_at));
}

std::string Metrics::text(const service::State& state) {
    families_->set(state);
    families_->set(process_figures());
    return families_->all.text();
}

}  // namespace heiasync::status
