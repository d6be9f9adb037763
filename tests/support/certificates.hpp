// SPDX-License-Identifier: BSL-1.0
// Certificates made at test time: an authority of our own and what it signs.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace codynamo::testing {

struct certificate {
    std::string certificate_pem;
    std::string key_pem;
};

struct certificate_request {
    std::vector<std::string> dns_names;
    std::vector<std::string> addresses;
    bool expired = false;
    bool not_yet_valid = false;
    /// As OpenSSL spells it, e.g. "clientAuth"; empty for none.
    std::string extended_key_usage{};
    std::string common_name = "codynamo test server";
    bool sha1 = false;    ///< signed by way of SHA-1
    bool rsa_768 = false; ///< a key that anybody can break
};

/// A certificate authority. Its certificate can be written where tls_config::ca_file finds it.
class authority {
public:
    explicit authority(bool expired = false);
    ~authority();
    authority(const authority&) = delete;
    authority& operator=(const authority&) = delete;

    [[nodiscard]] certificate issue(const certificate_request& what) const;
    [[nodiscard]] certificate self_signed(const certificate_request& what) const;
    /// Signed by a certificate that the authority has issued, but not for signing; with that one
    /// in the chain.
    [[nodiscard]] certificate issued_by_a_leaf(const certificate_request& what) const;
    /// The path of a PEM file with the authority's certificate; removed with the authority.
    [[nodiscard]] const std::string& ca_file() const noexcept { return file_; }

private:
    struct keys;
    std::unique_ptr<keys> keys_;
    std::string file_;
};

} // namespace codynamo::testing
