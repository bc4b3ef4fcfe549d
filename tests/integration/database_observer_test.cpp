#include "history_test.hpp"

#include <boost/asio/io_context.hpp>

#include <optional>
#include <stdexcept>
#include <thread>

namespace heiasync::history {
namespace {

using ::testing::ElementsAre;
using DatabaseObserverTest = HistoryTest;

TEST_F(DatabaseObserverTest, IsToldWhatBecameOfEachJob) {
    std::vector<std::string> seen;
    const std::thread::id here = std::this_thread::get_id();
    DatabaseObserver observer;
    observer.began = [&] { seen.emplace_back("began"); };
    observer.ended = [&](std::optional<TransactionOutcome> outcome) {
        EXPECT_EQ(std::this_thread::get_id(), here);
        seen.emplace_back(!outcome                                      ? "not connected"
                          : *outcome == TransactionOutcome::committed   ? "committed"
                          : *outcome == TransactionOutcome::rolled_back ? "rolled back"
                                                                        : "unknown");
    };
    auto nothing = [](Transaction&) {};
    auto broken = [](Transaction&) { throw std::runtime_error{"broken"}; };
    Database watched{loop.get_executor(), url, observer};
    heiasync::testing::run(loop, watched.transact(nothing));
    EXPECT_THROW(heiasync::testing::run(loop, watched.transact(broken)), std::runtime_error);
    Database nowhere{loop.get_executor(), "postgresql://127.0.0.1:1/x", observer};
    EXPECT_THROW(heiasync::testing::run(loop, nowhere.transact(nothing)), DatabaseError);
    EXPECT_THAT(seen, ElementsAre("began", "committed", "began", "rolled back", "began", "not connected"));
}

}  // namespace
}  // namespace heiasync::history
