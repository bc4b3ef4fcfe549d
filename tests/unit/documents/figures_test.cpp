#include "documents/figures.hpp"

#include "core/bytes.hpp"
#include "documents/cursor.hpp"

#include <gmock/gmock.h>

namespace heiasync::documents {
namespace {

using testing::ElementsAre;

Figures figures_of(std::initializer_list<std::optional<std::string_view>> numbers) {
    Figures figures;
    for (const auto& number : numbers) {
        figures.append(number);
    }
    return figures;
}

TEST(Figures, AreWhatTheDocumentWrites) {
    const auto figures = figures_of({"3.1700", "0", std::nullopt, "-1.5e3"});
    EXPECT_EQ(figures.text(), "3.1700,0,null,-1.5e3");
    EXPECT_EQ(figures.size(), 4U);
    EXPECT_THAT(figures.numbers(), ElementsAre("3.1700", "0", std::nullopt, "-1.5e3"));
    EXPECT_EQ(Figures{}.text(), "");
    EXPECT_EQ(Figures{}.size(), 0U);
}

TEST(Figures, AreNoneWhereADoubleHasNoRoom) {
    Figures figures;
    EXPECT_TRUE(figures.append("1e308"));
    EXPECT_FALSE(figures.append("1e309"));
    EXPECT_FALSE(figures.append(std::nullopt));
    EXPECT_EQ(figures.text(), "1e308,null,null");
}

TEST(Figures, AreShortHoweverLongTheyWereWritten) {
    EXPECT_EQ(figures_of({"0.1000000000000000055511151231257827"}).text(), "0.1");
}

TEST(Figures, TakeThePlainNumbersOfAnArray) {
    core::StringSource source{"[1,2.5,1e3]"};
    Cursor cursor{"test", source};
    cursor.enter_array();
    Figures figures = figures_of({"7"});
    figures.append_plain(cursor);
    EXPECT_EQ(figures.text(), "7,1,2.5");
    EXPECT_EQ(figures.size(), 3U);
}

TEST(Breakdown, IsSortedAndKeepsTheFirstOfAQuestion) {
    Breakdown breakdown;
    breakdown.add(7, figures_of({"1", "2"}));
    breakdown.add(3, figures_of({}));
    breakdown.add(7, figures_of({"9"}));
    breakdown.add(5, figures_of({"3", std::nullopt}));
    breakdown.sort();
    EXPECT_THAT(breakdown.question_ids(), ElementsAre(3, 5, 7));
    EXPECT_THAT(breakdown.ends(), ElementsAre(0U, 2U, 4U));
    EXPECT_EQ(breakdown.figures().text(), "3,null,1,2");
}

TEST(Breakdown, StaysAsItIsWhereItIsSorted) {
    Breakdown breakdown;
    breakdown.add(3, figures_of({"1"}));
    breakdown.add(5, figures_of({"2", "3"}));
    breakdown.sort();
    EXPECT_THAT(breakdown.question_ids(), ElementsAre(3, 5));
    EXPECT_THAT(breakdown.ends(), ElementsAre(1U, 3U));
    EXPECT_EQ(breakdown.figures().text(), "1,2,3");
}

}  // namespace
}  // namespace heiasync::documents
