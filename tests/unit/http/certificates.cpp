#include "unit/http/certificates.hpp"

#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <stdexcept>

namespace heiasync::http::testing {
namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

template <class T>
T* checked(T* pointer) {
    if (pointer == nullptr) {
        throw std::runtime_error{"OpenSSL failed"};
    }
    return pointer;
}

Owned<EVP_PKEY> make_key() {
    return Owned<EVP_PKEY>{checked(EVP_EC_gen("P-256"))};
}

void extend(X509& certificate, X509& issuer, int nid, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
    const Owned<X509_EXTENSION> extension{checked(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()))};
    X509_add_ext(&certificate, extension.get(), -1);
}

Owned<X509> make_certificate(EVP_PKEY& key, const char* name, std::chrono::seconds expires_in) {
    static long serial = 1;
    Owned<X509> certificate{checked(X509_new())};
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), expires_in.count() - 2L * 3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), expires_in.count());
    X509_set_pubkey(certificate.get(), &key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    return certificate;
}

std::string text_of(BIO& bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(&bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

Identity identity(X509& certificate, EVP_PKEY& key) {
    const Owned<BIO> certificate_text{checked(BIO_new(BIO_s_mem()))};
    const Owned<BIO> key_text{checked(BIO_new(BIO_s_mem()))};
    PEM_write_bio_X509(certificate_text.get(), &certificate);
    PEM_write_bio_PrivateKey(key_text.get(), &key, nullptr, nullptr, 0, nullptr, nullptr);
    return {text_of(*certificate_text), text_of(*key_text)};
}

}  // namespace

struct Authority::State {
    Owned<EVP_PKEY> key = make_key();
    Owned<X509> certificate = make_certificate(*key, "Test authority", std::chrono::hours{1});
    std::filesystem::path file;
};

Authority::Authority() : state_{std::make_unique<State>()} {
    X509& certificate = *state_->certificate;
    X509_set_issuer_name(&certificate, X509_get_subject_name(&certificate));
    extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate, certificate, NID_key_usage, "critical,keyCertSign");
    extend(certificate, certificate, NID_subject_key_identifier, "hash");
    X509_sign(&certificate, state_->key.get(), EVP_sha256());

    std::string name = (std::filesystem::temp_directory_path() / "heiasync-test-ca-XXXXXX").string();
    const int descriptor = mkstemp(name.data());
    close(descriptor);
    state_->file = name;
    std::ofstream{state_->file} << identity(certificate, *state_->key).certificate;
}

Authority::~Authority() {
    std::filesystem::remove(state_->file);
}

Identity Authority::issue(const std::string& names, std::chrono::seconds expires_in) const {
    const auto key = make_key();
    const auto certificate = make_certificate(*key, "Test server", expires_in);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(state_->certificate.get()));
    extend(*certificate, *state_->certificate, NID_subject_alt_name, names);
    extend(*certificate, *state_->certificate, NID_authority_key_identifier, "keyid");
    X509_sign(certificate.get(), state_->key.get(), EVP_sha256());
    return identity(*certificate, *key);
}

const std::filesystem::path& Authority::file() const {
    return state_->file;
}

Identity self_signed(const std::string& names) {
    const auto key = make_key();
    const auto certificate = make_certificate(*key, "Test server", std::chrono::hours{1});
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    extend(*certificate, *certificate, NID_subject_alt_name, names);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    return identity(*certificate, *key);
}

}  // namespace heiasync::http::testing
