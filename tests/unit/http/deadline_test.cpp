#include "http/deadline.hpp"

#include "unit/http/session.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace heiasync::http
