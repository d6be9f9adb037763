// SPDX-License-Identifier: BSL-1.0
// The token of an SSO sign-in: its file in ~/.aws/sso/cache, and its refresh through OIDC.
#pragma once

#include "aws/secret_memory.hpp"
#include "aws/source_memory.hpp"

#include <codynamo/aws/credential_sources.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace codynamo::aws::detail {

struct sso_token {
    secret_string access_token{};
    timestamp expires{};
};

/// <sha1 of the session's name, or else of the start URL>.json in ~/.aws/sso/cache. Throws
/// errc::no_credentials when there is no home folder.
[[nodiscard]] std::string sso_token_path(const sso_config& config, const environment& env);

/// A token that is still valid. The token of a session is refreshed when it expires within five
/// minutes, and its file rewritten (mode 0600, all at once); when that fails and the token is valid
/// yet, it is taken as it is. A file that another process has replaced meanwhile is kept and
/// used; when OIDC refuses the refresh token, such a replacement is awaited for up to a second. A
/// file that cannot be written leaves the token in `memory`, from where it serves until the file
/// changes (null: nowhere), so that a refresh token that serves only once is not sent again. Throws
/// errc::no_credentials, saying when `aws sso login` would help. A refresh that has begun is not
/// cancelled before its token is stored.
[[nodiscard]] boost::asio::awaitable<sso_token>
resolve_sso_token(sso_config config, source_options options,
                  std::shared_ptr<source_memory> memory = nullptr);

} // namespace codynamo::aws::detail
