#include "status/respond.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace heiasync::status {

namespace {

std::string_view reason_of(unsigned status) {
    switch (status) {
        case 200:
            return "OK";
        case 400:
            return "Bad Request";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 431:
            return "Request Header Fields Too Large";
        case 503:
            return "Service Unavailable";
        default:
            return "Error";
    }
}

}  // namespace

Response failure(unsigned status) {
    Response response;
    response.status = status;
    response.body = fmt::format("{} {}\n", status, reason_of(status));
    return response;
}

Response respond(std::string_view method, std::string_view target, std::span<const Page> pages) {
    const auto page = std::ranges::find(pages, target.substr(0, target.find('?')), &Page::path);
    if (page == pages.end()) {
        return failure(404);
    }
    if (method != "GET" && method != "HEAD") {
        return failure(405);
    }
    return page->make();
}

std::string to_text(const Response& response, bool to_head) {
    return fmt::format(
        "HTTP/1.1 {} {}\r\n"
        "Content-Type: {}\r\n"
        "Content-Length: {}\r\n"
        "Cache-Control: no-store\r\n"
        "{}"
        "Connection: close\r\n"
        "\r\n"
        "{}",
        response.status, reason_of(response.status), response.content_type, response.body.size(),
        response.status == 405 ? "Allow: GET, HEAD\r\n" : "", to_head ? "" : response.body);
}

}  // namespace heiasync::status
