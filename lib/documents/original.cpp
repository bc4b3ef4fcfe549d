#include "documents/original.hpp"

#define ZLIB_CONST
#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

namespace heiasync::documents {

namespace {

constexpr std::size_t buffer_size = 64U << 10U;

/// zlib takes at most this much at once.
constexpr std::size_t max_input = 1U << 30U;

/// Measured on documents of 40 kB: level 1 takes 0.3 of the time of level 6 and makes them a quarter larger; level 4
/// takes half of it for a twelfth. What is kept is kept for ever, and a document comes once.
constexpr int compression_level = 6;

void set_input(z_stream& stream, std::string_view bytes) {
    stream.next_in = reinterpret_cast<const Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
}

void set_output(z_stream& stream, std::string& buffer) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
}

/// The SHA-256 of what it is given.
class Hash {
public:
    Hash() : context_{EVP_MD_CTX_new()} { restart(); }

    void restart() { require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr)); }
    void update(std::string_view bytes) { require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size())); }

    std::array<unsigned char, 32> finish() {
        std::array<unsigned char, 32> digest{};
        require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
        return digest;
    }

private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };

    static void require(int succeeded) {
        if (succeeded != 1) {
            throw std::runtime_error{"OpenSSL has no SHA-256"};
        }
    }

    std::unique_ptr<EVP_MD_CTX, Free> context_;
};

class Deflater {
public:
    Deflater() {
        if (deflateInit(&stream_, compression_level) != Z_OK) {
            throw std::bad_alloc{};
        }
    }
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;
    ~Deflater() { deflateEnd(&stream_); }

    void restart() { deflateReset(&stream_); }

    /// Compresses, and hands on what came out; with Z_FINISH to the end of the stream.
    template <class TakeOutput>
    void run(std::string_view bytes, int flush, TakeOutput take_output) {
        set_input(stream_, bytes);
        do {
            set_output(stream_, buffer_);
            deflate(&stream_, flush);
            take_output(std::string_view{buffer_}.substr(0, buffer_.size() - stream_.avail_out));
        } while (stream_.avail_out == 0);
    }

private:
    z_stream stream_{};
    std::string buffer_ = std::string(buffer_size, '\0');
};

class Inflater {
public:
    Inflater() {
        if (inflateInit(&stream_) != Z_OK) {
            throw std::bad_alloc{};
        }
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { inflateEnd(&stream_); }

    [[nodiscard]] bool needs_input() const { return stream_.avail_in == 0; }
    [[nodiscard]] bool ended() const { return ended_; }
    void input(std::string_view bytes) { set_input(stream_, bytes); }

    /// What the input at hand gives, up to a buffer of it.
    std::string_view run() {
        set_output(stream_, buffer_);
        const int result = inflate(&stream_, Z_NO_FLUSH);
        ended_ = result == Z_STREAM_END;
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            throw std::runtime_error{"a stored document is damaged"};
        }
        return std::string_view{buffer_}.substr(0, buffer_.size() - stream_.avail_out);
    }

private:
    z_stream stream_{};
    std::string buffer_ = std::string(buffer_size, '\0');
    bool ended_ = false;
};

}  // namespace

struct OriginalWriter::State {
    Original original;
    Hash hash;
    Deflater deflater;

    void compress(std::string_view bytes, int flush) {
        deflater.run(bytes, flush, [this](std::string_view compressed) { keep(compressed); });
    }

    void keep(std::string_view compressed) {
        auto& pieces = original.pieces;
        while (!compressed.empty()) {
            if (pieces.empty() || pieces.back().size() == Original::max_piece_size) {
                pieces.emplace_back();
            }
            const auto taken = compressed.substr(0, Original::max_piece_size - pieces.back().size());
            pieces.back() += taken;
            compressed.remove_prefix(taken.size());
        }
    }
};

OriginalWriter::OriginalWriter() : state_{std::make_unique<State>()} {}

OriginalWriter::~OriginalWriter() = default;

void OriginalWriter::restart() {
    state_->original = {};
    state_->hash.restart();
    state_->deflater.restart();
}

void OriginalWriter::write(std::string_view bytes) {
    state_->hash.update(bytes);
    state_->original.size += bytes.size();
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), max_input))) {
        state_->compress(bytes.substr(0, max_input), Z_NO_FLUSH);
    }
}

Original OriginalWriter::finish() {
    state_->compress({}, Z_FINISH);
    state_->original.sha256 = state_->hash.finish();
    return std::exchange(state_->original, {});
}

struct OriginalReader::State {
    explicit State(const Original& document) : original{document} {}

    /// Hands the next piece over where the one before is used up.
    bool has_input() {
        while (inflater.needs_input() && next_piece < original.pieces.size()) {
            inflater.input(original.pieces[next_piece++]);
        }
        return !inflater.needs_input();
    }

    const Original& original;
    std::size_t next_piece = 0;
    Inflater inflater;
};

OriginalReader::OriginalReader(const Original& original) : state_{std::make_unique<State>(original)} {}

OriginalReader::~OriginalReader() = default;

std::string_view OriginalReader::read() {
    auto& inflater = state_->inflater;
    while (!inflater.ended()) {
        const bool has_input = state_->has_input();
        if (const auto bytes = inflater.run(); !bytes.empty()) {
            return bytes;
        }
        if (!has_input && !inflater.ended()) {
            throw std::runtime_error{"a stored document is cut short"};
        }
    }
    if (state_->has_input()) {
        throw std::runtime_error{"something follows the end of a stored document"};
    }
    return {};
}

}  // namespace heiasync::documents
