#pragma once

#include "core/secret.hpp"
#include "http/client.hpp"
#include "http/url.hpp"

#include <string>
#include <string_view>

namespace heiasync::http {

/// Throws std::invalid_argument unless `value` can stand in a header: visible ASCII, spaces and tabs within. `what`
/// names it in the message, which does not repeat the value.
void check_header_value(std::string_view value, std::string_view what);

/// Throws std::invalid_argument where the request could not be sent as it is meant.
void check(const Request& request);

/// How a request is written for the place that it goes to now.
struct Destination {
    const Url& url;
    bool authorised;                          ///< may see the bearer token
    const core::Secret* proxy_authorization;  ///< set: a plain-HTTP proxy stands between, and wants the absolute URL
};

/// The bytes of a request. Their memory is wiped when they go, since a token and a body stood in it.
class RequestText {
public:
    /// The request must have passed check().
    RequestText(const Request& request, const Destination& destination, std::string_view user_agent);
    RequestText(const RequestText&) = delete;
    RequestText& operator=(const RequestText&) = delete;
    ~RequestText();

    [[nodiscard]] std::string_view bytes() const { return text_; }

private:
    std::string text_;
};

}  // namespace heiasync::http
