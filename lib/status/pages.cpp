#include "status/pages.hpp"

#include "documents/utf8.hpp"

#include <fmt/format.h>

#include <utility>

namespace heiasync::status {

Response status_page(const DaemonReport& report) {
    Response response;
    response.content_type = "application/json";
    response.body = to_json(report) + '\n';
    return response;
}

Response health_page(const service::CheckIns& check_ins) {
    Response response;
    response.body = "healthy\n";
    if (const auto late = check_ins.late(); !late.empty()) {
        response.status = 503;
        response.body = fmt::format("standing still: {}\n", fmt::join(late, ", "));
    }
    return response;
}

Response readiness_page(const service::State& state, std::chrono::steady_clock::time_point now) {
    Response response;
    if (!state.database_look) {
        response.status = 503;
        response.body = "not ready: the database has not been looked at yet\n";
        return response;
    }
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - state.database_look->at);
    const std::string& failure =
        state.database_look->failure ? *state.database_look->failure : state.database.message();
    if (failure.empty()) {
        response.body = fmt::format("ready: the database answered {} s ago\n", age.count());
    } else {
        response.status = 503;
        response.body = fmt::format("not ready, {} s ago: {}\n", age.count(), documents::as_utf8(failure));
    }
    return response;
}

Response metrics_page(std::string text) {
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = std::move(text);
    return response;
}

}  // namespace heiasync::status
