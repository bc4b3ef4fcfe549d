#include "config/config.hpp"
#include "unit/config/temporary_file.hpp"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

namespace heiasync::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::ThrowsMessage;

constexpr const char* variable = "HEIASYNC_TEST_SECRET";

/// Sets an environment variable and puts back what it was.
class Variable {
public:
    Variable(std::string name, const char* value) : name_{std::move(name)} {
        if (const char* const before = std::getenv(name_.c_str()); before != nullptr) {
            before_ = before;
        }
        set(value);
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { set(before_ ? before_->c_str() : nullptr); }

private:
    void set(const char* value) {
        if (value == nullptr) {
            unsetenv(name_.c_str());
        } else {
            setenv(name_.c_str(), value, 1);
        }
    }
    std::string name_;
    std::optional<std::string> before_;
};

SecretSource source() {
    return SecretSource{"magic_token"};
}

std::string read_file(const std::filesystem::path& file) {
    SecretSource secret = source();
    secret.file = file;
    return read_secret(secret, "c.yaml").reveal();
}

std::string read_variable() {
    SecretSource secret = source();
    secret.environment = variable;
    return read_secret(secret, "c.yaml").reveal();
}

TEST(ReadSecret, takes_a_file_without_its_last_line_break) {
    for (const char* text : {"hunter2", "hunter2\n", "hunter2\r\n"}) {
        EXPECT_EQ(read_file(TemporaryFile{text}.path()), "hunter2");
    }
    EXPECT_EQ(read_file(TemporaryFile{" hunter 2 \n"}.path()), " hunter 2 ");
}

TEST(ReadSecret, takes_the_environment) {
    const Variable set{variable, "hunter2"};
    EXPECT_EQ(read_variable(), "hunter2");
}

TEST(ReadSecret, takes_the_credential_of_systemd_where_nothing_is_configured) {
    const TemporaryFile file{"hunter2\n"};
    const Variable set{"CREDENTIALS_DIRECTORY", file.folder().c_str()};
    EXPECT_EQ(read_secret(source(), "c.yaml").reveal(), "hunter2");
}

TEST(ReadSecret, takes_what_is_configured_though_there_is_a_credential) {
    const TemporaryFile credential{"credential"};
    const TemporaryFile file{"file"};
    const Variable set{"CREDENTIALS_DIRECTORY", credential.folder().c_str()};
    EXPECT_EQ(read_file(file.path()), "file");
}

TEST(ReadSecret, takes_a_literal_from_a_file_that_not_everybody_can_read) {
    SecretSource secret = source();
    secret.literal = core::Secret{"hunter2"};
    EXPECT_EQ(read_secret(secret, TemporaryFile{""}.path()).reveal(), "hunter2");
    const TemporaryFile readable{"", readable_by_everybody};
    EXPECT_THROW((void)read_secret(secret, readable.path()), ConfigError);
}

TEST(ReadSecret, refuses_a_file_that_everybody_can_read) {
    const TemporaryFile file{"hunter2", readable_by_everybody};
    EXPECT_THAT(
        [&] { (void)read_file(file.path()); },
        ThrowsMessage<ConfigError>(AllOf(HasSubstr("chmod o-r " + file.path().string()), Not(HasSubstr("hunter2")))));
}

TEST(ReadSecret, refuses_what_is_not_one_line_without_showing_it) {
    for (const std::string& text :
         {std::string{"hunter2\nhunter3\n"}, std::string{"hunter2\n\n"}, std::string{"hun\tter2"},
          std::string{"hunter2\0", 8}, "hunter2" + std::string(70'000, 'x')}) {
        const TemporaryFile file{text};
        EXPECT_THAT([&] { (void)read_file(file.path()); },
                    ThrowsMessage<ConfigError>(AllOf(HasSubstr("more than one line"), Not(HasSubstr("hun")))));
    }
}

TEST(ReadSecret, refuses_what_is_empty) {
    for (const char* text : {"", "\n", "\r\n"}) {
        const TemporaryFile file{text};
        EXPECT_THAT([&] { (void)read_file(file.path()); },
                    ThrowsMessage<ConfigError>(file.path().string() + ": is empty"));
    }
    const Variable unset{variable, nullptr};
    EXPECT_THAT([] { (void)read_variable(); },
                ThrowsMessage<ConfigError>("environment variable HEIASYNC_TEST_SECRET: is empty"));
}

TEST(ReadSecret, refuses_a_file_that_is_not_there) {
    EXPECT_THAT([] { (void)read_file("/nonexistent/token"); },
                ThrowsMessage<ConfigError>("/nonexistent/token: cannot be opened: No such file or directory"));
}

TEST(ReadSecret, refuses_what_is_no_regular_file_without_opening_it) {
    const TemporaryFile file{""};
    const std::filesystem::path pipe = file.folder() / "opening-this-never-returns";
    ASSERT_EQ(mkfifo(pipe.c_str(), S_IRUSR | S_IWUSR), 0);
    const std::filesystem::path link = file.folder() / "link-to-it";
    std::filesystem::create_symlink(pipe, link);
    for (const std::filesystem::path& irregular : {file.folder(), pipe, link, std::filesystem::path{"/dev/null"}}) {
        EXPECT_THAT([&] { (void)read_file(irregular); },
                    ThrowsMessage<ConfigError>(StartsWith(irregular.string() + ": is no regular file; expected")));
    }
}

TEST(ReadSecret, follows_a_link_to_a_file) {
    const TemporaryFile file{"hunter2"};
    const std::filesystem::path link = file.folder() / "link";
    std::filesystem::create_symlink(file.path(), link);
    EXPECT_EQ(read_file(link), "hunter2");
}

TEST(ReadSecret, says_where_one_can_be_put_where_there_is_none) {
    const Variable unset{"CREDENTIALS_DIRECTORY", nullptr};
    EXPECT_THAT([] { (void)read_secret(source(), "c.yaml"); },
                ThrowsMessage<ConfigError>(AllOf(HasSubstr("c.yaml: "), HasSubstr("api.magic_token_file"),
                                                 HasSubstr("LoadCredential=magic_token:"))));
}

}  // namespace
}  // namespace heiasync::config
