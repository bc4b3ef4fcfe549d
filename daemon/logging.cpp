#include "logging.hpp"

#include "core/instant.hpp"
#include "documents/utf8.hpp"

#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

namespace heiasync {

namespace {

std::string_view level_name(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::debug:
            return "debug";
        case spdlog::level::info:
            return "info";
        case spdlog::level::warn:
            return "warning";
        default:
            return "error";
    }
}

std::string time_of(const spdlog::details::log_msg& message) {
    return core::format_instant(std::chrono::time_point_cast<std::chrono::milliseconds>(message.time));
}

std::string_view journal_prefix(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::debug:
            return SD_DEBUG;
        case spdlog::level::info:
            return SD_INFO;
        case spdlog::level::warn:
            return SD_WARNING;
        default:
            return SD_ERR;
    }
}

bool stderr_is_journal() {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    struct stat file {};
    return stream != nullptr && ::fstat(STDERR_FILENO, &file) == 0 &&
           fmt::format("{}:{}", file.st_dev, file.st_ino) == stream;
}

/// Lines that each end in a line break.
std::string for_journal(std::string_view lines, spdlog::level::level_enum level) {
    std::string text;
    while (!lines.empty()) {
        const std::size_t length = std::min(lines.find('\n'), lines.size() - 1) + 1;
        text += journal_prefix(level);
        text += lines.substr(0, length);
        lines.remove_prefix(length);
    }
    return text;
}

void append(spdlog::memory_buf_t& line, std::string_view text) {
    line.append(text.data(), text.data() + text.size());
}

class TextFormatter final : public spdlog::formatter {
public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
        append(line, time_of(message));
        append(line, " ");
        append(line, level_name(message.level));
        append(line, " ");
        append(line, {message.payload.data(), message.payload.size()});
        append(line, "\n");
    }
    [[nodiscard]] std::unique_ptr<formatter> clone() const override { return std::make_unique<TextFormatter>(); }
};

class JsonFormatter final : public spdlog::formatter {
public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
        rapidjson::StringBuffer text;
        rapidjson::Writer<rapidjson::StringBuffer> writer{text};
        const auto member = [&writer](const char* name, std::string_view value) {
            writer.Key(name);
            writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
        };
        writer.StartObject();
        member("time", time_of(message));
        member("level", level_name(message.level));
        member("message", documents::as_utf8({message.payload.data(), message.payload.size()}));
        writer.EndObject();
        append(line, {text.GetString(), text.GetSize()});
        append(line, "\n");
    }
    [[nodiscard]] std::unique_ptr<formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

/// The message alone: the journal keeps time and level beside it.
class MessageFormatter final : public spdlog::formatter {
public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
        append(line, {message.payload.data(), message.payload.size()});
        append(line, "\n");
    }
    [[nodiscard]] std::unique_ptr<formatter> clone() const override { return std::make_unique<MessageFormatter>(); }
};

/// What another one writes, each line of it behind its level as the journal reads it.
class JournalFormatter final : public spdlog::formatter {
public:
    explicit JournalFormatter(std::unique_ptr<formatter> lines) : lines_{std::move(lines)} {}

    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
        spdlog::memory_buf_t lines;
        lines_->format(message, lines);
        append(line, for_journal({lines.data(), lines.size()}, message.level));
    }
    [[nodiscard]] std::unique_ptr<formatter> clone() const override {
        return std::make_unique<JournalFormatter>(lines_->clone());
    }

private:
    std::unique_ptr<formatter> lines_;
};

std::unique_ptr<spdlog::formatter> formatter_of(config::LogFormat format) {
    const bool to_journal = stderr_is_journal();
    std::unique_ptr<spdlog::formatter> lines;
    if (format == config::LogFormat::json) {
        lines = std::make_unique<JsonFormatter>();
    } else if (to_journal) {
        lines = std::make_unique<MessageFormatter>();
    } else {
        lines = std::make_unique<TextFormatter>();
    }
    return to_journal ? std::make_unique<JournalFormatter>(std::move(lines)) : std::move(lines);
}

spdlog::level::level_enum threshold(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::debug:
            return spdlog::level::debug;
        case config::LogLevel::info:
            return spdlog::level::info;
        case config::LogLevel::warning:
            return spdlog::level::warn;
        case config::LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(const config::Log& settings, bool quiet) {
    auto logger = std::make_shared<spdlog::logger>("heiasyncd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    reconfigure(*logger, settings, quiet);
    logger->flush_on(spdlog::level::debug);
    return logger;
}

void complain(const std::string& lines) {
    const std::string text = lines + '\n';
    std::cerr << (stderr_is_journal() ? for_journal(text, spdlog::level::err) : text);
}

void reconfigure(spdlog::logger& logger, const config::Log& settings, bool quiet) {
    logger.set_formatter(formatter_of(settings.format));
    logger.set_level(quiet ? std::max(spdlog::level::warn, threshold(settings.level)) : threshold(settings.level));
}

}  // namespace heiasync
