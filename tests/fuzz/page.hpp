#pragma once

#include "documents/decode.hpp"
#include "fuzz/decoding.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync::fuzz {

/// A page of a listing whose parts can be compared.
template <class Item>
struct Page {
    std::vector<Item> items;
    std::size_t raw_count = 0;
    std::vector<std::string> rejected;
    std::vector<documents::Drift> drift;

    friend bool operator==(const Page&, const Page&) = default;
};

/// The items of a page, and what holds for every page.
template <class Item>
std::vector<Item> decode_page(documents::Page<Item> (*decode)(core::ByteSource&), std::string_view text,
                              std::string_view operation) {
    const auto read = [&](core::ByteSource& source) {
        auto decoded = decode(source);
        Page<Item> page{std::move(decoded.items), decoded.raw_count, {}, std::move(decoded.drift)};
        for (const auto& rejection : decoded.rejected) {
            require_discreet(rejection, operation);
            page.rejected.emplace_back(rejection.what());
        }
        return page;
    };
    auto page = decode_text(read, text, operation);
    if (!page) {
        return {};
    }
    require(page->items.size() + page->rejected.size() <= page->raw_count, "every item is counted");
    require_sound(page->drift);
    return std::move(page->items);
}

}  // namespace heiasync::fuzz
