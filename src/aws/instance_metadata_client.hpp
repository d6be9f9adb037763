// SPDX-License-Identifier: BSL-1.0
// Requests to the instance metadata service under a session token.
#pragma once

#include "aws/http_fetch.hpp"
#include "aws/instance_metadata.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <mutex>
#include <string>
#include <utility>

namespace codynamo::aws::detail {

/// A session token and how long it lasts; kept from one client to the next.
struct metadata_session {
    /// Of this server.
    net::origin server{};
    secret_string token{};
    /// When to ask for another one: 120 s before it ends.
    std::chrono::steady_clock::time_point renew{};
};

/// Keeps the session. Thread-safe: a fetch that was given up may go on beside the next one.
class metadata_session_store {
public:
    [[nodiscard]] metadata_session copy() const {
        const std::lock_guard lock(mutex_);
        return kept_;
    }
    void keep(metadata_session session) {
        const std::lock_guard lock(mutex_);
        kept_ = std::move(session);
    }

private:
    mutable std::mutex mutex_;
    metadata_session kept_;
};

/// Goes on with a copy of the session that is kept, and keeps the one it ends up with. Not
/// thread-safe.
class metadata_client {
public:
    /// `sessions` must outlive the client.
    metadata_client(const source_options& options, const metadata_settings& settings,
                    metadata_session_store& sessions);

    /// GET of a path. Asks for a token first when there is none to go on with; a 401 makes it ask
    /// for another one, once. 5xx are tried again, within 30 s; time-outs are not, so
    /// that a program elsewhere does not wait for nothing. Throws not_configured when no connection
    /// to the service can be made or it is silent, errc::no_credentials when it gives no token;
    /// what else it answers comes back.
    [[nodiscard]] boost::asio::awaitable<http_answer> get(std::string path);

    /// The token that the last request held.
    [[nodiscard]] const secret_string& sent_token() const noexcept { return sent_; }

    /// "169.254.169.254 answered 404"
    [[nodiscard]] std::string outcome(const http_answer& answer) const;

private:
    [[nodiscard]] boost::asio::awaitable<void> renew_token();

    environment env_;
    metadata_session_store& sessions_;
    metadata_session session_;
    secret_string sent_;
    http_fetcher fetcher_;
};

} // namespace codynamo::aws::detail
