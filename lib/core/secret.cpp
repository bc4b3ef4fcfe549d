#include "core/secret.hpp"

#include <openssl/crypto.h>

#include <ostream>
#include <utility>

namespace heiasync::core {
namespace {

// Grown to its capacity first: a moved-from or shortened string keeps bytes beyond its length.
void wipe_text(std::string& text) noexcept {
    text.resize(text.capacity());
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

}  // namespace

Secret::Secret(std::string value) {
    value_.swap(value);
    wipe_text(value);  // a short string leaves its bytes behind
}

Secret::Secret(Secret&& other) noexcept : value_{std::move(other.value_)} {
    other.wipe();
}

Secret& Secret::operator=(const Secret& other) {
    if (this != &other) {
        wipe();
        value_ = other.value_;
    }
    return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe();
        value_ = std::move(other.value_);
        other.wipe();
    }
    return *this;
}

Secret::~Secret() {
    wipe();
}

void Secret::wipe() noexcept {
    wipe_text(value_);
}

std::ostream& operator<<(std::ostream& stream, const Secret& /*secret*/) {
    return stream << "***";
}

}  // namespace heiasync::core
