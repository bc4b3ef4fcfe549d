#include "documents/cuts.hpp"

#include <algorithm>
#include <cstddef>

namespace heiasync::documents {

std::string_view CutSource::read() {
    for (;;) {
        if (bytes_.empty()) {
            bytes_ = source_->read();
            if (bytes_.empty()) {
                return {};
            }
        }
        const auto take = [this](std::uint64_t end) {
            const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end - at_, bytes_.size()));
            const auto taken = bytes_.substr(0, size);
            bytes_.remove_prefix(size);
            at_ += size;
            return taken;
        };
        if (next_ == cuts_.size()) {
            return take(at_ + bytes_.size());
        }
        const Cut& cut = cuts_[next_];
        if (at_ < cut.begin) {
            return take(cut.begin);
        }
        take(cut.end);
        if (at_ == cut.end) {
            ++next_;
            return "null";
        }
    }
}

}  // namespace heiasync::documents
