#include "core/size.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

namespace heiasync::core {
namespace {

TEST(Size, reads_every_unit) {
    EXPECT_EQ(parse_size("0B"), 0U);
    EXPECT_EQ(parse_size("512B"), 512U);
    EXPECT_EQ(parse_size("64KiB"), 65'536U);
    EXPECT_EQ(parse_size("200MiB"), 209'715'200U);
    EXPECT_EQ(parse_size("1GiB"), 1'073'741'824U);
    EXPECT_EQ(parse_size("2TiB"), 2'199'023'255'552U);
}

TEST(Size, refuses_everything_else) {
    for (const std::string_view text : {"", "B", "1", "-1B", "1.5KiB", "1KB", "1kib", "1MB", " 1B", "1B ", "1 B",
                                        "9000000TiB", "99999999999999999999B"}) {
        EXPECT_THROW((void)parse_size(text), std::invalid_argument) << '"' << text << '"';
    }
}

TEST(Size, reads_back_what_it_prints) {
    EXPECT_EQ(format_size(0), "0B");
    EXPECT_EQ(format_size(1500), "1500B");
    EXPECT_EQ(format_size(200ULL << 20U), "200MiB");
    for (const std::uint64_t bytes : {1ULL, 1023ULL, 1024ULL, 1025ULL, 5ULL << 30U, 1ULL << 62U}) {
        EXPECT_EQ(parse_size(format_size(bytes)), bytes);
    }
}

}  // namespace
}  // namespace heiasync::core
