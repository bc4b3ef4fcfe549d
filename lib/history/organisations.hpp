#pragma once

#include "core/instant.hpp"
#include "documents/organisation.hpp"
#include "history/database.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace heiasync::history {

struct Listing {
    std::int64_t sync_run_id = 0;
    core::Date run_on{};
    core::Instant listed_at{};  ///< when the last byte of the last page arrived
    bool complete = true;
    std::vector<int> size_classes;                       ///< that were asked for
    std::vector<documents::Organisation> organisations;  ///< no doubles
};

struct ListingChanges {
    std::int64_t added = 0;    ///< new or back
    std::int64_t changed = 0;  ///< listed before, with other attributes
    std::int64_t removed = 0;  ///< 0 for an incomplete listing, which removes none
};

/// Stores a listing and a new version of each organisation that is new, changed, back or (complete listings) gone.
ListingChanges store_listing(Transaction& transaction, const Listing& listing);

/// The organisations that are listed as of the newest listing, by id.
std::vector<documents::Organisation> known_organisations(Transaction& transaction);

}  // namespace heiasync::history
