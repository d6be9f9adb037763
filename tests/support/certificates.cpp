// SPDX-License-Identifier: BSL-1.0
// X.509 by OpenSSL's C interface.
#include "support/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <unistd.h>

namespace codynamo::testing {
namespace {

struct freer {
    void operator()(EVP_PKEY* p) const noexcept { EVP_PKEY_free(p); }
    void operator()(X509* p) const noexcept { X509_free(p); }
    void operator()(X509_EXTENSION* p) const noexcept { X509_EXTENSION_free(p); }
    void operator()(BIO* p) const noexcept { BIO_free(p); }
};
template <class T>
using owned = std::unique_ptr<T, freer>;

owned<EVP_PKEY> make_key(bool rsa_768 = false) {
    owned<EVP_PKEY> key(rsa_768 ? EVP_RSA_gen(768) : EVP_EC_gen("P-256"));
    if (!key) throw std::runtime_error("cannot make a key");
    return key;
}

void add_extension(X509* to, X509* issuer, int id, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
    const owned<X509_EXTENSION> extension(
        X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
    if (!extension || X509_add_ext(to, extension.get(), -1) != 1)
        throw std::runtime_error("cannot add the extension " + value);
}

struct days {
    long from, to;
};

days validity(const certificate_request& what) {
    if (what.expired) return {-2, -1};
    if (what.not_yet_valid) return {1, 2};
    return {-1, 1};
}

owned<X509> make_certificate(EVP_PKEY* key, const std::string& name, X509* issuer,
                             EVP_PKEY* issuer_key, const certificate_request& what, bool is_ca) {
    constexpr long day = 86400;
    static std::atomic<long> serial = 1000;
    owned<X509> made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
    const auto [from, to] = validity(what);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), from * day);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), to * day);
    X509_set_pubkey(made.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509* const signer = issuer ? issuer : made.get();
    X509_set_issuer_name(made.get(), X509_get_subject_name(signer));
    if (is_ca) {
        add_extension(made.get(), signer, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(made.get(), signer, NID_key_usage, "critical,keyCertSign");
    }
    std::string names;
    for (const auto& n : what.dns_names)
        names += (names.empty() ? "DNS:" : ",DNS:") + n;
    for (const auto& a : what.addresses)
        names += (names.empty() ? "IP:" : ",IP:") + a;
    if (!names.empty()) add_extension(made.get(), signer, NID_subject_alt_name, names);
    if (!what.extended_key_usage.empty())
        add_extension(made.get(), signer, NID_ext_key_usage, what.extended_key_usage);
    if (X509_sign(made.get(), issuer_key, what.sha1 ? EVP_sha1() : EVP_sha256()) == 0)
        throw std::runtime_error("cannot sign a certificate");
    return made;
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
    const owned<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate);
    return text_of(bio.get());
}

std::string to_pem(EVP_PKEY* key) {
    const owned<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio.get());
}

} // namespace

struct authority::keys {
    explicit keys(bool expired)
        : certificate(make_certificate(key.get(), name, nullptr, key.get(),
                                       {.dns_names = {}, .addresses = {}, .expired = expired},
                                       true)) {}

    owned<EVP_PKEY> key = make_key();
    // A name of its own: OpenSSL finds issuers by name first.
    std::string name = "codynamo test authority " + std::to_string(++count);
    owned<X509> certificate;
    static inline std::atomic<int> count = 0;
};

authority::authority(bool expired) : keys_(std::make_unique<keys>(expired)) {
    file_ = (std::filesystem::temp_directory_path() / "codynamo-ca-XXXXXX").string();
    const int fd = ::mkstemp(file_.data());
    const auto pem = to_pem(keys_->certificate.get());
    if (fd < 0 || ::write(fd, pem.data(), pem.size()) != static_cast<ssize_t>(pem.size()))
        throw std::runtime_error("cannot write " + file_);
    ::close(fd);
}

authority::~authority() {
    ::unlink(file_.c_str());
}

certificate authority::issue(const certificate_request& what) const {
    const auto key = make_key(what.rsa_768);
    const auto made = make_certificate(key.get(), what.common_name, keys_->certificate.get(),
                                       keys_->key.get(), what, false);
    return {to_pem(made.get()), to_pem(key.get())};
}

certificate authority::self_signed(const certificate_request& what) const {
    const auto key = make_key(what.rsa_768);
    const auto made =
        make_certificate(key.get(), what.common_name, nullptr, key.get(), what, false);
    return {to_pem(made.get()), to_pem(key.get())};
}

certificate authority::issued_by_a_leaf(const certificate_request& what) const {
    const auto leaf_key = make_key();
    const auto leaf =
        make_certificate(leaf_key.get(), "no authority", keys_->certificate.get(), keys_->key.get(),
                         {.dns_names = {"localhost"}, .addresses = {}}, false);
    const auto key = make_key();
    const auto made =
        make_certificate(key.get(), what.common_name, leaf.get(), leaf_key.get(), what, false);
    return {to_pem(made.get()) + to_pem(leaf.get()), to_pem(key.get())};
}

} // namespace codynamo::testing
