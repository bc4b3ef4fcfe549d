#include "sync/failure.hpp"

#include "heiaheia/admin_api.hpp"
#include "history/error.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

EarlyEnd early_end_of(const history::DatabaseError& error) {
    switch (error.kind()) {
        case history::DatabaseError::Kind::away:
        case history::DatabaseError::Kind::hindered:
        case history::DatabaseError::Kind::in_doubt:
            return EarlyEnd::database_unavailable;
        case history::DatabaseError::Kind::replaced:
            return EarlyEnd::replaced;
        case history::DatabaseError::Kind::busy:
        case history::DatabaseError::Kind::fenced:
            return EarlyEnd::busy;
        case history::DatabaseError::Kind::settings:
        case history::DatabaseError::Kind::schema:
            return EarlyEnd::schema_unusable;
        case history::DatabaseError::Kind::refused:
        case history::DatabaseError::Kind::ours:
            break;
    }
    return EarlyEnd::bug;
}

}  // namespace

Failure classify(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const RunEnd& end) {
        return {end.reason, end.what()};
    } catch (const heiaheia::CredentialsRejected& error) {
        return {EarlyEnd::credentials_rejected, error.what()};
    } catch (const heiaheia::ClockSkew& error) {
        return {EarlyEnd::clock_skew, error.what()};
    } catch (const heiaheia::ApiUnavailable& error) {
        return {EarlyEnd::api_unavailable, error.what()};
    } catch (const heiaheia::ApiError& error) {
        return {EarlyEnd::api_unavailable, error.what()};
    } catch (const http::TransportError& error) {
        return {EarlyEnd::api_unavailable, error.what()};
    } catch (const documents::DecodeError& error) {
        return {EarlyEnd::api_unavailable, error.what()};
    } catch (const history::DatabaseError& error) {
        const bool misses_something =
            error.kind() == history::DatabaseError::Kind::schema && error.sqlstate().starts_with("42P");
        return {early_end_of(error),
                misses_something ? fmt::format("{}: the schema is not the one that it was, see `heiasyncd migrate "
                                               "--status`",
                                               error.what())
                                 : error.what()};
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) {
            return {EarlyEnd::stopped, stopped_by_signal};
        }
        return {EarlyEnd::bug, error.what()};
    } catch (const std::exception& error) {
        return {EarlyEnd::bug, error.what()};
    }
}

}  // namespace heiasync::sync
