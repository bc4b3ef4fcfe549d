#include "commands/run_settings.hpp"

#include "calendar/calendar.hpp"
#include "commands/api_client.hpp"
#include "commands/commands.hpp"

#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

namespace heiasync::commands {

namespace {

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string{name.data()} : std::string{"unknown"};
}

}  // namespace

sync::PeriodSettings period_settings(const config::Config& config) {
    sync::PeriodSettings settings;
    settings.periods = calendar::ReportingPeriods{config.energy_levels.reporting_period_months};
    settings.max_days_late = config.energy_levels.max_days_late;
    settings.schedule_zone = &calendar::find_zone(config.schedule.time_zone);
    settings.api_zone = &calendar::find_zone(config.api.time_zone);
    return settings;
}

sync::RunSettings run_settings(const config::Config& config, bool rehearsal) {
    sync::RunSettings settings;
    settings.periods = period_settings(config);
    settings.max_vanished_percent = config.safety.max_vanished_percent;
    settings.rehearsal = rehearsal;
    settings.host = host_name();
    settings.version = version();
    history::Settings& expected = settings.expected;
    expected.time_zone = config.schedule.time_zone;
    const auto minutes = config.schedule.daily_at.count();
    expected.daily_at = fmt::format("{:02}:{:02}", minutes / 60, minutes % 60);
    expected.api_time_zone = config.api.time_zone;
    expected.reporting_period_months = config.energy_levels.reporting_period_months;
    expected.minimum_accepted_members = config.energy_levels.minimum_accepted_members;
    expected.max_days_late = config.energy_levels.max_days_late;
    expected.stats_per_business_id = config.business_ids.stats;
    expected.energy_levels_per_business_id = config.business_ids.energy_levels;
    expected.size_classes = config.api.size_classes;
    return settings;
}

history::LockTaker lock_taker(std::string purpose, core::Instant taken_at) {
    return {host_name(), ::getpid(), std::move(purpose), taken_at};
}

http::ClientSettings watched_client_settings(const config::Api& api, sync::Traffic& traffic, spdlog::logger& log) {
    http::ClientSettings settings = client_settings(api);
    settings.on_attempt = [&traffic, &log](const http::AttemptReport& attempt) {
        traffic.requests += attempt.requests;
        traffic.retries += attempt.retry_in ? 1 : 0;
        traffic.bytes_received += static_cast<std::int64_t>(attempt.bytes_received);
        const std::string outcome = attempt.status ? std::to_string(*attempt.status) : std::string{attempt.error};
        const double milliseconds = std::chrono::duration<double, std::milli>(attempt.duration).count();
        log.debug("{}: {} in {:.1f} ms, {} bytes", attempt.route, outcome, milliseconds, attempt.bytes_received);
    };
    return settings;
}

}  // namespace heiasync::commands
