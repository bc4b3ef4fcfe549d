#pragma once

#include "core/bytes.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace heiasync::core {

/// Gives a text in pieces of a given size, each in a buffer of its own, so that a view kept too long is found.
class PiecewiseSource final : public ByteSource {
public:
    PiecewiseSource(std::string_view text, std::size_t size) : text_{text}, size_{size} {}

    std::string_view read() override {
        piece_ = std::string{text_.substr(0, size_)};
        piece_.shrink_to_fit();
        text_.remove_prefix(piece_.size());
        return piece_;
    }

private:
    std::string_view text_;
    std::size_t size_;
    std::string piece_;
};

}  // namespace heiasync::core
