#pragma once

// Internal to this room: parts of a document that are left out of it.

#include "core/bytes.hpp"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace heiasync::documents {

/// A value in a document: its bytes from `begin` to before `end`.
struct Cut {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// Gives a document in which `null` stands instead of each cut. The cuts are in the order of the document, apart from
/// each other. The source must outlive this.
class CutSource final : public core::ByteSource {
public:
    CutSource(core::ByteSource& source, std::vector<Cut> cuts) : source_{&source}, cuts_{std::move(cuts)} {}

    std::string_view read() override;

private:
    core::ByteSource* source_;
    std::vector<Cut> cuts_;
    std::size_t next_ = 0;  ///< of the cuts
    std::uint64_t at_ = 0;  ///< of the document
    std::string_view bytes_;
};

}  // namespace heiasync::documents
