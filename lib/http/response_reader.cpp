#include "http/response_reader.hpp"

#include "core/size.hpp"
#include "http/failure.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace heiasync::http {
namespace {

namespace beast = boost::beast;
using Kind = TransportError::Kind;

std::string lower(beast::string_view text) {
    std::string result{text.data(), text.size()};
    for (char& c : result) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return result;
}

constexpr unsigned first_status = 100;
constexpr unsigned switching_protocols = 101;

bool informational(unsigned status) {
    return status / 100 == 1;
}
bool success(unsigned status) {
    return status / 100 == 2;
}

/// What an answer and its body became. It outlives the parsers of informational answers before it.
struct Sinks {
    ResponseReader::Expect expect;
    Inflater& inflater;
    core::ByteSink& body;
    std::uint64_t max_size;
    std::uint64_t& wire_bytes;
};

/// One message, the interim ones included.
class Message final : public beast::http::basic_parser<false> {
public:
    explicit Message(const Sinks& sinks) : sinks_{sinks} {
        eager(true);
        header_limit(static_cast<std::uint32_t>(max_header_size));
        body_limit(boost::none);
    }

    Response response;
    bool enough = false;  // the rest of a failure's body is not worth reading

private:
    using string_view = beast::string_view;
    using error_code = beast::error_code;

    void on_request_impl(beast::http::verb, string_view, string_view, int, error_code&) override {}

    void on_response_impl(int code, string_view, int, error_code&) override {
        response.status = static_cast<unsigned>(code);
        if (response.status < first_status) {
            throw Failure{Kind::protocol, "answered with a status that does not exist"};
        }
        if (response.status == switching_protocols) {
            throw Failure{Kind::protocol, "answered with another protocol"};
        }
    }

    void on_field_impl(beast::http::field, string_view name, string_view value, error_code&) override {
        if (in_header_) {
            response.headers.emplace_back(lower(name), std::string{value.data(), value.size()});
        }
    }

    void on_header_impl(error_code&) override {
        in_header_ = false;
        if (success(response.status) && !is_done() && content_length().value_or(0) > sinks_.max_size) {
            too_large();
        }
        for (const auto& [name, value] : response.headers) {
            const auto coding = [&] { return lower({value.data(), value.size()}); };
            if (name == "transfer-encoding" && coding() != "chunked") {
                throw Failure{Kind::protocol, "answered in a transfer coding that was not asked for"};
            }
            if (name == "content-encoding") {
                take_coding(coding());
            }
        }
    }

    void take_coding(const std::string& coding) {
        if (coding.empty() || coding == "identity") {
            return;
        }
        const bool gzip = coding == "gzip" || coding == "x-gzip";
        if (encoded_ || (!gzip && coding != "deflate")) {
            undecodable("answered in a content coding that was not asked for");
            return;
        }
        encoded_ = true;
        sinks_.inflater.start(gzip ? Inflater::Coding::gzip : Inflater::Coding::deflate);
    }

    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

    std::size_t on_body_impl(string_view bytes, error_code&) override {
        take({bytes.data(), bytes.size()});
        return bytes.size();
    }

    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}

