#include "sync/writer.hpp"

#include "documents/decode.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

/// Enough to share a commit, few enough that repeating them one by one after a refusal costs nothing.
constexpr std::size_t max_waiting = 32;

void apply(const Write& write, history::Transaction& transaction) {
    if (write.rows) {
        write.rows(transaction);
    }
    history::record_task(transaction, write.task);
}

}  // namespace

Writer::Writer(asio::any_io_executor executor, history::Database& database,
               std::function<void(const history::TaskRecord&)> written)
    : executor_{std::move(executor)},
      database_{database},
      written_{std::move(written)},
      change_{executor_, asio::steady_timer::time_point::max()} {}

asio::awaitable<void> Writer::store(Write write) {
    rethrow_failure();
    while (full_for(write)) {
        co_await changed();
        rethrow_failure();
    }
    waiting_.push_back(std::move(write));
    start_pump();
}

asio::awaitable<void> Writer::drain() {
    while (pumping_) {
        co_await changed();
    }
    rethrow_failure();
}

bool Writer::full_for(const Write& write) const {
    const bool document_waits =
        std::any_of(waiting_.begin(), waiting_.end(), [](const Write& other) { return other.document; });
    return waiting_.size() >= max_waiting || (write.document && document_waits);
}

void Writer::start_pump() {
    if (pumping_) {
        return;
    }
    pumping_ = true;
    asio::co_spawn(executor_, pump(), [this](std::exception_ptr failure) {
        pumping_ = false;
        if (failure) {
            failure_ = failure;
            waiting_.clear();
        }
        change_.cancel();
    });
}

asio::awaitable<void> Writer::pump() {
    while (!waiting_.empty()) {
        std::vector<Write> batch = next_batch();
        change_.cancel();
        co_await commit(batch);
    }
}

std::vector<Write> Writer::next_batch() {
    std::vector<Write> batch{std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end())};
    waiting_.clear();
    return batch;
}

asio::awaitable<void> Writer::commit(std::vector<Write>& batch) {
    bool refused = false;
    try {
        auto job = [&batch](history::Transaction& transaction) {
            for (const Write& write : batch) {
                apply(write, transaction);
            }
        };
        co_await database_.transact(job);
    } catch (const documents::DecodeError&) {
        refused = true;
    } catch (const history::DatabaseError& error) {
        if (error.kind() != history::DatabaseError::Kind::refused) {
            throw;
        }
        refused = true;
    }
    if (!refused) {
        for (const Write& write : batch) {
            written_(write.task);
        }
        co_return;
    }
    for (Write& write : batch) {
        co_await commit_alone(write);
    }
}

asio::awaitable<void> Writer::commit_alone(Write& write) {
    std::string refusal;
    const char* reason = "not_storable";
    try {
        auto job = [&write](history::Transaction& transaction) { apply(write, transaction); };
        co_await database_.transact(job);
    } catch (const documents::DecodeError& error) {
        refusal = error.what();
        reason = "not_decodable";
    } catch (const history::DatabaseError& error) {
        if (error.kind() != history::DatabaseError::Kind::refused) {
            throw;
        }
        refusal = error.what();
    }
    if (!refusal.empty()) {
        write.task.status = history::TaskStatus::failed;
        write.task.reason = reason;
        write.task.error = refusal;
        auto job = [&write](history::Transaction& transaction) { history::record_task(transaction, write.task); };
        co_await database_.transact(job);
    }
    written_(write.task);
}

asio::awaitable<void> Writer::changed() {
    static_cast<void>(co_await change_.async_wait(asio::as_tuple(asio::use_awaitable)));
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error{asio::error::operation_aborted};
    }
}

void Writer::rethrow_failure() {
    if (failure_) {
        std::rethrow_exception(failure_);
    }
}

}  // namespace heiasync::sync
