#include "content.hpp"
#include "daemon.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace heiasync::testing {

namespace {

using ::testing::HasSubstr;

/// Stands where systemd listens to its services.
class NotifySocket {
public:
    explicit NotifySocket(const std::string& path) : descriptor_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
        const timeval limit{60, 0};
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-cstyle-cast): the way of sockets
        if (::bind(descriptor_, (const sockaddr*)&address, sizeof(address)) != 0 ||
            ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0) {
            throw std::system_error{errno, std::generic_category(), path};
        }
    }
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;
    ~NotifySocket() { ::close(descriptor_); }

    /// Reads until a message begins with this. Throws where that takes a minute.
    std::string wait_for(const std::string& beginning) {
        for (;;) {
            std::array<char, 4096> buffer{};
            const auto length = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
            if (length < 0) {
                throw std::runtime_error{"nobody said " + beginning};
            }
            all.emplace_back(buffer.data(), static_cast<std::size_t>(length));
            if (all.back().starts_with(beginning)) {
                return all.back();
            }
        }
    }

    std::vector<std::string> all;  ///< messages so far

private:
    int descriptor_;
};

TEST(Supervised, ADaemonTellsWhatItDoes) {
    Installation installation{tiny_world()};
    installation.make_every_count_known("2026-07-01");
    const std::string path = (installation.directory() / "notify").string();
    NotifySocket systemd{path};
    Daemon daemon{installation, "2026-07-01T04:29:59+03:00", Daemon::Pace::real, {{"NOTIFY_SOCKET", path}}};
    EXPECT_EQ(systemd.wait_for("READY=1"), "READY=1");
    EXPECT_EQ(systemd.wait_for("STATUS="), "STATUS=next run Wed 04:30 EEST");
    systemd.wait_for("STATUS=sync ");
    systemd.wait_for("STATUS=next run Thu 04:30 EEST");

    installation.config()["schedule"]["daily_at"] = "05:30";
    static_cast<void>(installation.command({}));
    daemon.signal(SIGHUP);
    EXPECT_THAT(systemd.wait_for("RELOADING=1"), HasSubstr("\nMONOTONIC_USEC="));
    systemd.wait_for("READY=1");
    systemd.wait_for("STATUS=next run Thu 05:30 EEST");

    installation.write(installation.config_file().filename(), "schedule: {daily_at: \"25:00\"}\n");
    daemon.signal(SIGHUP);
    systemd.wait_for("RELOADING=1");
    systemd.wait_for("READY=1");
    EXPECT_THAT(systemd.wait_for("STATUS="), HasSubstr("the last reload was refused"));

    daemon.signal(SIGTERM);
    systemd.wait_for("STOPPING=1");
    EXPECT_EQ(daemon.wait().exit_code, exit_code::done);
}

TEST(Supervised, AnOutageIsNoFailedStart) {
    Installation installation{tiny_world()};
    const std::string path = (installation.directory() / "notify").string();
    NotifySocket systemd{path};
    installation.config()["database"]["url"] = "postgresql://127.0.0.1:1/nobody";
    Daemon daemon{installation, "2026-06-15T12:00:00+03:00", Daemon::Pace::real, {{"NOTIFY_SOCKET", path}}};
    systemd.wait_for("READY=1");
    EXPECT_THAT(systemd.wait_for("STATUS="), HasSubstr("database away for "));
    daemon.stop();
}

}  // namespace

}  // namespace heiasync::testing
