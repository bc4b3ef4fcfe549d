#pragma once

#include "core/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace heiasync::documents {

/// The bytes of a source that are at hand: the piece it gave last, from the spot where reading stands. What is taken is
/// gone; views of it are valid until more is asked for.
class Window {
public:
    explicit Window(core::ByteSource& source) : source_{&source} {}

    [[nodiscard]] std::string_view bytes() const { return bytes_; }
    void take(std::size_t count) {
        bytes_.remove_prefix(count);
        taken_ += count;
    }
    /// How many bytes were taken since the beginning of the source.
    [[nodiscard]] std::uint64_t taken() const { return taken_; }

    /// Whether bytes are at hand; asks the source for its next piece where none are.
    bool fill() { return !bytes_.empty() || next_piece(); }

    /// Whether `count` bytes are at hand, in one view; asks the source for more where there are fewer.
    bool fill(std::size_t count) { return bytes_.size() >= count || join_pieces(count); }

private:
    bool next_piece();
    bool join_pieces(std::size_t count);

    core::ByteSource* source_;
    std::string_view bytes_;
    std::string joined_;  ///< holds the bytes where they come from two pieces or more
    std::uint64_t taken_ = 0;
    bool ended_ = false;
};

}  // namespace heiasync::documents
