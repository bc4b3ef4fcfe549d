#pragma once

#include "core/bytes.hpp"
#include "core/instant.hpp"
#include "core/secret.hpp"
#include "documents/organisation.hpp"
#include "documents/report.hpp"
#include "documents/usage_stats.hpp"

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace heiasync::documents {

/// An answer is not what we need it to be. Says which operation's answer, where in it (a JSON pointer, RFC 6901, with
/// members keyed by an id written as `*`) and what was expected; never what stood there.
class DecodeError : public std::runtime_error {
public:
    DecodeError(std::string operation, std::string json_pointer, std::string reason);

    [[nodiscard]] const std::string& operation() const { return operation_; }
    [[nodiscard]] const std::string& json_pointer() const { return json_pointer_; }

private:
    std::string operation_;
    std::string json_pointer_;
};

/// Something in an answer that the vendor's document does not say.
struct Drift {
    enum class Kind { unknown_field, other_type };

    std::string json_pointer;  ///< array indexes and members keyed by an id are written as `*`
    Kind kind = Kind::unknown_field;
    std::string sample_type;  ///< null, boolean, number, string, array or object

    friend auto operator<=>(const Drift&, const Drift&) = default;
};

/// One page of a listing.
template <class Item>
struct Page {
    std::vector<Item> items;
    std::size_t raw_count = 0;  ///< items on the page, those rejected included: what decides whether paging goes on
    std::vector<DecodeError> rejected;  ///< items without a usable key field, one error each
    std::vector<Drift> drift;           ///< no doubles
};

struct AccessToken {
    core::Secret token;
    std::optional<std::string> scope;
    std::optional<core::Instant> created_at;
};

/// `{"error": ..., "error_description": ...}` of an answer that is not 200.
struct ApiFailure {
    std::string code;  ///< of `error`; empty where the body is no such object. Cut to 64 characters of [a-z0-9_]
};

/// All of these read one answer in one pass and throw DecodeError. `operation` names it in the error.
AccessToken decode_access_token(core::ByteSource& source);
Page<Organisation> decode_organisations(core::ByteSource& source);
Page<Report> decode_reports(core::ByteSource& source);

struct DecodedUsageStats {
    UsageStats stats;
    std::vector<Drift> drift;
};
/// Accepts both published shapes: the five figures bare, or inside `usage`.
DecodedUsageStats decode_usage_stats(core::ByteSource& source);

/// Never throws: a body that is not the documented one has no code.
ApiFailure decode_failure(std::string_view body) noexcept;

}  // namespace heiasync::documents
