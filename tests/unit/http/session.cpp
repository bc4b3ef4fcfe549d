#include "unit/http/session.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <thread>

namespace heiasync::http::testing {
namespace {

namespace asio = boost::asio;

void run_on(asio::io_context& loop, asio::awaitable<void> work, const std::function<bool()>& interrupt) {
    asio::cancellation_signal cancel;
    std::exception_ptr error;
    bool done = false;
    loop.restart();
    asio::co_spawn(loop, std::move(work), asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr thrown) {
                       error = thrown;
                       done = true;
                   }));
    std::thread interrupter;
    if (interrupt) {
        interrupter = std::thread{[&] {
            if (interrupt()) {
                asio::post(loop, [&] { cancel.emit(asio::cancellation_type::terminal); });
            }
        }};
    }
    loop.run_for(std::chrono::seconds{20});
    if (interrupter.joinable()) {
        interrupter.join();
        loop.restart();
        loop.run_for(std::chrono::seconds{20});
    }
    if (!done || !loop.stopped()) {
        ADD_FAILURE() << "the loop is not empty after 20 seconds";
        std::abort();
    }
    if (error) {
        std::rethrow_exception(error);
    }
}

}  // namespace

void run(asio::awaitable<void> work, const std::function<bool()>& interrupt) {
    asio::io_context loop;
    run_on(loop, std::move(work), interrupt);
}

struct Session::Loop {
    asio::io_context context;
};

Session::Session() : loop_{std::make_unique<Loop>()} {
    settings.connect_timeout = std::chrono::seconds{10};
    settings.request_timeout = std::chrono::seconds{10};
    settings.on_attempt = [this](const AttemptReport& report) {
        reports.push_back({report.status.value_or(0), std::string{report.error}, report.retry_in, report.bytes_received,
                           report.server_date});
    };
}

Session::~Session() = default;

Client& Session::client() {
    if (!client_) {
        client_ = std::make_unique<Client>(clock, settings);
    }
    return *client_;
}

namespace {

asio::awaitable<void> send_into(Client& client, const Request& request, core::ByteSink& sink,
                                std::optional<int> attempts, Response& response) {
    response = co_await client.send(request, sink, attempts);
}

}  // namespace

Answer Session::send(const Request& request, std::optional<int> attempts) {
    core::StringSink sink;
    Answer answer;
    run_on(loop_->context, send_into(client(), request, sink, attempts, answer.response), {});
    answer.body = sink.text();
    return answer;
}

Answer Session::get(const std::string& url, std::optional<int> attempts) {
    return send(request_for(url), attempts);
}

TransportError Session::failing(const std::string& url, std::optional<int> attempts) {
    try {
        const Answer answer = get(url, attempts);
        ADD_FAILURE() << "answered " << answer.response.status;
    } catch (const TransportError& error) {
        return error;
    }
    return {TransportError::Kind::broken, "none", 0};
}

bool Session::cancelled(const std::string& url, const std::function<bool()>& interrupt) {
    core::StringSink sink;
    Response response;
    const Request request = request_for(url);
    try {
        run_on(loop_->context, send_into(client(), request, sink, std::nullopt, response), interrupt);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    }
    return false;
}

Request request_for(const std::string& url) {
    return Request{"GET /things/{id}", parse_url(url)};
}

}  // namespace heiasync::http::testing
