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
    /// What should be in its place.
    explicit sso_token_file(const unsaved_sso_token& unsaved);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const sso_token& token() const noexcept { return token_; }
    /// A member's text; empty when there is none.
    [[nodiscard]] secret_string secret(std::string_view name) const;
    /// Whether it holds what a refresh needs, and the client's registration has not ended. Throws
    /// errc::no_credentials when the registration's end is no time.
    [[nodiscard]] bool refreshable(timestamp now) const;
    /// The body of OIDC's CreateToken.
    [[nodiscard]] secret_string refresh_request() const;
    /// Takes CreateToken's answer over, which began to count at `now`. Throws errc::no_credentials
    /// and changes nothing when it is not one.
    void take(std::string_view answer, timestamp now);
    /// Whether it is still the file that `unsaved` was to replace.
    [[nodiscard]] bool is_stale(const unsaved_sso_token& unsaved) const;
    /// As it is now, to replace the file that was read.
    [[nodiscard]] unsaved_sso_token unsaved() const;
    /// In place of the file, all at once and for the owner's eyes only (mode 0600), on disk when it
    /// returns. False and nothing done when somebody else has put other tokens there since this one
    /// was read. Throws errc::no_credentials, also when the file is gone: a sign-out stays one.
    [[nodiscard]] bool save() const;

private:
    sso_token_file(std::string path, std::string_view text);

    const std::string path_;
    json_document document_;
    /// Of the file on disk.
    secret_string read_access_;
    secret_string read_refresh_;
    sso_token token_;
};

} // namespace codynamo::aws::detail
