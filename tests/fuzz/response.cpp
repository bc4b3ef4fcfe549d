#include "fuzz/property.hpp"
#include "http/failure.hpp"
#include "http/response_reader.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>

namespace heiasync::fuzz {

namespace {

using Expect = http::ResponseReader::Expect;

struct Answer {
    http::Response response;
    std::string body;
    std::size_t used = 0;  ///< bytes of the connection
    bool keep_alive = false;
};

bool same(const Answer& one, const Answer& other) {
    const auto parts = [](const Answer& answer) {
        return std::tie(answer.response.status, answer.response.headers, answer.response.failure_body, answer.body,
                        answer.used, answer.keep_alive);
    };
    return parts(one) == parts(other);
}

/// As a connection does it with what it reads; nothing where that is no answer.
std::optional<Answer> read(std::string_view bytes, Expect expect, std::uint64_t max_size, std::size_t piece_size) {
    http::Inflater inflater;
    core::StringSink body;
    std::uint64_t wire_bytes = 0;
    http::ResponseReader reader{expect, inflater, body, max_size, wire_bytes};
    Answer answer;
    std::string held;
    try {
        while (!bytes.empty() && !reader.complete()) {
            held += bytes.substr(0, piece_size);
            bytes.remove_prefix(std::min(bytes.size(), piece_size));
            const auto used = reader.feed(held);
            held.erase(0, used);
            answer.used += used;
        }
        if (!reader.complete()) {
            reader.end_of_input();
        }
    } catch (const http::Failure& failure) {
        const std::string_view what = failure.what();
        require(std::ranges::all_of(what, [](char c) { return c >= ' ' && c <= '~'; }),
                "a failure is one line of ASCII");
        return std::nullopt;
    }
    answer.response = std::move(reader.response());
    answer.body = body.text();
    answer.keep_alive = reader.complete() && reader.keep_alive();
    require(wire_bytes <= answer.used, "a body is no longer than what was read");
    return answer;
}

void check_answer(const Answer& answer, Expect expect, std::uint64_t max_size) {
    const auto& response = answer.response;
    require(response.status >= 200 && response.status < 1'000, "an answer is final");
    const bool success = response.status < 300;
    require(response.body_size == answer.body.size(), "the size of a body is counted");
    require(answer.body.size() <= max_size, "a body is no larger than allowed");
    require(success || answer.body.empty(), "the body of a failure is none");
    require(!success || response.failure_body.empty(), "a success has no failure's body");
    require(response.failure_body.size() <= http::max_failure_body, "what is kept of a failure is limited");
    require(expect != Expect::tunnel || answer.body.empty(), "a tunnel has no body");
    for (const auto& [name, value] : response.headers) {
        require(std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }), "names are in lower case");
        require(value.find_first_of("\r\n") == std::string::npos, "a header is one line");
    }
}

}  // namespace

/// The first two bytes say what is expected, how large it may be and how large the pieces are.
void check(std::string_view input) {
    if (input.size() < 2) {
        return;
    }
    const auto first = static_cast<unsigned char>(input[0]);
    const auto expect = (first & 1U) == 0 ? Expect::answer : Expect::tunnel;
    const std::uint64_t max_size = std::uint64_t{first} * first;
    const std::size_t piece_size = static_cast<unsigned char>(input[1]) + std::size_t{1};
    input.remove_prefix(2);
    const auto whole = read(input, expect, max_size, input.size());
    const auto pieces = read(input, expect, max_size, piece_size);
    require(whole.has_value() == pieces.has_value(), "the pieces of an answer make no difference");
    if (whole) {
        require(same(*whole, *pieces), "the pieces of an answer make no difference");
        check_answer(*whole, expect, max_size);
    }
}

}  // namespace heiasync::fuzz
