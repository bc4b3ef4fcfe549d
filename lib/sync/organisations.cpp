#include "history/organisations.hpp"

#include "sync/session.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

/// Those listed, and, where the listing is not complete, those known besides: they may well be on a page that failed.
std::vector<documents::Organisation> with_known(std::vector<documents::Organisation> listed,
                                                std::vector<documents::Organisation> known) {
    std::set<std::int64_t> ids;
    for (const documents::Organisation& organisation : listed) {
        ids.insert(organisation.id);
    }
    for (documents::Organisation& organisation : known) {
        if (!ids.contains(organisation.id)) {
            listed.push_back(std::move(organisation));
        }
    }
    return listed;
}

}  // namespace

asio::awaitable<std::vector<documents::Organisation>> sync_organisations(Session& session) {
    history::TaskRecord task = session.begin(history::Stream::organisations, 0, "");
    auto answer = co_await session.context.api.list_organisations();
    Session::received(task, answer.received_at, answer.attempts);

    heiaheia::OrganisationListing& fetched = answer.value;
    history::Listing listing;
    listing.sync_run_id = task.sync_run_id;
    listing.run_on = task.run_on;
    listing.listed_at = answer.received_at;
    listing.complete = fetched.complete;
    listing.size_classes = session.settings.expected.size_classes;
    listing.organisations = std::move(fetched.organisations);
    if (!fetched.complete) {
        task.status = history::TaskStatus::failed;
        task.reason = "listing_incomplete";
        task.error = fetched.error;
        task.http_status = fetched.http_status;
    }

    history::ListingChanges& changes = session.report.listing_changes;
    auto rows = [listing, &changes, drift = std::move(fetched.drift)](history::Transaction& transaction) {
        changes = history::store_listing(transaction, listing);
        history::record_drift(transaction, history::Stream::organisations, drift, listing.listed_at);
    };
    Write write{task, std::move(rows)};
    co_await session.writer.store(std::move(write));
    co_await session.writer.drain();

    if (listing.complete) {
        co_return std::move(listing.organisations);
    }
    auto read_known = [](history::Transaction& transaction) { return history::known_organisations(transaction); };
    std::vector<documents::Organisation> known = co_await session.context.database.transact(read_known);
    co_return with_known(std::move(listing.organisations), std::move(known));
}

}  // namespace heiasync::sync
