#include "querying_page.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <stdexcept>

namespace heiasync::testing {

std::string QueryingPage::query(std::string_view question) const {
    for (const auto& [text, sql] : queries) {
        if (text.starts_with(question)) {
            return sql;
        }
    }
    throw std::invalid_argument{fmt::format("docs/querying.md has no question \"{}...\"", question)};
}

QueryingPage read_querying_page() {
    std::ifstream file{HEIASYNC_QUERYING_PAGE};
    QueryingPage page;
    std::optional<std::string> sql;
    for (std::string line; std::getline(file, line);) {
        if (sql && line == "```") {
            const auto end = sql->find(';');
            EXPECT_EQ(end, sql->size() - 2) << "one statement in a block, and a semicolon at its end: " << *sql;
            EXPECT_TRUE(page.queries.emplace(page.questions.back(), sql->substr(0, end)).second)
                << "two blocks below " << page.questions.back();
            sql.reset();
        } else if (sql) {
            *sql += line + "\n";
        } else if (line == "```sql") {
            sql.emplace();
        } else if (line.starts_with("### ")) {
            page.questions.push_back(line.substr(4));
        } else if (line.starts_with("| `")) {
            page.relations.insert(line.substr(3, line.find('`', 3) - 3));
        }
    }
    return page;
}

}  // namespace heiasync::testing
