#include "core/secret.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <sstream>

namespace heiasync::core {
namespace {

TEST(Secret, never_prints_what_it_holds) {
    const Secret secret{"hunter2"};
    std::ostringstream stream;
    stream << secret;
    EXPECT_EQ(stream.str(), "***");
    EXPECT_EQ(fmt::format("{}", secret), "***");
    EXPECT_EQ(fmt::format("[{:>5}]", secret), "[  ***]");
    EXPECT_EQ(testing::PrintToString(secret), "***");
}

TEST(Secret, reveals_what_it_was_given) {
    EXPECT_EQ(Secret{"hunter2"}.reveal(), "hunter2");
    EXPECT_TRUE(Secret{}.empty());
    EXPECT_EQ(Secret{"a"}, Secret{"a"});
    EXPECT_FALSE(Secret{"a"} == Secret{"b"});
}

TEST(Secret, copies_and_moves_as_a_value) {
    const std::string long_text(100, 'x');
    for (const std::string& text : {std::string{"short"}, long_text}) {
        const Secret original{text};
        Secret copy{original};
        EXPECT_EQ(copy, original);
        Secret moved{std::move(copy)};
        EXPECT_EQ(moved, original);
        Secret assigned{"something else, longer than a short string can be"};
        assigned = original;
        EXPECT_EQ(assigned, original);
        assigned = std::move(moved);
        EXPECT_EQ(assigned, original);
        const Secret& same = assigned;
        assigned = same;
        EXPECT_EQ(assigned, original);
    }
}

// A short string lives inside the object, so the storage can be looked at after the object has gone.
class Storage {
public:
    [[nodiscard]] void* place() { return bytes_.data(); }
    [[nodiscard]] bool holds(std::string_view text) const {
        return memmem(bytes_.data(), bytes_.size(), text.data(), text.size()) != nullptr;
    }

private:
    alignas(Secret) std::array<char, sizeof(Secret)> bytes_{};
};

TEST(Secret, leaves_nothing_in_memory_when_it_goes) {
    Storage storage;
    auto* const secret = new (storage.place()) Secret{"hunter2hunter2"};
    ASSERT_TRUE(storage.holds("hunter2"));
    std::destroy_at(secret);
    EXPECT_FALSE(storage.holds("unter2"));
}

TEST(Secret, leaves_nothing_behind_when_it_is_moved) {
    Storage storage;
    auto* const secret = new (storage.place()) Secret{"hunter2hunter2"};
    const Secret taken{std::move(*secret)};
    EXPECT_FALSE(storage.holds("unter2"));
    EXPECT_EQ(taken.reveal(), "hunter2hunter2");
    std::destroy_at(secret);
}

TEST(Secret, leaves_nothing_behind_when_it_is_replaced_by_a_shorter_one) {
    Storage storage;
    auto* const secret = new (storage.place()) Secret{"hunter2hunter2"};
    *secret = Secret{"x"};
    EXPECT_FALSE(storage.holds("unter2"));
    std::destroy_at(secret);
}

}  // namespace
}  // namespace heiasync::core
