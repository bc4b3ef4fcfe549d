#include "commands/api_client.hpp"

#include "commands/commands.hpp"
#include "commands/schema.hpp"
#include "http/proxy.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace heiasync::commands {

http::ClientSettings client_settings(const config::Api& api) {
    http::ClientSettings settings;
    settings.connect_timeout = api.connect_timeout;
    settings.request_timeout = api.request_timeout;
    settings.min_request_interval = api.min_request_interval;
    settings.max_response_size = api.max_response_size;
    settings.retry.attempts = api.retry.attempts;
    settings.retry.base_delay = api.retry.base_delay;
    settings.retry.max_delay = api.retry.max_delay;
    settings.ca_file = api.ca_file;
    settings.proxy = api.proxy;
    settings.user_agent = fmt::format("heiasyncd/{}", version());
    return settings;
}

std::unique_ptr<http::Client> make_client(const config::Api& api, core::Clock& clock, http::ClientSettings settings) {
    const auto refuse = [](const std::string& what) { throw CommandError{core::ExitCode::configuration, what}; };
    http::Url base_url;
    try {
        base_url = http::parse_url(api.base_url);
    } catch (const std::invalid_argument& error) {
        refuse(fmt::format("api.base_url: {}", error.what()));
    }
    try {
        static_cast<void>(http::decide_proxy(base_url.origin, api.proxy, http::proxy_environment()));
    } catch (const std::invalid_argument& error) {
        refuse(fmt::format("{}: {}", api.proxy ? "api.proxy" : "https_proxy in the environment", error.what()));
    }
    try {
        return std::make_unique<http::Client>(clock, std::move(settings));
    } catch (const std::runtime_error& error) {
        refuse(fmt::format("api.{}", error.what()));
    }
    return nullptr;
}

heiaheia::AdminApiSettings api_settings(const config::Config& config, bool rehearsal) {
    heiaheia::AdminApiSettings settings;
    settings.base_url = config.api.base_url;
    settings.email = config.api.email;
    settings.client_id = config.api.client_id;
    settings.client_secret = config::read_secret(config.api.client_secret, config.file);
    settings.magic_token = config::read_secret(config.api.magic_token, config.file);
    settings.size_classes = config.api.size_classes;
    settings.per_page = config.api.per_page;
    settings.send_simulated_time = rehearsal;
    return settings;
}

}  // namespace heiasync::commands
