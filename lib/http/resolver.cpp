#include "http/resolver.hpp"

#include "http/failure.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace heiasync::http {
namespace {

namespace asio = boost::asio;

/// Shared by the waiting coroutine and the thread that looks up. The thread touches `caller` only while it is set.
struct Search {
    explicit Search(asio::steady_timer& timer) : caller{&timer} {}

    std::mutex mutex;
    asio::steady_timer* caller;
    Endpoints found;
    std::exception_ptr error;
    bool done = false;
};

void look_up(const std::shared_ptr<Search>& search, const std::string& host, std::uint16_t port, Lookup lookup) {
    Endpoints found;
    std::exception_ptr error;
    try {
        found = lookup(host, port);
    } catch (...) {
        error = std::current_exception();
    }
    const std::scoped_lock lock{search->mutex};
    if (search->caller == nullptr) {
        return;
    }
    search->found = std::move(found);
    search->error = error;
    asio::post(search->caller->get_executor(), [search] {
        const std::scoped_lock inner_lock{search->mutex};
        search->done = true;
        if (search->caller != nullptr) {
            search->caller->cancel();
        }
    });
}

struct Abandon {
    explicit Abandon(Search& what) : search{what} {}
    Abandon(const Abandon&) = delete;
    Abandon& operator=(const Abandon&) = delete;
    ~Abandon() {
        const std::scoped_lock lock{search.mutex};
        search.caller = nullptr;
    }

    Search& search;
};

}  // namespace

Endpoints system_lookup(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner{list, &freeaddrinfo};
    if (error != 0) {
        throw Failure{TransportError::Kind::resolve,
                      fmt::format("name not found: {}", error == EAI_SYSTEM ? "system error" : gai_strerror(error))};
    }
    Endpoints found;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        asio::ip::tcp::endpoint endpoint;
        endpoint.resize(entry->ai_addrlen);
        std::copy_n(reinterpret_cast<const char*>(entry->ai_addr), entry->ai_addrlen,
                    reinterpret_cast<char*>(endpoint.data()));
        endpoint.port(port);
        found.push_back(endpoint);
    }
    return found;
}

asio::awaitable<Endpoints> resolve(std::string host, std::uint16_t port, Lookup lookup) {
    boost::system::error_code not_an_address;
    const auto address = asio::ip::make_address(host, not_an_address);
    if (!not_an_address) {
        co_return Endpoints(1, asio::ip::tcp::endpoint{address, port});
    }
    asio::steady_timer done{co_await asio::this_coro::executor, asio::steady_timer::time_point::max()};
    const auto search = std::make_shared<Search>(done);
    const Abandon abandon{*search};
    try {
        std::thread{look_up, search, host, port, lookup}.detach();
    } catch (const std::system_error&) {
        throw Failure{TransportError::Kind::resolve, "name not looked up: no thread to be had"};
    }
    co_await done.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!search->done) {
        throw boost::system::system_error{asio::error::operation_aborted};
    }
    if (search->error) {
        std::rethrow_exception(search->error);
    }
    co_return std::move(search->found);
}

}  // namespace heiasync::http
