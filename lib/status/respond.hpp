#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace heiasync::status {

/// What is answered to a request.
struct Response {
    unsigned status = 200;
    std::string_view content_type = "text/plain; charset=utf-8";
    std::string body;
};

/// An answer without content of its own: a line that says what the status means.
Response failure(unsigned status);

/// What is answered at a path.
struct Page {
    std::string_view path;
    std::function<Response()> make;
};

/// The answer to a request whose target is as the client sent it. HEAD is answered as GET is.
Response respond(std::string_view method, std::string_view target, std::span<const Page> pages);

/// The answer as it is sent; to HEAD, without its body.
std::string to_text(const Response& response, bool to_head);

}  // namespace heiasync::status
