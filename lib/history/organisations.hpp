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
    bool held_back = false;                              ///< complete, but it lacks more than is believed (rule 9)
    std::vector<std::int64_t> removed;                   ///< listed until now, and taken for gone
    std::vector<int> size_classes;                       ///< that were asked for
    std::vector<documents::Organisation> organisations;  ///< no doubles
};

struct ListingChanges {
    std::int64_t added = 0;    ///< new or back
    std::int64_t changed = 0;  ///< listed before, with other attributes
    std::int64_t removed = 0;
};

/// Stores a listing and a new version of each organisation that is new, changed, back or removed.
ListingChanges store_listing(Transaction& transaction, const Listing& listing);

struct KnownOrganisation {
    documents::Organisation organisation;
    /// On how many dates before, in listings that were held back, it was missing since it was last seen.
    std::int64_t dates_missed = 0;
};

/// The organisations that count as listed, by id.
std::vector<KnownOrganisation> known_organisations(Transaction& transaction, core::Date run_on);

}  // namespace heiasync::history
