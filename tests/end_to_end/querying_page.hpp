#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::testing {

/// docs/querying.md.
struct QueryingPage {
    std::vector<std::string> questions;
    std::map<std::string, std::string> queries;  ///< by question, each without its semicolon
    std::set<std::string> relations;             ///< that its table explains

    /// The query for the question that begins with these words. Throws std::invalid_argument where there is none.
    [[nodiscard]] std::string query(std::string_view question) const;
};

/// Fails the test where the page is not made as it should be.
QueryingPage read_querying_page();

}  // namespace heiasync::testing
