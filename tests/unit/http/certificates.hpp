#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace heiasync::http::testing {

/// A certificate with its key, in PEM.
struct Identity {
    std::string certificate;
    std::string key;
};

/// A certificate authority that lives as long as a test.
class Authority {
public:
    Authority();
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;
    ~Authority();

    /// `names` as OpenSSL writes alternative names: `DNS:localhost`, `IP:127.0.0.1`. Valid for two hours up to
    /// `expires_in` from now, which may be in the past.
    [[nodiscard]] Identity issue(const std::string& names,
                                 std::chrono::seconds expires_in = std::chrono::hours{1}) const;

    /// The authority's own certificate in a file that goes with it.
    [[nodiscard]] const std::filesystem::path& file() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A certificate that is its own authority.
Identity self_signed(const std::string& names);

}  // namespace heiasync::http::testing
