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
};

/// A certificate authority. Its certificate can be written where tls_config::ca_file finds it.
class authority {
public:
    authority();
    ~authority();
    authority(const authority&) = delete;
    authority& operator=(const authority&) = delete;

    [[nodiscard]] certificate issue(const certificate_request& what) const;
    [[nodiscard]] certificate self_signed(const certificate_request& what) const;
    /// The path of a PEM file with the authority's certificate; removed with the authority.
    [[nodiscard]] const std::string& ca_file() const noexcept { return file_; }

private:
    struct keys;
    std::unique_ptr<keys> keys_;
    std::string file_;
};

} // namespace codynamo::testing
