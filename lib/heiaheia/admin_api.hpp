#pragma once

#include "core/clock.hpp"
#include "core/secret.hpp"
#include "documents/decode.hpp"
#include "documents/original.hpp"
#include "http/client.hpp"

#include <boost/asio/awaitable.hpp>

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
    ApiError(Operation operation, int status, std::string code, int attempts, bool deferred);

    [[nodiscard]] Operation operation() const { return operation_; }
    [[nodiscard]] int status() const { return status_; }
    [[nodiscard]] const std::string& code() const { return code_; }  ///< `no_org_access` and the like; may be empty
    [[nodiscard]] int attempts() const { return attempts_; }
    /// The server asked for more patience than a request may take.
    [[nodiscard]] bool deferred() const { return deferred_; }

private:
    Operation operation_;
    int status_;
    std::string code_;
    int attempts_;
    bool deferred_;
};

/// The token call was answered with 400, 401 or 403: the credentials are wrong or blocked, and no call can succeed.
class CredentialsRejected : public ApiError {
public:
    using ApiError::ApiError;
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
    int attempts = 1;
};

/// All pages of the listing of organisations.
struct OrganisationListing {
    std::vector<documents::Organisation> organisations;  ///< without doubles, as the server orders them
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

/// The Admin API. Calls throw http::TransportError, ApiError and documents::DecodeError. A 401 is answered with one new
/// token and one repetition of the request. The token stays in memory.
class AdminApi {
public:
    /// `client` sends, `clock` tells the time of answers. Both must outlive this. Throws std::invalid_argument for a
    /// base_url that is no URL.
    AdminApi(http::Client& client, core::Clock& clock, AdminApiSettings settings);

    /// Gets a new token. Throws CredentialsRejected.
    boost::asio::awaitable<void> authenticate();

    /// Set where the token allows more than `read_only_admin_api`: an operator wants to know.
    [[nodiscard]] const std::optional<std::string>& wider_scope() const { return wider_scope_; }

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
    boost::asio::awaitable<http::Response> get(Operation operation, std::string path, core::ByteSink& body);
    [[nodiscard]] http::Request request(Operation operation, const std::string& path) const;

    http::Client& client_;
    core::Clock& clock_;
    AdminApiSettings settings_;
    std::optional<core::Secret> token_;
    std::optional<std::string> wider_scope_;
};

}  // namespace heiasync::heiaheia
