#pragma once

#include "http/url.hpp"

#include <optional>
#include <string_view>

namespace heiasync::http {

inline constexpr int max_redirects = 5;

/// What to do about an answer that may send us elsewhere.
struct RedirectDecision {
    enum class Action {
        answer,  ///< not a redirect: the answer stands
        follow,  ///< repeat the GET at `to`
        refuse   ///< a redirect that is not followed, for `reason`
    };

    Action action = Action::answer;
    Url to;
    std::string_view reason;  ///< goes on after the name of the server; shows nothing of the Location
};

/// Followed are 301, 302, 303, 307 and 308 to a GET, at most max_redirects in a row and never from https to http. Other
/// methods are not repeated elsewhere: nobody said that the other place may see the body.
RedirectDecision decide_redirect(std::string_view method, const Url& from, unsigned status,
                                 std::optional<std::string_view> location, int followed);

}  // namespace heiasync::http
