#include "fault_matrix.hpp"

#include <fmt/format.h>

namespace heiasync::testing {

namespace {

constexpr std::string_view done = "done";
constexpr std::string_view rejected = "rejected";
constexpr std::string_view unavailable = "unavailable";
constexpr FaultCase::Endings no_such_fault{"-", "-"};

std::string once(std::string_view fault) {
    return std::string{fault} + ",times=1";
}

/// Rule 8: asked once, and final for the day. A token call has no second pass: what ends it ends the run.
FaultCase final_status(std::string_view name, std::string_view fault, std::string_view failure,
                       std::string_view token) {
    const FaultCase::Endings endings{failure, failure};
    return {name, once(fault), std::string{fault}, {token, token}, endings, endings, endings, {}};
}

/// Rule 8: retried with back-off, then in the second pass; it fails alone where it lasts.
FaultCase retried(std::string_view name, std::string_view fault, std::string_view failure,
                  std::string_view needs = {}) {
    const FaultCase::Endings endings{done, failure};
    return {name, once(fault), std::string{fault}, {done, unavailable}, endings, endings, endings, needs};
}

/// Retry-After is honoured where it asks for no more than max_delay.
FaultCase patience(std::string_view name, std::string_view passing, std::string_view lasting,
                   std::string_view failure) {
    auto fault = retried(name, passing, failure, "patience");
    fault.lasting = lasting;
    return fault;
}

/// Retry-After that asks for more than max_delay: the second pass waits for it, and a token call has none.
FaultCase too_much_patience(std::string_view name, std::string_view fault, std::string_view failure) {
    auto endings = retried(name, fault, failure);
    endings.token = {unavailable, unavailable};
    return endings;
}

/// An answer that no retry is for: only the second pass asks again.
FaultCase not_retried(std::string_view name, std::string_view passing, std::string_view lasting,
                      std::string_view failure, std::string_view needs = {}) {
    const FaultCase::Endings endings{done, failure};
    return {name, std::string{passing}, std::string{lasting}, {unavailable, unavailable}, endings, endings, endings,
            needs};
}

/// A token that is refused is renewed once; the listing's is everyone's.
FaultCase refused_token(std::string_view name, std::string_view fault) {
    const FaultCase::Endings endings{done, "unknown_error 401"};
    return {name, once(fault), std::string{fault}, {rejected, rejected}, {done, rejected}, endings, endings, {}};
}

/// Of a listing; the same item twice is one item.
FaultCase paging(std::string_view name, std::string_view passing, std::string_view lasting) {
    const FaultCase::Endings endings{done, done};
    return {name, std::string{passing}, std::string{lasting}, no_such_fault, endings, endings, no_such_fault, "paging"};
}

/// Followed where the request is a GET; the token is for one origin, and the other refuses whoever has none.
FaultCase redirect(std::string_view name, std::string_view location, FaultCase::Endings organisations,
                   FaultCase::Endings organisation_call) {
    const auto fault = fmt::format("kind=redirect,location={}", location);
    return {name, once(fault), fault, {unavailable, unavailable}, organisations, organisation_call, {done, done}, {}};
}

}  // namespace

const std::vector<FaultCase> fault_cases{
    final_status("400", "status=400", "unknown_error 400", rejected),
    refused_token("401", "status=401"),
    final_status("403", "status=403", "unknown_error 403", rejected),
    final_status("404", "status=404", "unknown_error 404", unavailable),
    retried("429", "status=429", "unknown_error 429"),
    patience("429, wait 1 s", "status=429,retry_after=1", "status=429,retry_after=0", "unknown_error 429"),
    patience("429, wait until a date", "status=429,retry_after_date=1", "status=429,retry_after_date=-1",
             "unknown_error 429"),
    too_much_patience("429, wait too long", "status=429,retry_after=1", "unknown_error 429"),
    retried("500", "status=500", "unknown_error 500"),
    retried("502", "status=502", "unknown_error 502"),
    retried("503", "status=503,body=", "http_status 503"),
    patience("503, wait 1 s", "status=503,retry_after=1", "status=503,retry_after=0", "unknown_error 503"),
    retried("504", "status=504", "unknown_error 504"),
    retried("drop", "kind=drop", "transport -"),
    retried("reset", "kind=reset", "transport -"),
    retried("truncate", "kind=truncate", "transport -"),
    retried("drip", "kind=drip", "transport -", "timeout"),
    retried("hang", "kind=hang", "transport -", "timeout"),
    retried("garbage", "kind=garbage", "transport -"),
    retried("broken gzip", "kind=broken_gzip", "transport -"),
    not_retried("html", "kind=html,times=1", "kind=html", "not_decodable 200"),
    not_retried("empty", "kind=empty,times=1", "kind=empty", "not_decodable 200"),
    not_retried("cut short", "kind=cut_short,times=1", "kind=cut_short", "not_decodable 200"),
    refused_token("expired token", "kind=expired_token"),
    paging("duplicate items", "kind=duplicate_items,times=1", "kind=duplicate_items"),
    paging("shifted items", "kind=shift_items,after=2", "kind=shift_items"),
    redirect("redirect, other path", "/simulator/moved{target}", {done, done}, {done, done}),
    redirect("redirect, other origin", "{elsewhere}{target}", {done, rejected}, {done, "unknown_error 401"}),
    not_retried("redirect, a loop", "kind=redirect,times=6", "kind=redirect", "transport -"),
    not_retried("redirect, to http", "kind=redirect,location={elsewhere}{target},times=1",
                "kind=redirect,location={elsewhere}{target}", "transport -", "tls"),
};

const FaultCase::Endings& endings_of(const FaultCase& fault, simulator::Operation call) {
    const bool has_pages = call == simulator::Operation::organisations || call == simulator::Operation::reports;
    if (fault.needs == "paging" && !has_pages) {
        return no_such_fault;
    }
    switch (call) {
        case simulator::Operation::token:
            return fault.token;
        case simulator::Operation::organisations:
            return fault.organisations;
        case simulator::Operation::full_data:
            return fault.full_data;
        default:
            return fault.organisation_call;
    }
}

}  // namespace heiasync::testing
