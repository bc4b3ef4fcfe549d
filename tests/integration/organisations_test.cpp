#include "history/organisations.hpp"

#include "history_test.hpp"

#include <algorithm>

namespace heiasync::history {
namespace {

using documents::Organisation;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A listing a day, at 01:00.
class OrganisationsTest : public HistoryTest {
protected:
    static core::Date day(unsigned number) { return 2026_y / 7 / date::day{number}; }

    static Organisation organisation(std::int64_t id, std::string name) {
        Organisation result;
        result.id = id;
        result.name = std::move(name);
        return result;
    }

    /// A complete listing takes away what it lacks.
    std::string store(unsigned number, std::vector<Organisation> organisations, bool complete = true,
                      bool held_back = false) {
        Listing listing;
        listing.sync_run_id = start_manual_run(day(number));
        listing.run_on = day(number);
        listing.listed_at = date::sys_days{day(number)} + 1h;
        listing.complete = complete;
        listing.held_back = held_back;
        if (complete && !held_back) {
            for (const Organisation& item : known()) {
                if (std::ranges::find(organisations, item.id, &Organisation::id) == organisations.end()) {
                    listing.removed.push_back(item.id);
                }
            }
        }
        listing.size_classes = {50, 10000};
        listing.organisations = std::move(organisations);
        const auto changes = transact([&](Transaction& transaction) { return store_listing(transaction, listing); });
        return std::to_string(changes.added) + " added, " + std::to_string(changes.changed) + " changed, " +
               std::to_string(changes.removed) + " removed";
    }

    std::vector<Organisation> known() {
        std::vector<Organisation> result;
        for (KnownOrganisation& item : known_on(31)) {
            result.push_back(std::move(item.organisation));
        }
        return result;
    }

    std::vector<KnownOrganisation> known_on(unsigned number) {
        return transact([number](Transaction& transaction) { return known_organisations(transaction, day(number)); });
    }

    std::vector<std::vector<std::string>> seen(std::int64_t id) {
        return query(
            "SELECT to_char(first_seen_at, 'DD'), to_char(last_seen_at, 'DD'), to_char(removed_at, 'DD') "
            "FROM heiasync.organisations WHERE organisation_id = " +
            std::to_string(id));
    }

