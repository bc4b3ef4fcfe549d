#include "heiaheia/token_request.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string>

namespace heiasync::heiaheia {

core::Secret token_request_body(const AdminApiSettings& settings) {
    rapidjson::StringBuffer text;
    rapidjson::Writer<rapidjson::StringBuffer> writer{text};
    const auto member = [&writer](const char* name, const std::string& value) {
        writer.Key(name);
        writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
    };
    writer.StartObject();
    member("grant_type", "magic_token");
    member("email", settings.email);
    member("magic_token", settings.magic_token.reveal());
    member("client_id", settings.client_id);
    member("client_secret", settings.client_secret.reveal());
    writer.EndObject();
    return core::Secret{std::string{text.GetString(), text.GetSize()}};
}

}  // namespace heiasync::heiaheia
