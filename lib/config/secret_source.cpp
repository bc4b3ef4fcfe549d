#include "config/config.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace heiasync::config {
namespace {

constexpr std::size_t longest_secret = 65'536;

[[noreturn]] void refuse(std::string message) {
    throw ConfigError{{std::move(message)}};
}

class Descriptor {
public:
    explicit Descriptor(const std::filesystem::path& file) : number_{::open(file.c_str(), O_RDONLY | O_CLOEXEC)} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    [[nodiscard]] int number() const { return number_; }

private:
    int number_;
};

/// Before it is opened: a FIFO would wait for its writer, and a device may do anything.
void refuse_irregular(const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
        refuse(fmt::format("{}: is no regular file; expected a file that holds the secret and nothing else",
                           file.string()));
    }
}

void refuse_world_readable(mode_t mode, const std::filesystem::path& file) {
    if ((mode & S_IROTH) != 0) {
        refuse(fmt::format("{0}: holds a secret and can be read by everybody; chmod o-r {0}", file.string()));
    }
}

std::string read_all(const Descriptor& descriptor, const std::filesystem::path& file) {
    std::string bytes(longest_secret + 1, '\0');
    std::size_t length = 0;
    while (length < bytes.size()) {
        const ssize_t count = ::read(descriptor.number(), bytes.data() + length, bytes.size() - length);
        if (count < 0 && errno != EINTR) {
            refuse(fmt::format("{}: cannot be read: {}", file.string(), std::generic_category().message(errno)));
        }
        if (count == 0) {
            break;
        }
        length += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    }
    bytes.resize(length);
    return bytes;
}

std::string read_file(const std::filesystem::path& file) {
    refuse_irregular(file);
    const Descriptor descriptor{file};
    struct stat status {};
    if (descriptor.number() < 0 || ::fstat(descriptor.number(), &status) != 0) {
        refuse(fmt::format("{}: cannot be opened: {}", file.string(), std::generic_category().message(errno)));
    }
    refuse_world_readable(status.st_mode, file);
    return read_all(descriptor, file);
}

/// What is sent in a request must be one line. `where` names the place it came from.
core::Secret checked(std::string text, const std::string& where) {
    if (text.ends_with('\n')) {
        text.pop_back();
        if (text.ends_with('\r')) {
            text.pop_back();
        }
    }
    core::Secret secret{std::move(text)};
    if (secret.empty()) {
        refuse(fmt::format("{}: is empty", where));
    }
    const auto is_control = [](char each) { return static_cast<unsigned char>(each) < 0x20 || each == 0x7f; };
    const std::string& value = secret.reveal();
    if (value.size() > longest_secret || std::any_of(value.begin(), value.end(), is_control)) {
        refuse(fmt::format(
            "{}: holds more than one line of text, or more than {} bytes; expected the secret and nothing else", where,
            longest_secret));
    }
    return secret;
}

std::string environment(const std::string& variable) {
    const char* const value = std::getenv(variable.c_str());  // NOLINT(concurrency-mt-unsafe): nothing here sets one
    return value == nullptr ? std::string{} : std::string{value};
}

core::Secret read_literal(const core::Secret& literal, const std::filesystem::path& config_file) {
    struct stat status {};
    if (::stat(config_file.c_str(), &status) == 0) {
        refuse_world_readable(status.st_mode, config_file);
    }
    return literal;
}

}  // namespace

core::Secret read_secret(const SecretSource& source, const std::filesystem::path& config_file) {
    if (source.literal) {
        return read_literal(*source.literal, config_file);
    }
    if (source.environment) {
        return checked(environment(*source.environment), fmt::format("environment variable {}", *source.environment));
    }
    if (source.file) {
        return checked(read_file(*source.file), source.file->string());
    }
    const std::string directory = environment("CREDENTIALS_DIRECTORY");
    if (directory.empty()) {
        refuse(fmt::format("{0}: api.{1} is missing; set api.{1}_file, or LoadCredential={1}:FILE in the systemd unit",
                           config_file.string(), source.name));
    }
    const std::filesystem::path file = std::filesystem::path{directory} / source.name;
    return checked(read_file(file), file.string());
}

}  // namespace heiasync::config
