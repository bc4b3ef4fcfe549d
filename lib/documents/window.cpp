#include "documents/window.hpp"

#include <utility>

namespace heiasync::documents {

bool Window::next_piece() {
    if (!ended_) {
        bytes_ = source_->read();
        ended_ = bytes_.empty();
    }
    return !ended_;
}

bool Window::join_pieces(std::size_t count) {
    std::string joined{bytes_};
    while (joined.size() < count && next_piece()) {
        joined += bytes_;
    }
    joined_ = std::move(joined);
    bytes_ = joined_;
    return joined_.size() >= count;
}

}  // namespace heiasync::documents
