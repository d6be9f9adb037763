// SPDX-License-Identifier: BSL-1.0
// Whether the token at hand will do, and how another one is had.
#include "aws/sso_token.hpp"

#include "aws/http_fetch.hpp"
#include "aws/network_source.hpp"
#include "aws/profile_paths.hpp"
#include "aws/sso_token_file.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <openssl/sha.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace codynamo::aws::detail {
namespace {

constexpr service_identity oidc{credential_service::sso_oidc, "SSO_OIDC", "sso_oidc"};
constexpr auto refresh_before = 5min;
/// How long another process may take to write down the token for which it has used ours up.
constexpr auto longest_reread = 1s;
constexpr auto reread_pause = 100ms;
constexpr std::string_view sign_in = "; run `aws sso login`";

std::string sha1_hex(std::string_view text) {
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const unsigned char byte : digest) {
        hex += digits[byte >> 4];
        hex += digits[byte & 15];
    }
    return hex;
}

/// `error` and `error_description` of RFC 6749.
std::string refusal_of(const http_answer& answer, const sso_token_file& file) {
    if (answer.failure) return {};
    try {
        const json_document from(answer.body.text(), "the answer");
        const secret_string sent[] = {file.secret("refreshToken"), file.secret("clientSecret"),
                                      file.secret("accessToken")};
        const std::string code = service_words(from.words(from.top(), "error"), {},
                                               {sent[0].text(), sent[1].text(), sent[2].text()});
        return code.empty() ? std::string() : ": " + code;
    } catch (const error&) {
        return {};
    }
}

/// Asks OIDC for another token and puts it into `file`. `is_refused`: OIDC does not take ours.
asio::awaitable<void> refresh(sso_token_file& file, sso_config config, source_options options,
                              std::shared_ptr<source_memory> memory, bool& is_refused) {
    const service_settings settings = settings_of(oidc, options, config.region);
    options.tls = settings.tls;
    http_request request;
    request.method = "POST";
    request.target = "/token";
    request.headers.emplace_back("Content-Type", secret_string("application/json"));
    request.headers.emplace_back("Accept", secret_string("application/json"));
    request.body = file.refresh_request();
    // A refresh token may serve only once.
    request.repeatable = false;
    fetch_limits limits;
    limits.attempts = settings.max_attempts;
    http_fetcher server(options, settings.where.server, limits, false, memory);
    const timestamp now = options.env.time->now();
    const auto used = memory->skew()->offset();
    const http_answer answer = co_await server.fetch(std::move(request), is_transient);
    if (settings.learns_clock && answer.ok() && answer.clock_error)
        (void)memory->skew()->learn(*answer.clock_error + used, answer.when);
    is_refused = !answer.failure && answer.status / 100 == 4;
    const std::string label = "OIDC at " + settings.where.server.authority() + ": ";
    if (!answer.ok())
        throw error(errc::no_credentials, label + answer.outcome() + refusal_of(answer, file));
    try {
        file.take(answer.body.text(), now);
    } catch (const error& why) {
        throw error(errc::no_credentials, label + why.info().message);
    }
}

/// A cancellation filter that lets nothing pass, and remembers that something came.
struct delayed_cancellation {
    std::shared_ptr<std::atomic<bool>> came = std::make_shared<std::atomic<bool>>(false);

    asio::cancellation_type operator()(asio::cancellation_type type) const noexcept {
        if (type != asio::cancellation_type::none) *came = true;
        return asio::cancellation_type::none;
    }
};

[[noreturn]] void refuse_token(const std::string& why) {
    throw error(errc::no_credentials, why + std::string(sign_in));
}

/// The file, or what should be in its place.
std::unique_ptr<sso_token_file> load(const std::string& path, const source_memory& memory) {
    auto file = std::make_unique<sso_token_file>(path);
    const auto unsaved = memory.unsaved();
    if (unsaved && file->is_stale(*unsaved)) file = std::make_unique<sso_token_file>(*unsaved);
    return file;
}

/// The file once its token is valid, or as it is after `timeout`.
asio::awaitable<std::unique_ptr<sso_token_file>> await_valid(std::string path,
                                                             std::shared_ptr<source_memory> memory,
                                                             std::shared_ptr<const clock> time,
                                                             std::chrono::milliseconds timeout) {
    const auto end = time->steady_now() + timeout;
    for (;;) {
        auto file = load(path, *memory);
        if (time->now() < file->token().expires || time->steady_now() >= end) co_return file;
        co_await time->sleep_until(time->steady_now() + reread_pause);
    }
}

/// Stores a refreshed token for later calls.
sso_token keep(const sso_token_file& file, source_memory& memory, const environment& env) {
    memory.set_unsaved(file.unsaved());
    try {
        const bool saved = file.save();
        memory.set_unsaved(std::nullopt);
        if (saved) return file.token();
        const sso_token_file newer(file.path());
        return env.time->now() < newer.token().expires ? newer.token() : file.token();
    } catch (const error& why) {
        env.log.write(log_level::warning,
                      "the refreshed SSO token is not kept: " + why.info().message);
    }
    return file.token();
}

} // namespace

std::string sso_token_path(const sso_config& config, const environment& env) {
    const std::string home = home_folder(env);
    if (home.empty())
        throw error(errc::no_credentials, "there is no home folder to find the SSO token in");
    const auto& name = config.session.empty() ? config.start_url : config.session;
    return home + "/.aws/sso/cache/" + sha1_hex(name) + ".json";
}

asio::awaitable<sso_token> resolve_sso_token(sso_config config, source_options options,
                                             std::shared_ptr<source_memory> memory) {
    if (!memory) memory = std::make_shared<source_memory>();
    const std::string path = sso_token_path(config, options.env);
    std::unique_ptr<sso_token_file> file;
    try {
        file = load(path, *memory);
    } catch (const error& why) {
        refuse_token(why.info().message);
    }
    const timestamp now = options.env.time->now();
    if (now + refresh_before < file->token().expires) co_return file->token();

    std::string failed = "it cannot be refreshed";
    bool is_refused = false;
    // A cancellation counts only when the token has been stored: the server may have accepted a
    // refresh token that serves only once. The fetch bounds its own time.
    const delayed_cancellation delayed;
    co_await asio::this_coro::reset_cancellation_state(delayed);
    try {
        if (!config.session.empty() && file->refreshable(now)) {
            co_await refresh(*file, config, options, memory, is_refused);
            failed.clear();
        }
    } catch (const error& why) {
        failed = why.info().message;
    }
    std::optional<sso_token> fresh;
    if (failed.empty()) fresh = keep(*file, *memory, options.env);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (*delayed.came) throw boost::system::system_error(asio::error::operation_aborted);
    if (fresh) co_return *std::move(fresh);
    // Another process may have refreshed it, and so made our refresh token void, a moment before it
    // writes the new one down.
    const auto again =
        co_await await_valid(path, memory, options.env.time, is_refused ? longest_reread : 0ms);
    if (options.env.time->now() < again->token().expires) co_return again->token();
    refuse_token("the SSO token in \"" + quotable(path) + "\" has expired: " + failed);
}

} // namespace codynamo::aws::detail
