#include "documents/original.hpp"

#include "unit/documents/samples.hpp"

#include <gmock/gmock.h>

#include <iomanip>
#include <random>
#include <sstream>

namespace heiasync::documents {
namespace {

std::string text_of(const Original& original) {
    OriginalReader reader{original};
    std::string text;
    for (auto piece = reader.read(); !piece.empty(); piece = reader.read()) {
        text += piece;
    }
    return text;
}

std::string hex_of(const std::array<unsigned char, 32>& digest) {
    std::ostringstream stream;
    for (const unsigned byte : digest) {
        stream << std::hex << std::setw(2) << std::setfill('0') << byte;
    }
    return stream.str();
}

std::string noise(std::size_t size) {
    std::mt19937 random{1};
    std::string text(size, '\0');
    for (auto& c : text) {
        c = static_cast<char>(random());
    }
    return text;
}

TEST(Original, gives_back_the_exact_bytes) {
    for (const auto& text :
         {std::string{}, std::string{"a"}, samples::report(), std::string(300'000, '\0'), noise(300'000)}) {
        const auto original = samples::original_of(text);
        EXPECT_EQ(original.size, text.size());
        EXPECT_EQ(text_of(original), text);
    }
}

TEST(Original, hashes_the_uncompressed_bytes) {
    EXPECT_EQ(hex_of(samples::original_of("abc").sha256),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex_of(samples::original_of("").sha256),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Original, is_the_same_however_the_bytes_arrive) {
    const auto text = samples::report();
    OriginalWriter writer;
    for (const char c : text) {
        writer.write({&c, 1});
    }
    const auto original = writer.finish();
    EXPECT_EQ(original.sha256, samples::original_of(text).sha256);
    EXPECT_EQ(text_of(original), text);
}

TEST(Original, forgets_what_came_before_a_restart) {
    OriginalWriter writer;
    writer.write(noise(200'000));
    writer.restart();
    writer.write("second");
    const auto original = writer.finish();
    EXPECT_EQ(original.size, 6U);
    EXPECT_EQ(original.sha256, samples::original_of("second").sha256);
    EXPECT_EQ(text_of(original), "second");
    writer.restart();
    writer.write("third");
    EXPECT_EQ(text_of(writer.finish()), "third");
}

TEST(Original, is_cut_into_pieces_of_at_most_a_mebibyte) {
    const auto text = noise(3'000'000);
    const auto original = samples::original_of(text);
    ASSERT_EQ(original.pieces.size(), 3U);
    EXPECT_EQ(original.pieces[0].size(), Original::max_piece_size);
    EXPECT_EQ(original.pieces[1].size(), Original::max_piece_size);
    EXPECT_EQ(text_of(original), text);
}

TEST(Original, is_read_from_pieces_of_any_size) {
    auto original = samples::original_of(samples::report());
    std::vector<std::string> pieces{""};
    for (const char c : original.pieces.at(0)) {
        pieces.emplace_back(1, c);
        pieces.emplace_back();
    }
    original.pieces = std::move(pieces);
    EXPECT_EQ(text_of(original), samples::report());
}

TEST(Original, notices_that_it_was_cut_anywhere) {
    const auto whole = samples::original_of(samples::report());
    for (std::size_t length = 0; length < whole.pieces[0].size(); ++length) {
        auto cut = whole;
        cut.pieces[0].resize(length);
        EXPECT_THROW(text_of(cut), std::runtime_error) << length;
    }
    auto none = whole;
    none.pieces.clear();
    EXPECT_THROW(text_of(none), std::runtime_error);
}

TEST(Original, notices_that_it_was_changed_anywhere) {
    const auto whole = samples::original_of(samples::report());
    for (std::size_t at = 0; at < whole.pieces[0].size(); ++at) {
        auto changed = whole;
        changed.pieces[0][at] = static_cast<char>(changed.pieces[0][at] ^ 0x10);
        std::string text;
        try {
            text = text_of(changed);
        } catch (const std::runtime_error&) {
            continue;
        }
        EXPECT_EQ(text, samples::report()) << "silently different after a change at " << at;
    }
}

TEST(Original, notices_what_follows_its_end) {
    auto original = samples::original_of("{}");
    original.pieces.emplace_back("x");
    EXPECT_THROW(text_of(original), std::runtime_error);
    original.pieces = {samples::original_of("{}").pieces[0] + "x"};
    EXPECT_THROW(text_of(original), std::runtime_error);
}

TEST(Original, does_not_take_the_memory_that_a_frame_asks_for) {
    const auto frame_with_window = [](char size) {
        Original original;
        original.pieces = {{'\x28', '\xB5', '\x2F', '\xFD', '\0', size, '\1', '\0', '\0'}};
        return original;
    };
    EXPECT_EQ(text_of(frame_with_window('\x40')), "") << "256 KiB";
    EXPECT_THROW(text_of(frame_with_window('\x48')), std::runtime_error) << "512 KiB";
}

TEST(Original, is_verified_by_its_size_and_its_digest) {
    const auto whole = samples::original_of(samples::report());
    EXPECT_NO_THROW(verify(whole));
    EXPECT_NO_THROW(verify(samples::original_of("")));

    auto cut = whole;
    cut.pieces[0].pop_back();
    EXPECT_THROW(verify(cut), DamagedOriginal);
    auto other = whole;
    other.pieces = samples::original_of(std::string(whole.size, 'x')).pieces;
    EXPECT_THROW(verify(other), DamagedOriginal);
    for (const auto size : {whole.size - 1, whole.size + 1, std::uint64_t{0}}) {
        auto resized = whole;
        resized.size = size;
        EXPECT_THROW(verify(resized), DamagedOriginal) << size;
    }
}

}  // namespace
}  // namespace heiasync::documents
