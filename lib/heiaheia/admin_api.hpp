#pragma once

#include "core/clock.hpp"
#include "core/secret.hpp"
#include "documents/decode.hpp"
#include "documents/original.hpp"
#include "heiaheia/availability.hpp"
#include "http/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::heiaheia {

/// The six calls.
enum class Operation { access_token, organisations, usage_stats, energy_levels, reports, report_data };

/// The call's route, ids and query left out: how logs, errors and metrics name it.
std::string_view route(Operation operation);

/// The server answered, and the answer is no success. The text names the route, the status and the vendor's error code.
class ApiError : public std::runtime_error {
public:
    ApiError(Operation operation, const http::Response& response);

    [[nodiscard]] Operation operation() const { return operation_; }
    [[nodiscard]] int status() const { return status_; }
    [[nodiscard]] const std::string& code() const { return code_; }  ///< `no_org_access` and the like; may be empty

private:
    Operation operation_;
    int status_;
    std::string code_;
};

/// The token call was answered with 400, 401 or 403: the credentials are wrong or blocked, and no call can succeed.
class CredentialsRejected : public ApiError {
public:
    using ApiError::ApiError;
};

/// So many calls in a row found no server that no more are made (rule 8).
class ApiUnavailable : public std::runtime_error {
public:
    ApiUnavailable();
};

constexpr std::chrono::minutes tolerated_clock_skew{10};

/// The server's clock and ours are further apart than that: one of them is wrong, and with it the dates.
class ClockSkew : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct AdminApiSettings {
    std::string base_url;  ///< scheme and host, perhaps with a path in front of the API's own
    std::string email;
    std::string client_id;
    core::Secret client_secret;
    core::Secret magic_token;
    std::vector<int> size_classes;     ///< asked for in the listing
    int per_page = 500;                ///< 1 to 500
    bool send_simulated_time = false;  ///< adds X-Simulated-Time to each request: a rehearsal
};

/// An answer and what is known about how it came.
template <class Value>
struct Answer {
    Value value;
    core::Instant received_at{};  ///< when the last byte arrived
};

/// All pages of the listing of organisations.
struct OrganisationListing {
    std::vector<documents::Organisation> organisations;  ///< without doubles, as the server orders them
    int pages = 0;                                       ///< with items
    bool complete = true;                                ///< false: a page failed or an item could not be read
    std::optional<std::string> error;                    ///< why it is not complete
    std::optional<int> http_status;                      ///< of the page that failed
    std::vector<documents::Drift> drift;
};

struct ReportListing {
    std::vector<documents::Report> reports;        ///< the viewed ones, without doubles
    std::vector<documents::DecodeError> rejected;  ///< items that could not be read
    std::vector<documents::Drift> drift;
};

/// The Admin API. Calls throw http::TransportError, ApiError, documents::DecodeError, ApiUnavailable and ClockSkew. A
/// 401 is answered with one new token and one repetition of the request. The token stays in memory.
class AdminApi {
public:
    /// `client` sends, `clock` tells the time of answers. Both must outlive this. Throws std::invalid_argument for a
    /// base_url that is no URL.
    AdminApi(http::Client& client, core::Clock& clock, AdminApiSettings settings);

    /// Gets a new token. Where that fails but for a wrong secret (no answer, 5xx, 403), an earlier token is kept while
    /// it is younger than 13 days. Throws CredentialsRejected.
    boost::asio::awaitable<void> authenticate();

    /// Why the earlier token is still in use; none where the last one asked for was given.
    [[nodiscard]] const std::optional<std::string>& kept_token() const { return kept_token_; }

    /// Set where the token allows more than `read_only_admin_api`: an operator wants to know.
    [[nodiscard]] const std::optional<std::string>& wider_scope() const { return wider_scope_; }

    /// Judges anew whether the server is there: to be called when a run begins.
    void forget_outages() { availability_ = {}; }

    /// For how long yet the server asks for patience (Retry-After), in real time; 0 where it does not.
    [[nodiscard]] std::chrono::milliseconds held_for() const;
    /// Waits for that.
    boost::asio::awaitable<void> wait_out_hold();

    /// Reads pages until one brings nothing new. A page that fails ends the listing as incomplete; CredentialsRejected
    /// is thrown.
    boost::asio::awaitable<Answer<OrganisationListing>> list_organisations();

    /// `business_id` empty: the whole organisation.
    boost::asio::awaitable<Answer<documents::DecodedUsageStats>> usage_stats(std::int64_t organisation_id,
                                                                             std::string business_id);

    /// The dates are inclusive.
    boost::asio::awaitable<Answer<documents::Original>> energy_levels(std::int64_t organisation_id,
                                                                      std::string business_id, core::Date start,
                                                                      core::Date end);

    boost::asio::awaitable<Answer<ReportListing>> list_reports(std::int64_t organisation_id);

    /// Sent without a token: the id is the capability.
    boost::asio::awaitable<Answer<documents::Original>> report_data(core::Secret data_instance_id);

private:
    boost::asio::awaitable<void> get(Operation operation, std::string path, core::ByteSink& body);
    boost::asio::awaitable<http::Response> send(const http::Request& request, core::ByteSink& body);
    boost::asio::awaitable<void> get_token();
    void check_clock(const http::Response& response, core::Instant sent_at) const;
    [[nodiscard]] http::Request request(Operation operation, const std::string& path) const;

    http::Client& client_;
    core::Clock& clock_;
    AdminApiSettings settings_;
    http::Origin origin_;
    Availability availability_;
    std::optional<core::Secret> token_;
    core::Instant token_created_at_{};
    std::optional<std::string> kept_token_;
    std::optional<std::string> wider_scope_;
};

}  // namespace heiasync::heiaheia
