#pragma once

#include <string>

namespace heiasync::simulator {

/// What is wrong with the server's certificate.
enum class CertificateFlaw { none, wrong_host, expired, self_signed };

/// A private key and a certificate, made for this process, and the authority behind it.
struct Identity {
    std::string ca_pem;
    std::string certificate_pem;
    std::string key_pem;
};

/// For localhost, 127.0.0.1 and `host`, which is a name or an address. Where the certificate is self-signed, `ca_pem`
/// is an authority that did not sign it. Throws std::runtime_error.
Identity make_identity(CertificateFlaw flaw, const std::string& host);

}  // namespace heiasync::simulator
