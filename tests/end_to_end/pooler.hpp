#pragma once

#include "process.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace heiasync::testing {

/// pgbouncer before a PostgreSQL.
class Pooler {
public:
    /// `mode` is a pool_mode: `session`, `transaction` or `statement`. To the server of `url`, whose host is the folder
    /// of its socket. Answers when it returns.
    Pooler(const std::string& url, std::string_view mode);
    Pooler(const Pooler&) = delete;
    Pooler& operator=(const Pooler&) = delete;
    ~Pooler();

    /// The same database, by way of the pooler.
    [[nodiscard]] const std::string& url() const { return url_; }

private:
    std::filesystem::path directory_;
    std::string url_;
    std::unique_ptr<Process> process_;
};

}  // namespace heiasync::testing
