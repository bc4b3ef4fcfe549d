#include "http/redirect.hpp"

#include <stdexcept>

namespace heiasync::http {

RedirectDecision decide_redirect(std::string_view method, const Url& from, unsigned status,
                                 std::optional<std::string_view> location, int followed) {
    using Action = RedirectDecision::Action;
    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
        return {};
    }
    const auto refuse = [](std::string_view reason) { return RedirectDecision{Action::refuse, {}, reason}; };
    if (method != "GET") {
        return refuse("redirects a request that is not repeated elsewhere");
    }
    if (!location) {
        return refuse("redirects to nowhere");
    }
    if (followed >= max_redirects) {
        return refuse("redirects too often");
    }
    try {
        Url to = resolve(from, *location);
        if (from.origin.tls() && !to.origin.tls()) {
            return refuse("redirects from https to http");
        }
        return {Action::follow, std::move(to), {}};
    } catch (const std::invalid_argument&) {
        return refuse("redirects to what is no http or https URL");
    }
}

}  // namespace heiasync::http
