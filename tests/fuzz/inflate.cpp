#include "http/inflate.hpp"

#include "fuzz/property.hpp"
#include "http/failure.hpp"
#include "unit/http/compress.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace heiasync::fuzz {

namespace {

using http::testing::compress;
using http::testing::Wrapping;
using Coding = http::Inflater::Coding;

/// As the client does it with what it reads; nothing where the body is broken.
std::optional<std::string> inflated(http::Inflater& inflater, Coding coding, std::string_view bytes,
                                    std::size_t piece_size) {
    std::string result;
    inflater.start(coding);
    try {
        while (!bytes.empty()) {
            auto piece = bytes.substr(0, piece_size);
            bytes.remove_prefix(piece.size());
            for (bool more = true; more;) {
                const auto [consumed, output] = inflater.step(piece);
                piece.remove_prefix(consumed);
                result += output;
                more = !output.empty() || (consumed != 0 && !piece.empty());
            }
            require(piece.empty(), "all of a body is taken");
        }
        inflater.finish();
        return result;
    } catch (const http::Failure&) {
        return std::nullopt;
    }
}

}  // namespace

/// The first byte says how large the pieces are.
void check(std::string_view input) {
    if (input.empty()) {
        return;
    }
    const std::size_t piece_size = static_cast<unsigned char>(input.front()) + std::size_t{1};
    input.remove_prefix(1);
    http::Inflater inflater;
    for (const auto coding : {Coding::gzip, Coding::deflate}) {
        const auto whole = inflated(inflater, coding, input, input.size());
        require(inflated(inflater, coding, input, piece_size) == whole, "the pieces of a body make no difference");
    }
    const std::string text{input};
    const auto gzip = compress(text, Wrapping::gzip);
    require(inflated(inflater, Coding::gzip, gzip, piece_size) == text, "gzip is undone");
    require(inflated(inflater, Coding::gzip, gzip + gzip, piece_size) == text + text, "gzip has several members");
    require(!inflated(inflater, Coding::gzip, gzip.substr(0, gzip.size() - 1), piece_size), "what is cut is broken");
    require(inflated(inflater, Coding::deflate, compress(text, Wrapping::zlib), piece_size) == text, "zlib is undone");
    require(inflated(inflater, Coding::deflate, compress(text, Wrapping::none), piece_size) == text,
            "deflate is undone");
}

}  // namespace heiasync::fuzz
