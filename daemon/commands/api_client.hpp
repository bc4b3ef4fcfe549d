#pragma once

#include "config/config.hpp"
#include "core/clock.hpp"
#include "heiaheia/admin_api.hpp"
#include "http/client.hpp"

#include <memory>

namespace heiasync::commands {

/// What the configuration says about requests; without `on_attempt`.
http::ClientSettings client_settings(const config::Api& api);

/// Throws CommandError (78), naming the setting, where a client cannot be made of the settings and the environment.
std::unique_ptr<http::Client> make_client(const config::Api& api, core::Clock& clock, http::ClientSettings settings);

/// Opens the secrets. Throws ConfigError.
heiaheia::AdminApiSettings api_settings(const config::Config& config, bool rehearsal);

}  // namespace heiasync::commands
