#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::documents {

/// An organisation as the listing shows it (CompactOrganisation of the vendor's document).
struct Organisation {
    std::int64_t id = 0;                     ///< a key field: missing or ill-typed, the item is rejected
    std::string name;                        ///< a key field, not empty
    std::optional<std::int64_t> size_class;  ///< 20, 50 or 10000
    bool multi_business_id = false;
    /// `multi_business_ids`, or `business_ids` as the guide's prose has it; in order, without doubles, and without what
    /// could not be stored and asked for as it came (empty, over 255 bytes, not Unicode).
    std::vector<std::string> business_ids;
    std::optional<bool> su_access;

    friend bool operator==(const Organisation&, const Organisation&) = default;
};

}  // namespace heiasync::documents
