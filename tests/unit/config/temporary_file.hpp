#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace heiasync::config {

/// A file in a folder of its own, both gone at the end.
class TemporaryFile {
public:
    explicit TemporaryFile(std::string_view text,
                           std::filesystem::perms permissions = std::filesystem::perms::owner_read |
                                                                std::filesystem::perms::owner_write) {
        std::string folder = testing::TempDir() + "heiasync-XXXXXX";
        folder_ = mkdtemp(folder.data());
        std::ofstream{path(), std::ios::binary} << text;
        std::filesystem::permissions(path(), permissions);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() { std::filesystem::remove_all(folder_); }

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path path() const { return folder_ / "magic_token"; }

private:
    std::filesystem::path folder_;
};

constexpr std::filesystem::perms readable_by_everybody =
    std::filesystem::perms::owner_all | std::filesystem::perms::group_read | std::filesystem::perms::others_read;

}  // namespace heiasync::config
