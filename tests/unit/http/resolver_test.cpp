#include "http/resolver.hpp"

#include "http/deadline.hpp"
#include "http/failure.hpp"
#include "unit/http/session.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

namespace heiasync::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;

/// A name server that does not answer until it is let.
struct BlackHole {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = true;
    int inside = 0;
};

BlackHole& black_hole() {
    static BlackHole hole;
    return hole;
}

Endpoints lost(const std::string&, std::uint16_t) {
    BlackHole& hole = black_hole();
    std::unique_lock lock{hole.mutex};
    ++hole.inside;
    hole.changed.wait(lock, [&] { return !hole.open; });
    --hole.inside;
    hole.changed.notify_all();
    return {};
}

Endpoints two_addresses(const std::string&, std::uint16_t port) {
    return {{boost::asio::ip::make_address("192.0.2.1"), port}, {boost::asio::ip::make_address("192.0.2.2"), port}};
}

awaitable<void> look_up(std::string host, Lookup lookup, Endpoints& found) {
    found = co_await resolve(host, 80, lookup);
}

awaitable<void> look_up_in_time(std::optional<bool>& in_time) {
    Endpoints found;
    in_time = co_await within(std::chrono::steady_clock::now() + 20ms, look_up("a.example", lost, found));
}

TEST(Resolve, GivesEveryAddressInOrder) {
    Endpoints found;
    testing::run(look_up("a.example", two_addresses, found));
    EXPECT_EQ(found, two_addresses("", 80));
}

TEST(Resolve, AnAddressIsNotLookedUp) {
    Endpoints found;
    testing::run(look_up("::1", nullptr, found));
    EXPECT_EQ(found, Endpoints(1, {boost::asio::ip::make_address("::1"), 80}));
}

TEST(Resolve, TheSystemKnowsLocalhost) {
    Endpoints found;
    testing::run(look_up("localhost", system_lookup, found));
    ASSERT_FALSE(found.empty());
    EXPECT_TRUE(found.front().address().is_loopback());
}

TEST(Resolve, AnUnknownNameIsAFailure) {
    Endpoints found;
    try {
        testing::run(look_up(std::string(300, 'a'), system_lookup, found));
        ADD_FAILURE();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.kind(), TransportError::Kind::resolve);
        EXPECT_EQ(std::string_view{failure.what()}.find("name not found"), 0U);
    }
}

TEST(Resolve, ABlackHoleHoldsNeitherTheDeadlineNorTheLoop) {
    const auto began = std::chrono::steady_clock::now();
    std::optional<bool> in_time;
    testing::run(look_up_in_time(in_time));
    EXPECT_EQ(in_time, false);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);

    // The look-up comes back to a loop that is gone.
    BlackHole& hole = black_hole();
    std::unique_lock lock{hole.mutex};
    hole.open = false;
    hole.changed.notify_all();
    hole.changed.wait(lock, [&] { return hole.inside == 0; });
}

}  // namespace
}  // namespace heiasync::http
