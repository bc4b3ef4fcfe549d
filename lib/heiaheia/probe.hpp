#pragma once

#include "core/instant.hpp"
#include "heiaheia/admin_api.hpp"
#include "http/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace heiasync::heiaheia {

/// What was found out about one question, or why it was not.
template <class Answer>
struct Finding {
    std::optional<Answer> answer;
    std::string
        remark;  ///< what the answer rests on; without one, why there is none. Empty: nothing to say, or not asked
};

/// The answer of `stats`: the vendor's guide wraps the five figures in `usage`, the OpenAPI document shows them bare.
enum class StatsShape { wrapped, bare };

/// What the server does with a list of two size classes.
enum class ListFilter {
    honoured,  ///< organisations of both came, and no others
    partly,    ///< no others came, but not both either
    ignored,   ///< others came
    refused    ///< the request was answered with an error
};

/// `total` of a page that was asked for without `total_required`.
enum class Total { null, number, absent };

struct PageCap {
    std::size_t asked = 0;
    std::size_t came = 0;
    bool capped = false;  ///< there was more, and it did not come
};

/// Which of the vendor's contradictory descriptions a server follows.
struct ProbeReport {
    enum class Access {
        granted,
        rejected,    ///< the credentials, or the token where a sync sends it
        unavailable  ///< no answer, or none that an API gives
    };

    Access access = Access::granted;
    std::optional<std::string> error;  ///< why it is not granted, or no longer

    std::optional<std::string> scope;
    std::optional<core::Instant> token_created_at;
    bool has_token = false;

    Finding<bool> token_in_header;
    Finding<bool> token_in_query;
    Finding<StatsShape> stats_shape;
    Finding<ListFilter> comma_list;     ///< `size_classes=50,10000`
    Finding<ListFilter> repeated_list;  ///< `size_classes=50&size_classes=10000`
    Finding<PageCap> page_cap;
    Finding<Total> total;
    Finding<std::chrono::seconds> clock;  ///< the server's `Date`, less the client's time
};

/// Finds it out by a token and a few read-only requests, one after the other and once each, and stores nothing. A
/// status that is no success is an answer; where there is none at all, nothing more is asked. Never throws for the
/// world's faults.
boost::asio::awaitable<ProbeReport> probe(http::Client& client, AdminApiSettings settings);

}  // namespace heiasync::heiaheia
