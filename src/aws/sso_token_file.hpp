// SPDX-License-Identifier: BSL-1.0
// The file that a sign-in leaves behind: read, refreshed, written back.
#pragma once

#include "aws/json_document.hpp"
#include "aws/sso_token.hpp"

#include <string>
#include <string_view>

namespace codynamo::aws::detail {

/// What the tools of AWS keep: accessToken, expiresAt, refreshToken, clientId, clientSecret,
/// registrationExpiresAt, and what else they like.
class sso_token_file {
public:
    /// Reads it in the calling thread, at most 64 KiB. Throws errc::no_credentials.
    explicit sso_token_file(std::string path);

    [[nodiscard]] const sso_token& token() const noexcept { return token_; }
    /// Whether it holds what a refresh needs, and the client's registration has not ended.
    [[nodiscard]] bool refreshable(timestamp now) const;
    /// The body of OIDC's CreateToken.
    [[nodiscard]] secret_string refresh_request() const;
    /// Takes CreateToken's answer over, which began to count at `now`. Throws errc::no_credentials
    /// and changes nothing when it is not one.
    void take(std::string_view answer, timestamp now);
    /// In place of the file, all at once and for the owner's eyes only (mode 0600). Throws
    /// errc::no_credentials.
    void save() const;

private:
    const std::string path_;
    json_document document_;
    sso_token token_;
};

} // namespace codynamo::aws::detail
