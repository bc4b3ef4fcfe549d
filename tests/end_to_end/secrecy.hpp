#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::testing {

/// Looks for secrets in text. A secret is found by its last characters, so that a part of it is found as well.
class SecretFinder {
public:
    /// Secrets are at least as long as what they are found by.
    static constexpr std::size_t mark_length = 24;

    void add(std::string_view secret);
    /// The marks that occur in a text.
    [[nodiscard]] std::set<std::string> find_in(std::string_view text) const;
    [[nodiscard]] std::size_t size() const { return marks_.size(); }

private:
    std::set<std::string, std::less<>> marks_;
};

/// All secrets of all installations of this program so far.
SecretFinder& every_secret();

}  // namespace heiasync::testing
