#include "http/deadline.hpp"

#include "unit/http/session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

namespace heiasync::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using std::chrono::steady_clock;

awaitable<void> at_once() {
    co_return;
}

awaitable<void> after(std::chrono::milliseconds delay) {
    boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor, delay};
    co_await timer.async_wait(boost::asio::use_awaitable);
}

awaitable<void> fails_after(std::chrono::milliseconds delay) {
    co_await after(delay);
    throw std::runtime_error{"failed"};
}

awaitable<void> measure(std::chrono::milliseconds limit, awaitable<void> work, std::optional<bool>& in_time) {
    in_time = co_await within(steady_clock::now() + limit, std::move(work));
}

TEST(Within, WorkThatEndsInTimeHasEnded) {
    std::optional<bool> in_time;
    testing::run(measure(1h, at_once(), in_time));
    EXPECT_EQ(in_time, true);
    testing::run(measure(1h, after(1ms), in_time));
    EXPECT_EQ(in_time, true);
}

TEST(Within, WorkThatHangsIsCancelledAtTheDeadline) {
    std::optional<bool> in_time;
    const auto began = steady_clock::now();
    testing::run(measure(20ms, after(1h), in_time));
    EXPECT_EQ(in_time, false);
    EXPECT_GE(steady_clock::now() - began, 20ms);
    EXPECT_LT(steady_clock::now() - began, 5s);
}

TEST(Within, ADeadlineThatHasPassedStopsTheWork) {
    std::optional<bool> in_time;
    testing::run(measure(-1s, after(1h), in_time));
    EXPECT_EQ(in_time, false);
}

TEST(Within, WhatTheWorkThrowsComesAtOnce) {
    std::optional<bool> in_time;
    const auto began = steady_clock::now();
    EXPECT_THROW(testing::run(measure(1h, fails_after(1ms), in_time)), std::runtime_error);
    EXPECT_LT(steady_clock::now() - began, 5s);
    EXPECT_EQ(in_time, std::nullopt);
}

TEST(Within, CancellingTheCallerEndsWithOperationAborted) {
    std::optional<bool> in_time;
    try {
        testing::run(measure(1h, after(1h), in_time), [] { return true; });
        ADD_FAILURE();
    } catch (const boost::system::system_error& error) {
        EXPECT_EQ(error.code(), boost::asio::error::operation_aborted);
    }
    EXPECT_EQ(in_time, std::nullopt);
}

awaitable<void> nest(std::optional<bool>& inner, std::optional<bool>& outer) {
    outer = co_await within(steady_clock::now() + 20ms, measure(1h, after(1h), inner));
}

TEST(Within, AnOuterDeadlineIsNotTheInnerOne) {
    std::optional<bool> inner;
    std::optional<bool> outer;
    testing::run(nest(inner, outer));
    EXPECT_EQ(outer, false);
    EXPECT_EQ(inner, std::nullopt);
}

awaitable<void> set_alarm(std::chrono::milliseconds limit, std::chrono::milliseconds length, int& rings, bool& rang) {
    const auto executor = co_await boost::asio::this_coro::executor;
    const Alarm alarm{executor, steady_clock::now() + limit, [&rings] { ++rings; }};
    co_await after(length);
    rang = alarm.rang();
}

TEST(Alarm, RingsOnceAtItsDeadline) {
    int rings = 0;
    bool rang = false;
    testing::run(set_alarm(1ms, 50ms, rings, rang));
    EXPECT_EQ(rings, 1);
    EXPECT_TRUE(rang);
}

TEST(Alarm, IsSilentOnceItIsGone) {
    int rings = 0;
    bool rang = false;
    const auto began = steady_clock::now();
    testing::run(set_alarm(1h, 1ms, rings, rang));
    EXPECT_EQ(rings, 0);
    EXPECT_FALSE(rang);
    EXPECT_LT(steady_clock::now() - began, 5s);
}

TEST(Alarm, IsSilentOnceItIsGoneEvenWhereItWasAboutToRing) {
    boost::asio::io_context loop;
    int rings = 0;
    std::optional<Alarm> alarm{std::in_place, loop.get_executor(), steady_clock::now(), [&rings] { ++rings; }};
    boost::asio::steady_timer first{loop, steady_clock::now() - 1s};
    first.async_wait([&alarm](const boost::system::error_code&) { alarm.reset(); });
    loop.run();
    EXPECT_EQ(rings, 0);
}

}  // namespace
}  // namespace heiasync::http
