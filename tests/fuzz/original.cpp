#include "documents/original.hpp"

#include "fuzz/property.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace heiasync::fuzz {

namespace {

std::string read_all(const documents::Original& original) {
    documents::OriginalReader reader{original};
    std::string text;
    for (auto piece = reader.read(); !piece.empty(); piece = reader.read()) {
        text += piece;
    }
    return text;
}

documents::Original written(std::string_view text, std::size_t piece_size) {
    documents::OriginalWriter writer;
    writer.write("what came before it was sent again");
    writer.restart();
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), piece_size))) {
        writer.write(text.substr(0, piece_size));
    }
    return writer.finish();
}

void check_document(std::string_view text, std::size_t piece_size) {
    const auto original = written(text, piece_size);
    std::array<unsigned char, 32> sha256{};
    EVP_Digest(text.data(), text.size(), sha256.data(), nullptr, EVP_sha256(), nullptr);
    require(original.size == text.size(), "the size of a document is its own");
    require(original.sha256 == sha256, "the digest of a document is its own");
    require(read_all(original) == text, "a document is read as it was written");
}

/// Pieces that somebody else may have written.
void check_pieces(std::string_view bytes, std::size_t piece_size) {
    documents::Original original;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), piece_size))) {
        original.pieces.emplace_back(bytes.substr(0, piece_size));
    }
    try {
        read_all(original);
    } catch (const std::runtime_error&) {
        return;
    }
    require(!original.pieces.empty(), "what is no zstd frame is damaged");
    original.pieces.back().pop_back();
    try {
        read_all(original);
    } catch (const std::runtime_error&) {
        return;
    }
    require(false, "what is cut short is damaged");
}

}  // namespace

/// The first byte says how large the pieces are.
void check(std::string_view input) {
    if (input.empty()) {
        return;
    }
    const std::size_t piece_size = static_cast<unsigned char>(input.front()) + std::size_t{1};
    input.remove_prefix(1);
    check_document(input, piece_size);
    check_pieces(input, piece_size);
}

}  // namespace heiasync::fuzz
