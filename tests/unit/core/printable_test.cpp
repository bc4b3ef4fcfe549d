#include "core/printable.hpp"

#include <gtest/gtest.h>

namespace heiasync::core {
namespace {

TEST(Printable, IsOneLineWithoutWhatATerminalWouldObey) {
    EXPECT_EQ(printable("1234567-8"), "1234567-8");
    EXPECT_EQ(printable("x\x1b[31m\nerror FAKE\t\x7f\xc3\xa4"), "x?[31m?error FAKE????");
    EXPECT_EQ(printable(std::string(1000, 'a')), std::string(100, 'a'));
    EXPECT_EQ(printable("a long line", 6), "a long");
}

}  // namespace
}  // namespace heiasync::core
