#include "sync/removals.hpp"

#include <algorithm>
#include <set>

namespace heiasync::sync {

namespace {

constexpr std::size_t always_believed = 5;
constexpr std::int64_t dates_before = 2;

bool was_asked_for(const documents::Organisation& organisation, const std::vector<int>& size_classes) {
    return !organisation.size_class || std::ranges::find(size_classes, *organisation.size_class) != size_classes.end();
}

}  // namespace

Removals decide_removals(const std::vector<history::KnownOrganisation>& known,
                         const std::vector<documents::Organisation>& listed, const RemovalPolicy& policy) {
    std::set<std::int64_t> listed_ids;
    for (const documents::Organisation& organisation : listed) {
        listed_ids.insert(organisation.id);
    }

    Removals removals;
    std::vector<std::int64_t> vanished;
    std::size_t expected = 0;
    for (const history::KnownOrganisation& item : known) {
        const documents::Organisation& organisation = item.organisation;
        const bool believed = !was_asked_for(organisation, policy.size_classes) || item.dates_missed >= dates_before;
        const bool is_listed = listed_ids.contains(organisation.id);
        if (!is_listed && believed) {
            removals.removed.push_back(organisation.id);
            continue;
        }
        ++expected;
        if (!is_listed) {
            vanished.push_back(organisation.id);
        }
    }

    const bool too_many = vanished.size() > always_believed &&
                          vanished.size() * 100 > expected * static_cast<std::size_t>(policy.max_vanished_percent);
    std::vector<std::int64_t>& fate = too_many && !policy.accept_vanished ? removals.held_back : removals.removed;
    fate.insert(fate.end(), vanished.begin(), vanished.end());
    return removals;
}

}  // namespace heiasync::sync
