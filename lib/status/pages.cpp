#include "status/pages.hpp"

#include "core/duration.hpp"
#include "documents/utf8.hpp"
#include "status/summary.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace heiasync::status {

namespace {

std::string as_html(std::string_view text) {
    std::string html;
    for (const char c : documents::as_utf8(text)) {
        switch (c) {
            case '&':
                html += "&amp;";
                break;
            case '<':
                html += "&lt;";
                break;
            case '>':
                html += "&gt;";
                break;
            default:
                html += c;
        }
    }
    return html;
}

}  // namespace

Response front_page(const DaemonReport& report) {
    const std::string now = as_html(summary(report));
    Response response;
    response.content_type = "text/html; charset=utf-8";
    response.body = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta http-equiv=\"refresh\" content=\"30\">\n"
        "<title>heiasyncd: {0}</title>\n<h1>heiasyncd {1}</h1>\n<p>{0}</p>\n<ul>\n",
        now, as_html(report.version));
    for (const Hindrance& hindrance : report.hindrances) {
        response.body +=
            fmt::format("<li>for {}: {}</li>\n", core::rough_duration(hindrance.lasting), as_html(hindrance.message));
    }
    response.body +=
        "</ul>\n<p><a href=\"/api/v1/status\">status</a>, <a href=\"/metrics\">metrics</a>, <a "
        "href=\"/readyz\">ready</a>, <a href=\"/healthz\">healthy</a>. <code>heiasyncd status</code> tells what is "
        "stored and what is missing.</p>\n</html>\n";
    return response;
}

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
