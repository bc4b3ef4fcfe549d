#pragma once

#include "core/bytes.hpp"
#include "http/client.hpp"
#include "http/inflate.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace heiasync::http {

inline constexpr std::size_t max_header_size = std::size_t{32} << 10U;
inline constexpr std::size_t max_failure_body = std::size_t{64} << 10U;
/// What is read of the body of a failure so that the connection can be used again.
inline constexpr std::uint64_t max_drained_body = std::uint64_t{256} << 10U;

/// Makes a Response of the bytes of one HTTP/1 answer: undoes chunks and content codings, sends the body of a success
/// to the sink as it comes, keeps that of a failure, and passes over informational answers. No I/O.
class ResponseReader {
public:
    enum class Expect {
        answer,
        tunnel  ///< of CONNECT: a success has no body
    };

    /// Throws Failure (too_large) from feed() where a success is longer than `max_size`, on the wire or decoded. What
    /// is read of bodies on the wire is added to `wire_bytes`.
    ResponseReader(Expect expect, Inflater& inflater, core::ByteSink& body, std::uint64_t max_size,
                   std::uint64_t& wire_bytes);
    ResponseReader(const ResponseReader&) = delete;
    ResponseReader& operator=(const ResponseReader&) = delete;
    ~ResponseReader();

    /// Reads from the front of `bytes` and returns how many were used; offer the rest again with more behind it. Throws
    /// Failure, and what the sink throws.
    [[nodiscard]] std::size_t feed(std::string_view bytes);

    /// The server will send no more. Throws Failure (broken) where that cuts the answer short.
    void end_of_input();

    [[nodiscard]] bool started() const;   ///< a byte of an answer was seen
    [[nodiscard]] bool complete() const;  ///< nothing more is to be read, and response() is whole
    [[nodiscard]] bool keep_alive() const;
    [[nodiscard]] Response& response();

private:
    class Parser;
    std::unique_ptr<Parser> parser_;
};

}  // namespace heiasync::http
