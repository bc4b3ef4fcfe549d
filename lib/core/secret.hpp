#pragma once

#include <fmt/core.h>

#include <iosfwd>
#include <string>
#include <string_view>

namespace heiasync::core {

/// Text that must not be seen: it prints as `***` wherever it is printed, and its memory is wiped when it goes.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value);
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept;
    Secret& operator=(const Secret& other);
    Secret& operator=(Secret&& other) noexcept;
    ~Secret();

    /// The text itself, for the one place that sends it.
    [[nodiscard]] const std::string& reveal() const { return value_; }
    [[nodiscard]] bool empty() const { return value_.empty(); }

    friend bool operator==(const Secret&, const Secret&) = default;

private:
    void wipe() noexcept;

    std::string value_;
};

std::ostream& operator<<(std::ostream& stream, const Secret& secret);

}  // namespace heiasync::core

template <>
struct fmt::formatter<heiasync::core::Secret> : fmt::formatter<fmt::string_view> {
    template <class Context>
    auto format(const heiasync::core::Secret&, Context& context) const {
        return fmt::formatter<fmt::string_view>::format("***", context);
    }
};
