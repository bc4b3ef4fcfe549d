#include "history/organisations.hpp"

#include "sync/removals.hpp"
#include "sync/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

std::set<std::int64_t> ids_of(const std::vector<documents::Organisation>& organisations) {
    std::set<std::int64_t> ids;
    for (const documents::Organisation& organisation : organisations) {
        ids.insert(organisation.id);
    }
    return ids;
}

/// Those listed, and of the known ones those that are not: they may well be on a page that failed.
std::vector<documents::Organisation> with_known(std::vector<documents::Organisation> listed,
                                                std::vector<history::KnownOrganisation> known) {
    const std::set<std::int64_t> ids = ids_of(listed);
    for (history::KnownOrganisation& item : known) {
        if (!ids.contains(item.organisation.id)) {
            listed.push_back(std::move(item.organisation));
        }
    }
    return listed;
}

bool lacks_any(const std::vector<documents::Organisation>& listed,
               const std::vector<history::KnownOrganisation>& known) {
    const std::set<std::int64_t> ids = ids_of(listed);
    return std::ranges::any_of(
        known, [&ids](const history::KnownOrganisation& item) { return !ids.contains(item.organisation.id); });
}

/// Pages are read one after the other: where an organisation goes meanwhile, another slips to a page that was read
/// already. Only whoever two listings in a row lack is not there.
asio::awaitable<heiaheia::Answer<heiaheia::OrganisationListing>> list_organisations(
    heiaheia::AdminApi& api, const std::vector<history::KnownOrganisation>& known) {
    auto answer = co_await api.list_organisations();
    if (!answer.value.complete || answer.value.pages < 2 || !lacks_any(answer.value.organisations, known)) {
        co_return answer;
    }
    auto again = co_await api.list_organisations();
    const std::set<std::int64_t> ids = ids_of(again.value.organisations);
    for (documents::Organisation& organisation : answer.value.organisations) {
        if (!ids.contains(organisation.id)) {
            again.value.organisations.push_back(std::move(organisation));
        }
    }
    co_return again;
}

asio::awaitable<void> fetch(Session& session, history::TaskRecord& task, bool accept_vanished,
                            std::vector<documents::Organisation>& result) {
    auto read_known = [run_on = task.run_on](history::Transaction& transaction) {
        return history::known_organisations(transaction, run_on);
    };
    std::vector<history::KnownOrganisation> known = co_await session.store.transact_again(read_known);
    auto answer = co_await list_organisations(session.context.api, known);
    session.received(task, answer.received_at);

    heiaheia::OrganisationListing& fetched = answer.value;
    std::erase_if(fetched.organisations, [&session](const documents::Organisation& organisation) {
        return session.erasures.organisation(organisation.id);
    });
    history::Listing listing;
    listing.sync_run_id = task.sync_run_id;
    listing.run_on = task.run_on;
    listing.listed_at = answer.received_at;
    listing.complete = fetched.complete;
    listing.size_classes = session.settings.expected.size_classes;
    listing.organisations = std::move(fetched.organisations);
    if (fetched.complete) {
        RemovalPolicy policy;
        policy.max_vanished_percent = session.settings.max_vanished_percent;
        policy.accept_vanished = accept_vanished;
        policy.size_classes = listing.size_classes;
        Removals removals = decide_removals(known, listing.organisations, policy);
        listing.removed = std::move(removals.removed);
        listing.held_back = !removals.held_back.empty();
        session.report.held_back = static_cast<std::int64_t>(removals.held_back.size());
        if (listing.held_back) {
            task.status = history::TaskStatus::failed;
            task.reason = fmt::format("listing_shrank: {} of {}", removals.held_back.size(), known.size());
            task.error =
                "the listing lacks more organisations than safety.max_vanished_percent allows; none was removed";
        }
    } else {
        task.status = history::TaskStatus::failed;
        task.reason = "listing_incomplete";
        task.error = fetched.error;
        task.http_status = fetched.http_status;
    }
    std::erase_if(known, [&listing](const history::KnownOrganisation& item) {
        return std::ranges::find(listing.removed, item.organisation.id) != listing.removed.end();
    });
    result = listing.complete && !listing.held_back ? listing.organisations
                                                    : with_known(listing.organisations, std::move(known));

    history::ListingChanges& changes = session.report.listing_changes;
    // Told anew where the transaction is repeated, and on top of what a listing before it changed.
    auto rows = [listing = std::move(listing), &changes, before = changes,
                 drift = std::move(fetched.drift)](history::Transaction& transaction) {
        const history::ListingChanges stored = history::store_listing(transaction, listing);
        history::record_drift(transaction, history::Stream::organisations, drift, listing.listed_at);
        changes.added = before.added + stored.added;
        changes.changed = before.changed + stored.changed;
        changes.removed = before.removed + stored.removed;
    };
    const Again again = [](OrganisationPlan&) {};
    if (!fetched.complete && session.postpone(task, again)) {
        co_await session.store.transact(rows);
        co_return;
    }
    Write write{task, std::move(rows)};
    co_await session.writer.store(std::move(write));
    co_await session.writer.drain();
}

}  // namespace

asio::awaitable<std::vector<documents::Organisation>> sync_organisations(Session& session, bool accept_vanished) {
    history::TaskRecord task = session.begin(history::Stream::organisations, 0, "");
    std::vector<documents::Organisation> result;
    asio::awaitable<void> work = fetch(session, task, accept_vanished, result);
    const Again again = [](OrganisationPlan&) {};
    co_await session.perform(task, std::move(work), again);
    co_return result;
}

}  // namespace heiasync::sync
