// SPDX-License-Identifier: BSL-1.0
// A small HTTP exchange for those who look for credentials: bounded in size and time, tried again
// when its caller says so, wiped afterwards.
#pragma once

#include "aws/clock_skew.hpp"
#include "aws/secret_memory.hpp"
#include "aws/source_memory.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/net/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::aws::detail {

/// Names and values; header fields, fields of a form or of a query.
using text_fields = std::vector<std::pair<std::string, secret_string>>;

struct http_request {
    std::string method = "GET";
    /// Path and query, percent-encoded.
    std::string target = "/";
    /// Host, Content-Length, Accept-Encoding and User-Agent are added.
    text_fields headers{};
    secret_string body{};
    /// Whether it may reach the server twice.
    bool repeatable = true;
};

/// What became of it: a response, or the network's error.
struct http_answer {
    /// Success: there is a response, whatever its status.
    boost::system::error_code failure{};
    /// The words beside `failure`.
    std::string words{};
    /// Whether the server may have seen the request.
    bool sent = false;
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> headers{};
    secret_string body{};
    /// Attempts made.
    unsigned attempts = 0;
    /// By how much the server's clock was ahead of that of the options, as far as its answer says.
    std::optional<std::chrono::microseconds> clock_error{};
    exchange_times when{};

    [[nodiscard]] bool ok() const noexcept { return !failure && status == 200; }
    /// Value of the first header of that name, whatever its case; empty when absent.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
    /// "answered 503 after 3 attempts" or "connection refused".
    [[nodiscard]] std::string outcome() const;
};

/// Bounds of one call. Between attempts up to 1, 2, 4 … s are waited.
struct fetch_limits {
    std::chrono::milliseconds connect_timeout{3'100};
    /// Of one attempt, from its start to the end of the response.
    std::chrono::milliseconds attempt_timeout{10'000};
    /// Of all attempts and the waits between them; none is begun when the wait would pass it.
    std::chrono::milliseconds total_timeout{30'000};
    unsigned attempts = 3;
};

/// Talks to one server. Its connections are closed when it goes, those with TLS after each
/// exchange. Not thread-safe.
class http_fetcher {
public:
    using judge = std::function<bool(const http_answer&)>;

    /// `direct`: never through a proxy. A way over TLS is kept in `memory`, unless that is null: to
    /// make one takes some 30 ms of the calling thread for a usual file of authorities, of which
    /// changes are then not noticed. Throws what net::make_transport throws.
    http_fetcher(const source_options& options, net::origin server, fetch_limits limits,
                 bool direct, const std::shared_ptr<source_memory>& memory = nullptr);

    /// The answer of the last attempt; another one is made while `again` says so. Throws
    /// errc::invalid_argument naming the header that would break the request.
    [[nodiscard]] boost::asio::awaitable<http_answer> fetch(http_request request, judge again);

    [[nodiscard]] const net::origin& server() const noexcept { return server_; }

private:
    environment env_;
    net::origin server_;
    fetch_limits limits_;
    std::shared_ptr<net::transport> transport_;
    std::shared_ptr<source_memory> memory_;
};

/// The rule for services without one of their own: 5xx, 429, and those of the network's failures
/// that may pass.
[[nodiscard]] bool is_transient(const http_answer& answer) noexcept;

/// "name=value&name=value", percent-encoded; for bodies and queries.
[[nodiscard]] secret_string form_encode(const text_fields& fields);

} // namespace codynamo::aws::detail
