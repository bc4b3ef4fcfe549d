#pragma once

#include "documents/organisation.hpp"
#include "history/organisations.hpp"

#include <cstdint>
#include <vector>

namespace heiasync::sync {

/// What a complete listing takes away, by id.
struct Removals {
    std::vector<std::int64_t> removed;
    std::vector<std::int64_t> held_back;  ///< too many at once to be believed
};

struct RemovalPolicy {
    int max_vanished_percent = 20;  ///< 0 to 100
    bool accept_vanished = false;   ///< whatever is missing is gone
    std::vector<int> size_classes;  ///< that the listing was asked for
};

/// Rule 9 of docs/rules.md. Those of a size class that was not asked for are gone in any case; those that listings of
/// two dates before lacked as well are believed to be; of the others, more than five and more than
/// max_vanished_percent at once are not.
Removals decide_removals(const std::vector<history::KnownOrganisation>& known,
                         const std::vector<documents::Organisation>& listed, const RemovalPolicy& policy);

}  // namespace heiasync::sync
