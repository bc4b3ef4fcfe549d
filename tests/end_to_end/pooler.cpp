#include "pooler.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace heiasync::testing {

namespace {

namespace fs = std::filesystem;

fs::path make_directory() {
    std::string name = (fs::temp_directory_path() / "heiasync-pooler-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error{"no folder for the pooler"};
    }
    // It runs as another user where the test is root's.
    fs::permissions(name, fs::perms::all);
    return name;
}

/// What follows `key` in a URL, up to its next parameter.
std::string value_of(const std::string& url, std::string_view key) {
    const auto begin = url.find(key) + key.size();
    return url.substr(begin, url.find_first_of("&?", begin) - begin);
}

}  // namespace

Pooler::Pooler(const std::string& url, std::string_view mode) : directory_{make_directory()} {
    const fs::path settings = directory_ / "pgbouncer.ini";
    std::ofstream{settings} << fmt::format(
        "[databases]\n* = host={} user=postgres\n"
        "[pgbouncer]\nunix_socket_dir = {}\nlisten_port = 5432\nauth_type = any\npool_mode = {}\n",
        value_of(url, "host="), directory_.string(), mode);
    fs::permissions(settings, fs::perms{0644});
    // Ends with the test, however that ends; as root it refuses to run.
    std::vector<std::string> command{"/bin/sh", "-c", R"(PATH=$PATH:/usr/sbin exec setpriv --pdeathsig=INT "$@")",
                                     "sh"};
    if (::getuid() == 0) {
        command.insert(command.end(), {"--reuid=nobody", "--regid=nogroup", "--clear-groups"});
    }
    command.insert(command.end(), {"pgbouncer", settings.string()});
    process_ = std::make_unique<Process>(command);
    process_->wait_for_err("process up");
    url_ = fmt::format("postgresql:///{}?host={}&user=postgres", value_of(url, "postgresql:///"), directory_.string());
}

Pooler::~Pooler() {
    process_.reset();
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

}  // namespace heiasync::testing
