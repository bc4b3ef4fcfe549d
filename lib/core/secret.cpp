#include "core/secret.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>
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

std::string fingerprint(std::string_view text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    const std::string bytes{text};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
    return fmt::format("{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]);
}

}  // namespace heiasync::core
