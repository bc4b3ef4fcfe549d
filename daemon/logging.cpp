#include "logging.hpp"

#include "core/instant.hpp"
#include "documents/utf8.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <string>

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

void reconfigure(spdlog::logger& logger, const config::Log& settings, bool quiet) {
    if (settings.format == config::LogFormat::json) {
        logger.set_formatter(std::make_unique<JsonFormatter>());
    } else {
        logger.set_formatter(std::make_unique<TextFormatter>());
    }
    logger.set_level(quiet ? std::max(spdlog::level::warn, threshold(settings.level)) : threshold(settings.level));
}

}  // namespace heiasync
