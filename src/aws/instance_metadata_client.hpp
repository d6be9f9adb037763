// SPDX-License-Identifier: BSL-1.0
// Requests to the instance metadata service under a session token.
#pragma once

#include "aws/http_fetch.hpp"
#include "aws/instance_metadata.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>

namespace codynamo::aws::detail {

/// A session token and how long it lasts; kept from one client to the next.
struct metadata_session {
    /// Of this server.
    net::origin server{};
    secret_string token{};
    /// When to ask for another one: 120 s before it ends.
    std::chrono::steady_clock::time_point renew{};
};

/// Not thread-safe.
class metadata_client {
public:
    /// `session` must outlive the client.
    metadata_client(const source_options& options, const metadata_settings& settings,
                    metadata_session& session);

    /// GET of a path. Asks for a token first when there is none to go on with; a 401 makes it ask
    /// for another one, once. 5xx are tried again, within 30 s; time-outs are not, so
    /// that a program elsewhere does not wait for nothing. Throws not_configured when the service
    /// is out of reach, errc::no_credentials when it gives no token; what else it answers comes
    /// back.
    [[nodiscard]] boost::asio::awaitable<http_answer> get(std::string path);

    /// "169.254.169.254 answered 404"
    [[nodiscard]] std::string outcome(const http_answer& answer) const;

private:
    [[nodiscard]] boost::asio::awaitable<void> renew_token();

    environment env_;
    metadata_session& session_;
    http_fetcher fetcher_;
};

} // namespace codynamo::aws::detail
