#pragma once

#include "http/client.hpp"

#include <stdexcept>
#include <string>

namespace heiasync::http {

/// Why an exchange came to nothing, before it is known which request of which attempt it belonged to: the client makes
/// a TransportError of it. The text goes on after the name of the server.
class Failure : public std::runtime_error {
public:
    Failure(TransportError::Kind kind, const std::string& what) : std::runtime_error{what}, kind_{kind} {}

    [[nodiscard]] TransportError::Kind kind() const { return kind_; }

private:
    TransportError::Kind kind_;
};

/// The server closed a kept connection before it sent a byte of the answer: the request may be sent again at once.
class StaleConnection : public Failure {
    using Failure::Failure;
};

}  // namespace heiasync::http
