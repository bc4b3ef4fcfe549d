#include "sync/writer.hpp"

#include "documents/decode.hpp"
#include "history/sync_tasks.hpp"
#include "sync/failure.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace heiasync::sync {

namespace asio = boost::asio;

namespace {

/// Enough to share a commit, few enough that repeating them one by one after a refusal costs nothing.
constexpr std::size_t max_waiting = 32;

/// A server takes up to a minute to notice that a client went silent, and lets go of its locks then.
constexpr std::chrono::seconds longest_look{90};

/// Of this data and not of the database as a whole: other data may be stored.
bool is_about_data(const history::DatabaseError& error) {
    return error.kind() == history::DatabaseError::Kind::refused ||
           error.kind() == history::DatabaseError::Kind::hindered;
}

}  // namespace

Writer::Writer(asio::any_io_executor executor, const core::Clock& clock, Store& store,
               std::function<void(const history::TaskRecord&)> written, std::function<bool(const Write&)> postpone)
    : executor_{std::move(executor)},
      clock_{clock},
      store_{store},
      written_{std::move(written)},
      postpone_{std::move(postpone)},
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

asio::awaitable<void> Writer::wait_out_outage() {
    while (store_.is_away() && pumping_) {
        co_await changed();
    }
    rethrow_failure();
    co_await store_.confirm();
}

asio::awaitable<void> Writer::drain() {
    while (pumping_) {
        co_await changed();
    }
    rethrow_failure();
}

bool Writer::full_for(const Write& write) const {
    const bool document_waits = std::ranges::any_of(waiting_, &Write::document);
    return waiting_.size() >= max_waiting || (write.document && (document_waits || committing_document_));
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
        committing_document_ = std::ranges::any_of(batch, &Write::document);
        change_.cancel();
        co_await commit(batch);
        committing_document_ = false;
        change_.cancel();
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
        co_await transact(batch);
    } catch (const documents::DecodeError&) {
        refused = true;
    } catch (const history::DatabaseError& error) {
        if (!is_about_data(error)) {
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
    const char* reason = nullptr;
    try {
        co_await transact({&write, 1});
    } catch (const documents::DecodeError& error) {
        refusal = error.what();
        reason = "not_decodable";
    } catch (const history::DatabaseError& error) {
        if (!is_about_data(error)) {
            throw;
        }
        refusal = error.what();
        reason = error.kind() == history::DatabaseError::Kind::hindered ? "database_hindered" : "not_storable";
    }
    if (reason != nullptr) {
        write.task.status = history::TaskStatus::failed;
        write.task.reason = reason;
        write.task.error = refusal;
        write.rows = nullptr;
        if (write.again && postpone_(write)) {
            co_return;
        }
        co_await transact({&write, 1});
    }
    written_(write.task);
}

asio::awaitable<void> Writer::transact(std::span<const Write> writes) {
    auto job = [this, writes](history::Transaction& transaction) {
        for (const Write& write : writes) {
            if (write.rows) {
                write.rows(transaction);
            }
        }
        const core::Instant stored_at = clock_.now();
        for (const Write& write : writes) {
            history::record_task(transaction, write.task, stored_at);
        }
    };
    for (;;) {
        try {
            co_await store_.transact(job);
            co_return;
        } catch (const history::DatabaseError& error) {
            if (error.kind() != history::DatabaseError::Kind::in_doubt) {
                throw;
            }
        }
        if (co_await has_happened(writes.front().task)) {
            co_return;
        }
    }
}

/// The session whose commit is in doubt holds the run lock until the server has ended it: who has the lock again sees
/// what came of it.
asio::awaitable<bool> Writer::has_happened(const history::TaskRecord& task) {
    auto look = [&task](history::Transaction& transaction) { return history::is_recorded(transaction, task); };
    co_return co_await store_.transact_again(look, longest_look);
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
