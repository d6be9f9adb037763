// SPDX-License-Identifier: BSL-1.0
// The token, its renewal, and what is tried again.
#include "aws/instance_metadata_client.hpp"

#include "aws/network_source.hpp"
#include "aws/text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace codynamo::aws::detail {
namespace {

constexpr const char* ttl_header = "x-aws-ec2-metadata-token-ttl-seconds";
constexpr const char* token_header = "x-aws-ec2-metadata-token";
constexpr std::chrono::seconds longest_ttl = 6h;
constexpr std::chrono::seconds early = 120s;

fetch_limits limits_of(const metadata_settings& settings) {
    fetch_limits limits;
    limits.connect_timeout = settings.timeout;
    limits.attempt_timeout = 2 * settings.timeout;
    limits.attempts = settings.attempts;
    return limits;
}

bool can_retry_metadata(const http_answer& answer) {
    return answer.failure ? answer.failure == errc::connection_lost : answer.status >= 500;
}

/// As on a machine that is no instance. Whoever talks, and be it nonsense, is there.
bool is_out_of_reach(const http_answer& answer) {
    return answer.failure == errc::connect_failed || answer.failure == errc::resolve_failed ||
           answer.failure == errc::timeout;
}

/// Zero when the answer does not say: the token then serves once.
std::chrono::seconds ttl_of(const http_answer& answer) {
    const std::string_view text = trim(answer.header(ttl_header));
    unsigned seconds = 0;
    const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (failed != std::errc() || stop != text.data() + text.size()) return 0s;
    return std::min<std::chrono::seconds>(std::chrono::seconds(seconds), longest_ttl);
}

} // namespace

metadata_client::metadata_client(const source_options& options, const metadata_settings& settings,
                                 metadata_session_store& sessions)
    : env_(options.env), sessions_(sessions), session_(sessions.copy()),
      fetcher_(options, settings.server, limits_of(settings), true) {
    if (session_.server == settings.server) return;
    session_.server = settings.server;
    session_.token = secret_string();
}

asio::awaitable<http_answer> metadata_client::get(std::string path) {
    for (int tokens = 1;; ++tokens) {
        if (session_.token.empty() || env_.time->steady_now() >= session_.renew)
            co_await renew_token();
        http_request request;
        request.target = path;
        sent_ = session_.token;
        request.headers.emplace_back(token_header, sent_);
        http_answer answer = co_await fetcher_.fetch(std::move(request), can_retry_metadata);
        if (answer.failure || answer.status != 401) co_return answer;
        session_.token = secret_string();
        sessions_.keep(session_);
        if (tokens == 2) co_return answer;
    }
}

std::string metadata_client::outcome(const http_answer& answer) const {
    return fetcher_.server().authority() + (answer.failure ? ": " : " ") + answer.outcome();
}

asio::awaitable<void> metadata_client::renew_token() {
    http_request request;
    request.method = "PUT";
    request.target = "/latest/api/token";
    request.headers.emplace_back(ttl_header, secret_string(std::to_string(longest_ttl.count())));
    const auto asked = env_.time->steady_now();
    const http_answer answer = co_await fetcher_.fetch(std::move(request), can_retry_metadata);
    if (is_out_of_reach(answer))
        throw not_configured("the instance metadata service is out of reach: " + outcome(answer));
    if (answer.status == 403) {
        throw error(errc::no_credentials,
                    outcome(answer) + " when asked for a token: the instance forbids it");
    }
    if (!answer.ok())
        throw error(errc::no_credentials, outcome(answer) + " when asked for a token");
    const auto& token = answer.body.text();
    if (token.empty() || !std::all_of(token.begin(), token.end(), is_visible)) {
        throw error(errc::no_credentials,
                    fetcher_.server().authority() + " gave a token that no header can hold");
    }
    session_.token = answer.body;
    session_.renew = asked + ttl_of(answer) - early;
    sessions_.keep(session_);
}

} // namespace codynamo::aws::detail
