#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <vector>

namespace heiasync::bench {

/// The figures, printed as a Markdown table.
class Table {
public:
    void add(std::string figure, std::string heiasyncd, std::string baseline, double ratio, std::string aim) {
        rows_.push_back({std::move(figure), std::move(heiasyncd), std::move(baseline), fmt::format("{:.2f}", ratio),
                         std::move(aim)});
    }

    void print() const {
        std::array<std::size_t, columns> widths{};
        for (const auto& row : rows_) {
            for (std::size_t i = 0; i < columns; ++i) {
                widths[i] = std::max(widths[i], row[i].size());
            }
        }
        for (std::size_t number = 0; number < rows_.size(); ++number) {
            for (std::size_t i = 0; i < columns; ++i) {
                std::cout << fmt::format("| {:{}} ", rows_[number][i], widths[i]);
            }
            std::cout << "|\n";
            for (std::size_t i = 0; number == 0 && i < columns; ++i) {
                std::cout << fmt::format("|{:-<{}}{}", "", widths[i] + 2, i + 1 == columns ? "|\n" : "");
            }
        }
    }

private:
    static constexpr std::size_t columns = 5;

    std::vector<std::array<std::string, columns>> rows_{{"figure", "heiasyncd", "baseline", "ratio", "aim"}};
};

}  // namespace heiasync::bench