    std::vector<std::vector<std::string>> history(std::int64_t id) {
        return query(
            "SELECT name, listed, to_char(valid_from, 'DD'), to_char(valid_to, 'DD') "
            "FROM heiasync.organisation_history WHERE organisation_id = " +
            std::to_string(id) + " ORDER BY valid_from");
    }
};

TEST_F(OrganisationsTest, EveryAttributeComesBackAsItWas) {
    Organisation full = organisation(3'000'000'000, "\xC3\x85land \"O'Brien\" {a,b}\\ NULL\n\t\xF0\x9F\x98\x80");
    full.size_class = 50;
    full.multi_business_id = true;
    full.business_ids = {"123-1", "", "NULL", "a,b", "\"{}\\"};
    full.su_access = false;
    const Organisation bare = organisation(2, "NULL");
    EXPECT_EQ(store(1, {full, bare}), "2 added, 0 changed, 0 removed");
    EXPECT_THAT(known(), ElementsAre(bare, full));
    EXPECT_THAT(query("SELECT organisation_id, name, size_class, multi_business_id, business_ids[3], su_access, "
                      "first_seen_at, last_seen_at, removed_at FROM heiasync.organisations ORDER BY 1 DESC LIMIT 1"),
                ElementsAre(ElementsAre("3000000000", full.name, "50", "t", "NULL", "f", "2026-07-01 01:00:00+00",
                                        "2026-07-01 01:00:00+00", "NULL")));
    EXPECT_THAT(query("SELECT run_on, listed_at, complete, size_classes, organisation_ids FROM heiasync.listings"),
                ElementsAre(ElementsAre("2026-07-01", "2026-07-01 01:00:00+00", "t", "{50,10000}", "{2,3000000000}")));
}

TEST_F(OrganisationsTest, TheSameListingAgainChangesNothing) {
    Organisation one = organisation(1, "One");
    one.business_ids = {"a", "b"};
    store(1, {one});
    EXPECT_EQ(store(2, {one}), "0 added, 0 changed, 0 removed");
    EXPECT_THAT(history(1), ElementsAre(ElementsAre("One", "t", "01", "NULL")));
    EXPECT_THAT(seen(1), ElementsAre(ElementsAre("01", "02", "NULL")));
}

TEST_F(OrganisationsTest, ANameThatGoesAndComesBackHasThreeVersions) {
    store(1, {organisation(1, "A")});
    EXPECT_EQ(store(2, {organisation(1, "B")}), "0 added, 1 changed, 0 removed");
    store(3, {organisation(1, "A")});
    EXPECT_THAT(history(1), ElementsAre(ElementsAre("A", "t", "01", "02"), ElementsAre("B", "t", "02", "03"),
                                        ElementsAre("A", "t", "03", "NULL")));
}

TEST_F(OrganisationsTest, AnyAttributeMakesAVersion) {
    Organisation one = organisation(1, "One");
    store(1, {one});
    one.size_class = 50;
    EXPECT_EQ(store(2, {one}), "0 added, 1 changed, 0 removed");
    one.multi_business_id = true;
    EXPECT_EQ(store(3, {one}), "0 added, 1 changed, 0 removed");
    one.business_ids = {"b", "a"};
    EXPECT_EQ(store(4, {one}), "0 added, 1 changed, 0 removed");
    one.business_ids = {"a", "b"};
    EXPECT_EQ(store(5, {one}), "0 added, 1 changed, 0 removed");
    one.su_access = true;
    EXPECT_EQ(store(6, {one}), "0 added, 1 changed, 0 removed");
}

TEST_F(OrganisationsTest, OneThatVanishesFromACompleteListingIsRemovedAndMayReturn) {
    store(1, {organisation(1, "One"), organisation(2, "Two")});
    store(2, {organisation(1, "One"), organisation(2, "Two")});
    EXPECT_EQ(store(3, {organisation(1, "One")}), "0 added, 0 changed, 1 removed");
    EXPECT_THAT(known(), ElementsAre(organisation(1, "One")));
    EXPECT_THAT(seen(2), ElementsAre(ElementsAre("01", "02", "03")));
    EXPECT_EQ(store(4, {organisation(1, "One")}), "0 added, 0 changed, 0 removed") << "it is gone only once";
    EXPECT_THAT(seen(2), ElementsAre(ElementsAre("01", "02", "03")));
    EXPECT_EQ(store(5, {organisation(1, "One"), organisation(2, "Two")}), "1 added, 0 changed, 0 removed");
    EXPECT_THAT(history(2), ElementsAre(ElementsAre("Two", "t", "01", "03"), ElementsAre("Two", "f", "03", "05"),
                                        ElementsAre("Two", "t", "05", "NULL")));
    EXPECT_THAT(seen(2), ElementsAre(ElementsAre("01", "05", "NULL")));
}

TEST_F(OrganisationsTest, AnIncompleteListingRemovesNone) {
    store(1, {organisation(1, "One"), organisation(2, "Two")});
    EXPECT_EQ(store(2, {organisation(1, "Eins"), organisation(3, "Three")}, false), "1 added, 1 changed, 0 removed");
    EXPECT_THAT(known(), ElementsAre(organisation(1, "Eins"), organisation(2, "Two"), organisation(3, "Three")));
    EXPECT_THAT(seen(1), ElementsAre(ElementsAre("01", "02", "NULL")));
    EXPECT_THAT(seen(2), ElementsAre(ElementsAre("01", "01", "NULL")));
    EXPECT_THAT(seen(3), ElementsAre(ElementsAre("02", "02", "NULL")));
    EXPECT_EQ(store(3, {organisation(1, "Eins")}), "0 added, 0 changed, 2 removed");
    EXPECT_THAT(seen(2), ElementsAre(ElementsAre("01", "01", "03")));
    EXPECT_THAT(seen(3), ElementsAre(ElementsAre("02", "02", "03")));
}

TEST_F(OrganisationsTest, AListingThatIsHeldBackRemovesNoneAndCountsTheDatesOnWhichEachIsMissing) {
    const Organisation one = organisation(1, "One");
    const Organisation two = organisation(2, "Two");
    const auto dates_missed = [this](unsigned on) {
        std::vector<std::int64_t> dates;
        for (const KnownOrganisation& item : known_on(on)) {
            dates.push_back(item.dates_missed);
        }
        return dates;
    };
    store(1, {one, two});
    EXPECT_EQ(store(2, {one}, true, true), "0 added, 0 changed, 0 removed");
    store(2, {one}, true, true);
    EXPECT_THAT(known(), ElementsAre(one, two));
    EXPECT_THAT(seen(1), ElementsAre(ElementsAre("01", "02", "NULL")));
    EXPECT_THAT(seen(2), ElementsAre(ElementsAre("01", "01", "NULL")));
    EXPECT_THAT(dates_missed(2), ElementsAre(0, 0)) << "today's own listings do not count";
    EXPECT_THAT(dates_missed(3), ElementsAre(0, 1));
    store(3, {}, true, true);
    store(4, {one}, false);
    EXPECT_THAT(dates_missed(5), ElementsAre(0, 2)) << "the first was seen since, if on an incomplete one";
    store(5, {one, two}, true, true);
    EXPECT_THAT(dates_missed(6), ElementsAre(0, 0)) << "back again";
    store(6, {one}, true, true);
    EXPECT_EQ(store(7, {one}), "0 added, 0 changed, 1 removed");
    EXPECT_THAT(seen(2), ElementsAre(ElementsAre("01", "05", "07")));
    EXPECT_THAT(dates_missed(8), ElementsAre(0));
}

TEST_F(OrganisationsTest, AnEmptyListingIsStored) {
    EXPECT_EQ(store(1, {}), "0 added, 0 changed, 0 removed");
    EXPECT_THAT(known(), IsEmpty());
    EXPECT_THAT(query("SELECT organisation_ids FROM heiasync.listings"), ElementsAre(ElementsAre("{}")));
}

TEST_F(OrganisationsTest, HostileNamesAreMadeStorable) {
    store(1, {organisation(1, std::string{"a\0b", 3} + "\xff\xED\xA0\x80" + "c")});
    EXPECT_EQ(query_value("SELECT left(name, 3) || right(name, 1) FROM heiasync.organisations"),
              "a\xEF\xBF\xBD"
              "bc");
}

}  // namespace
}  // namespace heiasync::history
