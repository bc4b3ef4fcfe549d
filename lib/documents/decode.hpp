#pragma once

#include "core/bytes.hpp"
#include "core/instant.hpp"
#include "core/secret.hpp"
#include "documents/decode_error.hpp"
#include "documents/drift.hpp"
#include "documents/organisation.hpp"
#include "documents/report.hpp"
#include "documents/usage_stats.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::documents {

/// One page of a listing.
template <class Item>
struct Page {
    std::vector<Item> items;
    std::size_t raw_count = 0;  ///< items on the page, those rejected included: what decides whether paging goes on
    std::vector<DecodeError> rejected;  ///< items without a usable key field, one error each; of the first thousand
    std::vector<Drift> drift;           ///< no doubles
};

struct AccessToken {
    core::Secret token;
    std::optional<std::string> scope;
    std::optional<core::Instant> created_at;

    friend bool operator==(const AccessToken&, const AccessToken&) = default;
};

/// `{"error": ..., "error_description": ...}` of an answer that is not 200.
struct ApiFailure {
    /// What `error` begins with of at most 64 characters of [a-z0-9_]; empty where the body is no such object.
    std::string code;
};

/// All of these read one answer in one pass and throw DecodeError, whose operation() is `access_token`,
/// `organisations`, `reports` or `usage_stats`. Text is valid UTF-8 without NUL: what cannot be stored has become
/// U+FFFD.
///
/// A token that could not stand in a header is an error too.
AccessToken decode_access_token(core::ByteSource& source);
Page<Organisation> decode_organisations(core::ByteSource& source);
Page<Report> decode_reports(core::ByteSource& source);

struct DecodedUsageStats {
    UsageStats stats;
    std::vector<Drift> drift;

    friend bool operator==(const DecodedUsageStats&, const DecodedUsageStats&) = default;
};
/// Accepts both published shapes: the five figures bare, or inside `usage`.
DecodedUsageStats decode_usage_stats(core::ByteSource& source);

/// Never throws: a body that is not the documented one has no code.
ApiFailure decode_failure(std::string_view body) noexcept;

}  // namespace heiasync::documents
