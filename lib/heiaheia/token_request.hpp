#pragma once

#include "core/secret.hpp"
#include "heiaheia/admin_api.hpp"

namespace heiasync::heiaheia {

/// What `POST /oauth/token` is given, as JSON.
core::Secret token_request_body(const AdminApiSettings& settings);

}  // namespace heiasync::heiaheia
