#pragma once

#include "core/bytes.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::documents {

/// The exact bytes of a document, as they came out of transfer and content coding, or what was left of them: one zstd
/// frame with a checksum, cut into pieces.
struct Original {
    static constexpr std::string_view coding = "zstd";
    static constexpr std::size_t max_piece_size = 1U << 20U;

    std::vector<std::string> pieces;         ///< each of at most max_piece_size compressed bytes
    std::uint64_t size = 0;                  ///< of the document, uncompressed
    std::array<unsigned char, 32> sha256{};  ///< of the document, uncompressed
    bool exact = true;                       ///< false: something was taken out of it
};

/// Compresses and hashes a document while it arrives, so that it never stands in memory as text.
class OriginalWriter final : public core::ByteSink {
public:
    OriginalWriter();
    ~OriginalWriter() override;

    void restart() override;
    void write(std::string_view bytes) override;
    /// Ends the stream and hands the document over. Call once; restart() makes the writer usable again.
    [[nodiscard]] Original finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The kept bytes of a document are not what they were. Says what is wrong, and nothing of the bytes.
class DamagedOriginal : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Gives the bytes of a document back. The original must outlive the reader. read() throws DamagedOriginal where the
/// pieces are no complete zstd frame.
class OriginalReader final : public core::ByteSource {
public:
    explicit OriginalReader(const Original& original);
    ~OriginalReader() override;

    std::string_view read() override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Reads the document through. Throws DamagedOriginal where it has not the size and the SHA-256 that it came with.
void verify(const Original& original);

}  // namespace heiasync::documents
