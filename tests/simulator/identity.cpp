#include "simulator/identity.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace heiasync::simulator {

namespace {

constexpr long a_day = 24L * 60 * 60;

template <auto release>
struct Release {
    template <class Handle>
    void operator()(Handle* handle) const {
        release(handle);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;
using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;

template <class Handle>
Handle checked(Handle handle) {
    if (!handle) {
        throw std::runtime_error{"OpenSSL could not make a test certificate"};
    }
    return handle;
}

Key make_key() {
    return Key{checked(EVP_EC_gen("P-256"))};
}

void extend(X509& certificate, X509& issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
    const Extension extension{checked(X509V3_EXT_conf_nid(nullptr, &context, nid, value))};
    checked(X509_add_ext(&certificate, extension.get(), -1) == 1);
}

struct Subject {
    const char* name = "";
    long serial = 1;
    long from = -a_day;  ///< seconds from now
    long until = 30 * a_day;
};

/// Without extensions and signature.
Certificate make_certificate(const Subject& subject, EVP_PKEY& key) {
    Certificate certificate{checked(X509_new())};
    checked(X509_set_version(certificate.get(), X509_VERSION_3) == 1);
    checked(ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), subject.serial) == 1);
    checked(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), subject.from));
    checked(X509_gmtime_adj(X509_getm_notAfter(certificate.get()), subject.until));
    checked(X509_set_pubkey(certificate.get(), &key) == 1);
    std::array<unsigned char, 64> text{};
    const std::string name{subject.name};
    name.copy(reinterpret_cast<char*>(text.data()), text.size());
    checked(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8, text.data(),
                                       static_cast<int>(name.size()), -1, 0) == 1);
    return certificate;
}

void sign(X509& certificate, X509& issuer, EVP_PKEY& issuer_key) {
    checked(X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer)) == 1);
    checked(X509_sign(&certificate, &issuer_key, EVP_sha256()) > 0);
}

template <class Write>
std::string pem(Write write) {
    const Bio bio{checked(BIO_new(BIO_s_mem()))};
    checked(write(bio.get()) == 1);
    std::array<char, 8192> text{};
    const auto size = BIO_read(bio.get(), text.data(), static_cast<int>(text.size()));
    checked(size > 0);
    return {text.data(), static_cast<std::size_t>(size)};
}

std::string pem(X509& certificate) {
    return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, &certificate); });
}

}  // namespace

Identity make_identity(CertificateFlaw flaw, const std::string& host) {
    const auto ca_key = make_key();
    const auto ca = make_certificate({.name = "heiasync test authority"}, *ca_key);
    extend(*ca, *ca, NID_basic_constraints, "critical,CA:TRUE");
    extend(*ca, *ca, NID_key_usage, "critical,keyCertSign,cRLSign");
    extend(*ca, *ca, NID_subject_key_identifier, "hash");
    sign(*ca, *ca, *ca_key);

    const auto key = make_key();
    const bool expired = flaw == CertificateFlaw::expired;
    const auto certificate = make_certificate(
        {.name = "simulator", .serial = 2, .from = -3 * a_day, .until = expired ? -2 * a_day : 30 * a_day}, *key);
    boost::system::error_code no_address;
    boost::asio::ip::make_address(host, no_address);
    const auto names = fmt::format("DNS:localhost,IP:127.0.0.1,{}:{}", no_address ? "DNS" : "IP", host);
    extend(*certificate, *ca, NID_subject_alt_name,
           flaw == CertificateFlaw::wrong_host ? "DNS:elsewhere.example" : names.c_str());
    extend(*certificate, *ca, NID_ext_key_usage, "serverAuth");
    if (flaw == CertificateFlaw::self_signed) {
        sign(*certificate, *certificate, *key);
    } else {
        extend(*certificate, *ca, NID_authority_key_identifier, "keyid");
        sign(*certificate, *ca, *ca_key);
    }

    return {pem(*ca), pem(*certificate), pem([&](BIO* bio) {
                return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
            })};
}

}  // namespace heiasync::simulator
