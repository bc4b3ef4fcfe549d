#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>

namespace heiasync::http::testing {

enum class Wrapping { gzip, zlib, none };

inline std::string compress(std::string text, Wrapping wrapping = Wrapping::gzip) {
    const int window = wrapping == Wrapping::gzip   ? MAX_WBITS + 16
                       : wrapping == Wrapping::zlib ? MAX_WBITS
                                                    : -MAX_WBITS;
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::runtime_error{"zlib failed"};
    }
    std::string result(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(text.data());
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    deflate(&stream, Z_FINISH);
    result.resize(stream.total_out);
    deflateEnd(&stream);
    return result;
}

}  // namespace heiasync::http::testing
