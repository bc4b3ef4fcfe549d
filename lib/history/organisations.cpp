#include "history/organisations.hpp"

#include "history/transaction.hpp"

namespace heiasync::history {
namespace {

constexpr Statement insert_versions{
    "store what changed on a listing",
    "WITH listed AS ("
    "    SELECT organisation_id, name, size_class, multi_business_id, business_ids::text[] AS business_ids, su_access "
    "    FROM unnest($3::bigint[], $4::text[], $5::bigint[], $6::boolean[], $7::text[], $8::boolean[]) "
    "         AS item (organisation_id, name, size_class, multi_business_id, business_ids, su_access)"
    "), newest AS MATERIALIZED ("
    "    SELECT DISTINCT ON (organisation_id) * FROM heiasync.organisation_versions "
    "    ORDER BY organisation_id, organisation_version_id DESC"
    "), different AS MATERIALIZED ("
    "    SELECT listed.*, newest.listed IS NOT TRUE AS added "
    "    FROM listed LEFT JOIN newest USING (organisation_id) "
    "    WHERE newest.listed IS NOT TRUE "
    "       OR (listed.name, listed.size_class, listed.multi_business_id, listed.business_ids, listed.su_access) "
    "          IS DISTINCT FROM "
    "          (newest.name, newest.size_class, newest.multi_business_id, newest.business_ids, newest.su_access)"
    "), gone AS MATERIALIZED ("
    "    SELECT newest.* FROM newest "
    "    WHERE newest.listed AND newest.organisation_id = ANY ($2::bigint[])"
    "), stored AS ("
    "    INSERT INTO heiasync.organisation_versions (organisation_id, name, size_class, multi_business_id, "
    "        business_ids, su_access, listed, valid_from, last_seen_at) "
    "    SELECT organisation_id, name, size_class, multi_business_id, business_ids, su_access, true, "
    "           $1::timestamptz, NULL::timestamptz "
    "    FROM different "
    "    UNION ALL "
    "    SELECT organisation_id, name, size_class, multi_business_id, business_ids, su_access, false, "
    "           $1::timestamptz, coalesce(sightings.last_seen_at, gone.valid_from) "
    "    FROM gone LEFT JOIN heiasync.sightings USING (organisation_id) "
    "    ORDER BY 1"
    ") "
    "SELECT (SELECT count(*) FROM different WHERE added), (SELECT count(*) FROM different WHERE NOT added), "
    "       (SELECT count(*) FROM gone)"};
constexpr Statement insert_listing{
    "store a listing",
    "INSERT INTO heiasync.listings (sync_run_id, run_on, listed_at, complete, held_back, size_classes, "
    "organisation_ids) "
    "VALUES ($1, $2, $3, $4, $5, $6, "
    "(SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM unnest($7::bigint[]) AS id))"};
constexpr Statement select_known{
    "read the known organisations",
    "WITH believed AS (SELECT coalesce(max(listing_id), 0) AS listing_id FROM heiasync.listings "
    "                  WHERE complete AND NOT held_back) "
    "SELECT organisation_id, name, size_class, multi_business_id, su_access, business_id, "
    "       (SELECT count(DISTINCT listing.run_on) FROM heiasync.listings AS listing "
    "        WHERE listing.listing_id > coalesce(sightings.listing_id, (SELECT listing_id FROM believed)) "
    "          AND listing.held_back AND listing.run_on < $1) "
    "FROM (SELECT DISTINCT ON (organisation_id) * FROM heiasync.organisation_versions "
    "      ORDER BY organisation_id, organisation_version_id DESC) AS newest "
    "LEFT JOIN heiasync.sightings USING (organisation_id) "
    "LEFT JOIN LATERAL unnest(business_ids) WITH ORDINALITY AS own (business_id, place) ON true "
    "WHERE listed ORDER BY organisation_id, place"};

}  // namespace

ListingChanges store_listing(Transaction& transaction, const Listing& listing) {
    const auto& organisations = listing.organisations;
    const auto column = [&organisations](auto member) {
        return Value::array(organisations,
                            [member](const documents::Organisation& item) { return Value{item.*member}; });
    };
    const auto business_ids = [](const documents::Organisation& item) { return Value::array(item.business_ids); };
    using documents::Organisation;
    const Value ids = column(&Organisation::id);

    const auto counts = transaction.run(insert_versions, listing.listed_at, Value::array(listing.removed), ids,
                                        column(&Organisation::name), column(&Organisation::size_class),
                                        column(&Organisation::multi_business_id),
                                        Value::array(organisations, business_ids), column(&Organisation::su_access))[0];
    transaction.run(insert_listing, listing.sync_run_id, listing.run_on, listing.listed_at, listing.complete,
                    listing.held_back, Value::array(listing.size_classes), ids);
    return {counts[0].as<std::int64_t>(), counts[1].as<std::int64_t>(), counts[2].as<std::int64_t>()};
}

std::vector<KnownOrganisation> known_organisations(Transaction& transaction, core::Date run_on) {
    std::vector<KnownOrganisation> result;
    for (const auto& row : transaction.run(select_known, run_on)) {
        const auto id = row[0].as<std::int64_t>();
        if (result.empty() || result.back().organisation.id != id) {
            KnownOrganisation known;
            known.dates_missed = row[6].as<std::int64_t>();
            documents::Organisation& organisation = known.organisation;
            organisation.id = id;
            organisation.name = row[1].as<std::string>();
            if (!row[2].is_null()) {
                organisation.size_class = row[2].as<std::int64_t>();
            }
            organisation.multi_business_id = row[3].as<bool>();
            if (!row[4].is_null()) {
                organisation.su_access = row[4].as<bool>();
            }
            result.push_back(std::move(known));
        }
        if (!row[5].is_null()) {
            result.back().organisation.business_ids.push_back(row[5].as<std::string>());
        }
    }
    return result;
}

}  // namespace heiasync::history
