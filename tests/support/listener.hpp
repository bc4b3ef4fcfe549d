#pragma once

#include <memory>
#include <string>
#include <vector>

namespace heiasync::testing {

/// Who listens on the channel `heiasync` of a database.
class Listener {
public:
    explicit Listener(std::string url);
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener();

    /// What was heard since the last call, and was committed before this one: JSON without spaces, in the order of
    /// commits.
    std::vector<std::string> heard();

private:
    struct Session;
    std::string url_;
    std::unique_ptr<Session> session_;
};

}  // namespace heiasync::testing
