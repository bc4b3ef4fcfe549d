#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace heiasync::testing {

/// Stands where systemd listens to its services, and takes down what they say.
class NotifySocket {
public:
    explicit NotifySocket(std::string path);
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;
    ~NotifySocket();

    /// For $NOTIFY_SOCKET.
    [[nodiscard]] const std::string& path() const { return path_; }

    /// The next message that begins with this, after what was waited for before. Throws where that takes a minute.
    std::string wait_for(std::string_view beginning);
    /// Messages so far, up to the one that was waited for last.
    [[nodiscard]] std::vector<std::string> heard() const;

private:
    void listen();

    std::string path_;
    int descriptor_;
    mutable std::mutex mutex_;
    std::condition_variable more_;
    std::vector<std::string> all_;
    std::size_t heard_ = 0;
    std::thread listener_;
};

}  // namespace heiasync::testing
