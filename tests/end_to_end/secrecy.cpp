#include "secrecy.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <functional>
#include <stdexcept>
#include <unordered_set>

namespace heiasync::testing {

void SecretFinder::add(std::string_view secret) {
    if (secret.size() < mark_length) {
        throw std::invalid_argument{"too short to be told from other text"};
    }
    marks_.emplace(secret.substr(secret.size() - mark_length));
}

std::set<std::string> SecretFinder::find_in(std::string_view text) const {
    const std::unordered_set<std::string_view> marks{marks_.begin(), marks_.end()};
    std::bitset<256> last_characters;
    for (const auto mark : marks) {
        last_characters.set(static_cast<unsigned char>(mark.back()));
    }
    std::set<std::string> found;
    for (std::size_t end = mark_length; end <= text.size(); ++end) {
        if (!last_characters.test(static_cast<unsigned char>(text[end - 1]))) {
            continue;
        }
        const auto window = text.substr(end - mark_length, mark_length);
        if (marks.contains(window)) {
            found.emplace(window);
        }
    }
    return found;
}

SecretFinder& every_secret() {
    static SecretFinder finder;
    return finder;
}

}  // namespace heiasync::testing
