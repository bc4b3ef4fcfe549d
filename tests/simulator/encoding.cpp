#include "simulator/encoding.hpp"

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/status.hpp>
#include <date/date.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace heiasync::simulator {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t small_body = 1024;
constexpr std::size_t chunk_size = 8192;

std::string in_chunks(std::string_view body) {
    std::string chunks;
    while (!body.empty()) {
        const auto chunk = body.substr(0, chunk_size);
        fmt::format_to(std::back_inserter(chunks), "{:x}\r\n{}\r\n", chunk.size(), chunk);
        body.remove_prefix(chunk.size());
    }
    chunks += "0\r\n\r\n";
    return chunks;
}

}  // namespace

std::string http_date(core::Instant at) {
    return date::format("%a, %d %b %Y %T GMT", date::floor<std::chrono::seconds>(at));
}

std::string gzip(std::string_view text) {
    z_stream stream{};
    constexpr int gzip_format = 16;
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + gzip_format, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::runtime_error{"zlib has no memory"};
    }
    std::string compressed(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
    std::string input{text};
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
    stream.avail_out = static_cast<uInt>(compressed.size());
    const auto result = deflate(&stream, Z_FINISH);
    compressed.resize(stream.total_out);
    deflateEnd(&stream);
    if (result != Z_STREAM_END) {
        throw std::runtime_error{"zlib could not compress"};
    }
    return compressed;
}

Encoded encode(const Answer& answer, const HttpRequest& request, const Options& options) {
    const bool large = answer.body.size() > small_body;
    const bool accepts_gzip = request[http::field::accept_encoding].find("gzip") != std::string_view::npos;
    const bool compress = answer.suffers(Fault::Kind::broken_gzip) || (options.gzip && large && accepts_gzip);

    Encoded encoded;
    if (answer.suffers(Fault::Kind::cut_short)) {
        encoded.body = answer.body.substr(0, answer.body.size() / 2);
    } else {
        encoded.body = answer.body;
    }
    if (compress) {
        encoded.body = gzip(encoded.body);
    }
    if (answer.suffers(Fault::Kind::broken_gzip)) {
        const auto middle = encoded.body.size() / 2;
        std::fill(encoded.body.begin() + static_cast<std::ptrdiff_t>(middle), encoded.body.end(), '\xff');
    }

    const auto head = std::back_inserter(encoded.head);
    fmt::format_to(head, "HTTP/1.1 {} {}\r\n", answer.status,
                   std::string_view{http::obsolete_reason(http::int_to_status(answer.status))});
    fmt::format_to(head, "Date: {}\r\n", http_date(answer.at + options.date_skew));
    fmt::format_to(head, "Content-Type: {}\r\n", answer.content_type);
    if (compress) {
        fmt::format_to(head, "Content-Encoding: gzip\r\n");
    }
    for (const auto& [name, value] : answer.headers) {
        fmt::format_to(head, "{}: {}\r\n", name, value);
    }
    if (answer.suffers(Fault::Kind::headers)) {
        for (const auto& [name, value] : answer.fault->headers) {
            fmt::format_to(head, "{}: {}\r\n", name, value);
        }
    }
    if (!request.keep_alive()) {
        fmt::format_to(head, "Connection: close\r\n");
    }
    if (options.chunked && large) {
        encoded.body = in_chunks(encoded.body);
        fmt::format_to(head, "Transfer-Encoding: chunked\r\n\r\n");
    } else {
        fmt::format_to(head, "Content-Length: {}\r\n\r\n", encoded.body.size());
    }
    return encoded;
}

}  // namespace heiasync::simulator
