#include "http/inflate.hpp"

#include "http/failure.hpp"

#define ZLIB_CONST  // next_in points to const
#include <zlib.h>

#include <array>
#include <limits>
#include <new>

namespace heiasync::http {
namespace {

constexpr std::size_t output_size = std::size_t{64} << 10U;
constexpr int window_zlib = MAX_WBITS;
constexpr int window_gzip = MAX_WBITS + 16;
constexpr int window_raw = -MAX_WBITS;

[[noreturn]] void fail(const char* what) {
    throw Failure{TransportError::Kind::protocol, what};
}

}  // namespace

struct Inflater::State {
    z_stream stream{};
    std::array<char, output_size> output{};
    Coding coding = Coding::gzip;
    bool started = false;  // a byte of the body was seen
    bool ended = false;    // the coding's end was reached
    bool broken = false;   // what came before the fault was given out, and is all that there is
};

Inflater::Inflater() : state_{std::make_unique<State>()} {
    if (inflateInit2(&state_->stream, window_gzip) != Z_OK) {
        throw std::bad_alloc{};
    }
}

Inflater::~Inflater() {
    inflateEnd(&state_->stream);
}

void Inflater::start(Coding coding) {
    state_->coding = coding;
    state_->started = false;
    state_->ended = false;
    state_->broken = false;
}

Inflater::Step Inflater::step(std::string_view input) {
    State& state = *state_;
    if (!state.started || (state.ended && !input.empty())) {
        if (input.empty()) {
            return {};
        }
        if (state.ended && state.coding == Coding::deflate) {
            fail("the compressed body goes on after its end");
        }
        // A gzip body may be several members in a row. CM of a zlib header is 8; no deflate stream without one begins
        // so, unless it sets padding bits.
        const bool wrapped = (static_cast<unsigned char>(input.front()) & 0x0fU) == Z_DEFLATED;
        const int window = state.coding == Coding::gzip ? window_gzip : wrapped ? window_zlib : window_raw;
        if (inflateReset2(&state.stream, window) != Z_OK) {
            fail("the compressed body is broken");
        }
        state.started = true;
        state.ended = false;
    }
    if (state.broken) {
        fail("the compressed body is broken");
    }
    if (state.ended) {
        return {};
    }
    const std::size_t taken = std::min<std::size_t>(input.size(), std::numeric_limits<uInt>::max());
    state.stream.next_in = reinterpret_cast<const Bytef*>(input.data());
    state.stream.avail_in = static_cast<uInt>(taken);
    state.stream.next_out = reinterpret_cast<Bytef*>(state.output.data());
    state.stream.avail_out = static_cast<uInt>(state.output.size());
    const int result = inflate(&state.stream, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR) {
        throw std::bad_alloc{};
    }
    const std::size_t written = state.output.size() - state.stream.avail_out;
    // Z_BUF_ERROR: there was nothing to do, which the caller sees by the empty step.
    state.broken = result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR;
    // How much is known of a broken body must not depend on how it came in pieces.
    if (state.broken && written == 0) {
        fail("the compressed body is broken");
    }
    state.ended = result == Z_STREAM_END;
    return {taken - state.stream.avail_in, {state.output.data(), written}};
}

void Inflater::finish() const {
    if (state_->broken) {
        fail("the compressed body is broken");
    }
    if (state_->started && !state_->ended) {
        throw Failure{TransportError::Kind::broken, "the compressed body is cut short"};
    }
}

}  // namespace heiasync::http
