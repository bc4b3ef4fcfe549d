#pragma once

#include "simulator/simulator.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace heiasync::simulator {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

/// What goes back, before it is bytes.
struct Answer {
    unsigned status = 200;
    std::string content_type = "application/json; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    core::Instant at;              ///< the request's "now"
    std::optional<Fault> fault;    ///< what transport is left to do to it
    std::optional<Report> report;  ///< the version that the body is

    [[nodiscard]] bool suffers(Fault::Kind kind) const { return fault && fault->kind == kind; }
};

/// The rules of the API: a request in, an answer out, nothing of sockets. Records what it sees and what should not have
/// been. Thread-safe.
class Protocol {
public:
    /// All of these must outlive it.
    Protocol(const Options& options, World& world, FaultPlan& faults, Observations& observations);

    /// `in_flight` counts the requests being answered, this one included.
    Answer answer(const HttpRequest& request, std::size_t in_flight);

    void expire_tokens();

private:
    struct Call;
    struct Token {
        core::Instant created_at;
        unsigned requests = 0;
    };

    Answer dispatch(const Call& call);
    Answer give_token(const Call& call);
    Answer list_organisations(const Call& call);
    Answer stats(const Call& call);
    Answer energy_levels(const Call& call);
    Answer list_reports(const Call& call);
    Answer full_data(const Call& call);

    /// The refusal, where the call has no living token.
    std::optional<Answer> refuse(const Call& call);
    template <class Item, class Write>
    Answer page(const Call& call, const std::vector<Item>& items, Write write) const;
    void look_for_violations(const Call& call);
    void violation(Violation::Kind kind, const Call& call, std::string detail = {});

    const Options& options_;
    World& world_;
    FaultPlan& faults_;
    Observations& observations_;
    std::mutex mutex_;
    std::map<std::string, Token, std::less<>> tokens_;
    std::uint64_t tokens_given_ = 0;
};

}  // namespace heiasync::simulator
