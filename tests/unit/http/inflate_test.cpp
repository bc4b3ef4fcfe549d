#include "http/inflate.hpp"

#include "http/failure.hpp"
#include "unit/http/compress.hpp"

#include <gtest/gtest.h>

namespace heiasync::http {
namespace {

using testing::compress;
using testing::Wrapping;
using Coding = Inflater::Coding;

std::string inflated(Inflater& inflater, Coding coding, std::string_view bytes, std::size_t piece) {
    std::string result;
    inflater.start(coding);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        std::string_view input = bytes.substr(at, piece);
        for (;;) {
            const auto [consumed, output] = inflater.step(input);
            input.remove_prefix(consumed);
            result += output;
            if (output.empty() && (input.empty() || consumed == 0)) {
                EXPECT_TRUE(input.empty());
                break;
            }
        }
    }
    inflater.finish();
    return result;
}

std::string long_text() {
    std::string text;
    for (int i = 0; i < 50'000; ++i) {
        text += std::to_string(i * 7919);
    }
    return text;
}

TEST(Inflater, UndoesEachCodingInPiecesOfAnySize) {
    Inflater inflater;
    const std::string text = long_text();
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, text.size()}) {
        EXPECT_EQ(inflated(inflater, Coding::gzip, compress(text, Wrapping::gzip), piece), text);
        EXPECT_EQ(inflated(inflater, Coding::deflate, compress(text, Wrapping::zlib), piece), text);
        EXPECT_EQ(inflated(inflater, Coding::deflate, compress(text, Wrapping::none), piece), text);
    }
}

TEST(Inflater, TakesSeveralMembersAndNone) {
    Inflater inflater;
    const std::string two = compress("one", Wrapping::gzip) + compress("two", Wrapping::gzip);
    EXPECT_EQ(inflated(inflater, Coding::gzip, two, 1), "onetwo");
    EXPECT_EQ(inflated(inflater, Coding::gzip, two, two.size()), "onetwo");
    EXPECT_EQ(inflated(inflater, Coding::gzip, "", 1), "");
    EXPECT_EQ(inflated(inflater, Coding::gzip, compress("", Wrapping::gzip), 1), "");
}

TEST(Inflater, RefusesEveryCutAndGoesOn) {
    Inflater inflater;
    const std::string whole = compress("a text that is compressed", Wrapping::gzip);
    for (std::size_t size = 1; size < whole.size(); ++size) {
        EXPECT_THROW(inflated(inflater, Coding::gzip, whole.substr(0, size), 5), Failure) << size;
    }
    EXPECT_EQ(inflated(inflater, Coding::gzip, whole, 5), "a text that is compressed");
}

TEST(Inflater, GivesWhatCameBeforeAFaultInPiecesOfAnySize) {
    const auto until_fault = [](const std::string& bytes, std::size_t piece) {
        Inflater inflater;
        inflater.start(Coding::deflate);
        std::string result;
        try {
            for (std::size_t at = 0; at < bytes.size(); at += piece) {
                std::string_view input = std::string_view{bytes}.substr(at, piece);
                while (!input.empty()) {
                    const auto [consumed, output] = inflater.step(input);
                    input.remove_prefix(consumed);
                    result += output;
                }
            }
            inflater.finish();
            ADD_FAILURE() << "no fault was seen";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.kind(), TransportError::Kind::protocol);
        }
        return result;
    };
    // A stored block of five bytes, and one of a kind that there is not.
    using namespace std::string_literals;
    const std::string bytes = "\x00\x05\x00\xfa\xffhello\x07"s;
    EXPECT_EQ(until_fault(bytes, bytes.size()), "hello");
    for (const std::size_t piece : {1U, 3U, 7U}) {
        EXPECT_EQ(until_fault(bytes, piece), "hello");
    }
}

TEST(Inflater, RefusesWhatIsBroken) {
    Inflater inflater;
    const std::string whole = compress(long_text(), Wrapping::gzip);
    std::string flipped = whole;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x40);
    EXPECT_THROW(inflated(inflater, Coding::gzip, flipped, 4096), Failure);
    EXPECT_THROW(inflated(inflater, Coding::gzip, "not compressed at all", 4096), Failure);
    EXPECT_THROW(inflated(inflater, Coding::gzip, whole + "garbage", 4096), Failure);
    EXPECT_THROW(inflated(inflater, Coding::deflate, compress("x", Wrapping::zlib) + "garbage", 4096), Failure);
}

}  // namespace
}  // namespace heiasync::http
