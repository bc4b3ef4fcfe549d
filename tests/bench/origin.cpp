#include "origin.hpp"

#include <sched.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <date/date.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <stdexcept>

namespace heiasync::bench {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::string_view empty_page = "empty page";

void pin(std::thread& thread, unsigned core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core % std::thread::hardware_concurrency(), &cores);
    ::pthread_setaffinity_np(thread.native_handle(), sizeof cores, &cores);
}

/// How long the message is that these bytes begin; 0 while its head is not complete.
std::size_t message_size(std::string_view bytes) {
    constexpr std::string_view field = "Content-Length: ";
    constexpr std::string_view end_of_head = "\r\n\r\n";
    const auto end = bytes.find(end_of_head);
    if (end == std::string_view::npos) {
        return 0;
    }
    std::size_t length = 0;
    if (const auto position = bytes.find(field); position < end) {
        std::from_chars(bytes.data() + position + field.size(), bytes.data() + end, length);
    }
    return end + end_of_head.size() + length;
}

/// A page that is not the first has a name of its own.
std::string key_of(std::string_view target) {
    const auto query = target.find('?');
    std::string key{target.substr(0, query)};
    for (const std::string_view parameter : {"?page=", "&page="}) {
        if (const auto position = target.find(parameter); position != std::string_view::npos) {
            const auto number = target.substr(position + parameter.size());
            key += number == "1" ? "" : fmt::format(" {}", number.substr(0, number.find('&')));
        }
    }
    return key;
}

}  // namespace

Origin::Origin(Answers answers)
    : answers_{std::move(answers)}, acceptor_{io_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}} {
    answers_[std::string{empty_page}] = make_answer(R"({"total":null,"items":[]})");
    thread_ = std::thread{[this] {
        for (;;) {
            auto connection = acceptor_.accept();
            if (stopping_) {
                return;
            }
            serve(std::move(connection));
        }
    }};
    pin(thread_, 1);
}

Origin::~Origin() {
    stopping_ = true;
    tcp::socket{io_}.connect(endpoint());
    thread_.join();
}

void Origin::set_date(core::Instant date) {
    const auto text = date::format("%a, %d %b %Y %T GMT", date::floor<std::chrono::seconds>(date));
    for (auto& [key, answer] : answers_) {
        answer.replace(date_prefix.size(), text.size(), text);
    }
}

void Origin::serve(tcp::socket connection) {
    connection.set_option(tcp::no_delay{true});
    std::array<char, 8192> buffer{};
    std::string request;
    boost::system::error_code closed;
    while (!closed) {
        request.append(buffer.data(), connection.read_some(asio::buffer(buffer), closed));
        if (const auto size = message_size(request); size == 0 || request.size() < size) {
            continue;
        }
        if (latency_ > latency_.zero()) {
            std::this_thread::sleep_for(latency_);
        }
        asio::write(connection, asio::buffer(answer_to(request)), closed);
        requests_.push_back(std::exchange(request, {}));
    }
}

const std::string& Origin::answer_to(std::string_view request) const {
    static const std::string not_found = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    const auto target = request.substr(request.find(' ') + 1);
    const auto key = key_of(target.substr(0, target.find(' ')));
    auto answer = answers_.find(key);
    if (answer == answers_.end() && key.find(' ') != std::string::npos) {
        answer = answers_.find(std::string{empty_page});
    }
    return answer == answers_.end() ? not_found : answer->second;
}

Cost bare_loop(const Origin& origin, const std::vector<std::string>& requests) {
    Cost cost;
    std::thread loop{[&] {
        const auto begin = std::chrono::steady_clock::now();
        asio::io_context io;
        tcp::socket connection{io};
        connection.connect(origin.endpoint());
        connection.set_option(tcp::no_delay{true});
        std::vector<char> buffer(1U << 18U);
        for (const auto& request : requests) {
            asio::write(connection, asio::buffer(request));
            // A head comes in one piece: it was sent in one.
            std::size_t received = connection.read_some(asio::buffer(buffer));
            const auto size = message_size({buffer.data(), received});
            while (received < size) {
                received += connection.read_some(asio::buffer(buffer));
            }
        }
        cost.cpu = cpu_of_thread();
        cost.wall = std::chrono::steady_clock::now() - begin;
    }};
    pin(loop, 0);
    loop.join();
    return cost;
}

}  // namespace heiasync::bench