    std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) override {
        take({bytes.data(), bytes.size()});
        return bytes.size();
    }

    void on_finish_impl(error_code&) override {
        if (encoded_ && success(response.status)) {
            sinks_.inflater.finish();
        }
    }

    void take(std::string_view bytes) {
        wire_size_ += bytes.size();
        sinks_.wire_bytes += bytes.size();
        if (success(response.status) && wire_size_ > sinks_.max_size) {
            too_large();
        }
        enough = !success(response.status) && wire_size_ > max_drained_body;
        if (!encoded_) {
            deliver(bytes);
            return;
        }
        for (bool more = true; more && !discard_;) {
            more = decode(bytes);
        }
    }

    bool decode(std::string_view& bytes) {
        try {
            const auto [consumed, output] = sinks_.inflater.step(bytes);
            bytes.remove_prefix(consumed);
            deliver(output);
            return !output.empty() || (consumed != 0 && !bytes.empty());
        } catch (const Failure& failure) {
            if (failure.kind() != Kind::protocol) {
                throw;
            }
            undecodable(failure.what());
            return false;
        }
    }

    void deliver(std::string_view bytes) {
        if (success(response.status)) {
            response.body_size += bytes.size();
            if (response.body_size > sinks_.max_size) {
                too_large();
            }
            if (!bytes.empty()) {
                sinks_.body.write(bytes);
            }
        } else if (!discard_) {
            response.failure_body += bytes.substr(0, max_failure_body - response.failure_body.size());
            discard_ = response.failure_body.size() == max_failure_body;
        }
    }

    /// A failure is known by its status: that its body cannot be read does not make another thing of it.
    void undecodable(const char* why) {
        if (success(response.status)) {
            throw Failure{Kind::protocol, why};
        }
        discard_ = true;
    }

    [[noreturn]] void too_large() const {
        throw Failure{Kind::too_large, fmt::format("the answer is larger than {}", core::format_size(sinks_.max_size))};
    }

    const Sinks& sinks_;
    std::uint64_t wire_size_ = 0;
    bool in_header_ = true;  // trailers are fields too
    bool encoded_ = false;
    bool discard_ = false;  // no more of a failure's body is kept
};

}  // namespace

class ResponseReader::Parser {
public:
    explicit Parser(const Sinks& sinks) : sinks_{sinks} { begin(); }
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;

    std::size_t feed(std::string_view bytes) {
        std::size_t used = 0;
        while (used < bytes.size() && !complete()) {
            if (message_->is_done()) {
                begin();
            }
            beast::error_code error;
            used += message_->put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
            started_ = true;
            if (error == beast::http::error::need_more) {
                break;
            }
            check(error);
        }
        return used;
    }

    void end_of_input() {
        beast::error_code error = beast::http::error::partial_message;
        if (message_->got_some() && !informational(message_->response.status)) {
            message_->put_eof(error);
        }
        if (error == beast::http::error::partial_message) {
            throw Failure{Kind::broken, started_ ? "the connection was closed in the middle of the answer"
                                                 : "the connection was closed without an answer"};
        }
        check(error);
    }

    [[nodiscard]] bool started() const { return started_; }
    [[nodiscard]] bool complete() const {
        return (message_->is_done() && !informational(message_->response.status)) || message_->enough;
    }
    [[nodiscard]] bool keep_alive() const { return message_->is_done() && message_->keep_alive(); }
    [[nodiscard]] Response& response() { return message_->response; }

private:
    void begin() {
        message_.emplace(sinks_);
        message_->skip(sinks_.expect == Expect::tunnel);
    }

    static void check(const beast::error_code& error) {
        if (error) {
            throw Failure{Kind::protocol, "not an HTTP answer: " + error.message()};
        }
    }

    Sinks sinks_;
    std::optional<Message> message_;
    bool started_ = false;
};

ResponseReader::ResponseReader(Expect expect, Inflater& inflater, core::ByteSink& body, std::uint64_t max_size,
                               std::uint64_t& wire_bytes)
    : parser_{std::make_unique<Parser>(Sinks{expect, inflater, body, max_size, wire_bytes})} {}

ResponseReader::~ResponseReader() = default;

std::size_t ResponseReader::feed(std::string_view bytes) {
    return parser_->feed(bytes);
}
void ResponseReader::end_of_input() {
    parser_->end_of_input();
}
bool ResponseReader::started() const {
    return parser_->started();
}
bool ResponseReader::complete() const {
    return parser_->complete();
}
bool ResponseReader::keep_alive() const {
    return parser_->keep_alive();
}
Response& ResponseReader::response() {
    return parser_->response();
}

}  // namespace heiasync::http
