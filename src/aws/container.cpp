// SPDX-License-Identifier: BSL-1.0
// Credentials of ECS tasks and EKS pods.
#include "aws/container.hpp"

#include "aws/credential_documents.hpp"
#include "aws/http_fetch.hpp"
#include "aws/network_source.hpp"
#include "aws/profile_paths.hpp"
#include "aws/text.hpp"

#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace urls = boost::urls;
using namespace std::chrono_literals;

namespace codynamo::aws {
namespace detail {
namespace {

constexpr const char* relative_variable = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* full_variable = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* token_variable = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr const char* token_file_variable = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

[[noreturn]] void refuse_uri(std::string_view variable, std::string_view value,
                             std::string_view why) {
    // A query may hold a secret.
    throw error(errc::invalid_argument, std::string(variable) + " = \"" +
                                            quotable(value.substr(0, value.find('?')), 200) +
                                            "\": " + std::string(why));
}

/// Loopback, and the link-local hosts of ECS and EKS. No name is looked up: what it stands for now
/// need not be what it stands for when the connection is made.
bool may_speak_plain_http(const std::string& host) {
    if (to_lower(host) == "localhost") return true;
    if (const auto v4 = urls::parse_ipv4_address(host)) {
        return v4->is_loopback() || *v4 == urls::ipv4_address("169.254.170.2") ||
               *v4 == urls::ipv4_address("169.254.170.23");
    }
    if (const auto v6 = urls::parse_ipv6_address(host))
        return v6->is_loopback() || *v6 == urls::ipv6_address("fd00:ec2::23");
    return false;
}

void check_target(std::string_view variable, std::string_view uri, std::string_view target) {
    if (!std::all_of(target.begin(), target.end(), is_visible))
        refuse_uri(variable, uri, "holds a character that a URI may not hold");
    if (target.find('#') != std::string_view::npos) refuse_uri(variable, uri, "has a fragment");
}

container_uri relative_uri(const std::string& uri) {
    if (!uri.starts_with('/')) refuse_uri(relative_variable, uri, "must start with a slash");
    check_target(relative_variable, uri, uri);
    container_uri found;
    found.server = net::parse_origin("http://169.254.170.2", relative_variable);
    found.target = uri;
    return found;
}

container_uri full_uri(std::string_view uri) {
    const auto mark = uri.find("://");
    if (mark == std::string_view::npos)
        refuse_uri(full_variable, uri, "must start with http:// or https://");
    const auto end = std::min(uri.find_first_of("/?#", mark + 3), uri.size());
    container_uri found;
    found.server = net::parse_origin(uri.substr(0, end), full_variable);
    found.target = uri.substr(end);
    if (!found.target.starts_with('/')) found.target.insert(0, "/");
    check_target(full_variable, uri, found.target);
    if (!found.server.tls && !may_speak_plain_http(found.server.host)) {
        refuse_uri(full_variable, uri,
                   "must be https, or http to loopback, 169.254.170.2, 169.254.170.23 or "
                   "[fd00:ec2::23]");
    }
    return found;
}

/// Sent as it is, so it must not be able to end its line.
secret_string checked_token(secret_string token, const std::string& from) {
    const auto& text = token.text();
    if (text.empty()) throw error(errc::no_credentials, from + " is empty");
    if (text.find_first_of("\r\n") != std::string::npos)
        throw error(errc::no_credentials, from + " holds a line break");
    const bool printable =
        std::all_of(text.begin(), text.end(), [](char c) { return is_visible(c) || c == ' '; });
    if (!printable)
        throw error(errc::no_credentials, from + " holds a character that no header may hold");
    return token;
}

std::optional<secret_string> authorization(const environment& env) {
    if (const std::string path = trimmed_variable(env, token_file_variable); !path.empty())
        return checked_token(read_secret_file(path), "the token in \"" + quotable(path) + "\"");
    secret_string token(env.variable(token_variable).value_or(std::string()));
    if (token.empty()) return std::nullopt;
    return checked_token(std::move(token), token_variable);
}

bool is_complete(const http_answer& answer, const std::vector<std::string_view>& secrets) {
    try {
        const credentials whole = parse_metadata_answer(answer.body.text(), secrets);
        return !whole.access_key_id.empty();
    } catch (const error&) {
        return false;
    }
}

/// A 200 that makes no sense is tried again too: some agents answer so while they start.
bool can_retry_container(const http_answer& answer, const std::vector<std::string_view>& secrets) {
    return answer.ok() ? !is_complete(answer, secrets) : is_transient(answer);
}

class container final : public network_source {
public:
    container(source_options options, std::shared_ptr<source_memory> memory)
        : options_(std::move(options)),
          memory_(memory ? std::move(memory) : attach_memory(options_)) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "container"; }

private:
    [[nodiscard]] asio::awaitable<credentials> ask() override {
        const container_uri from = resolve_container_uri(options_.env);
        http_request request;
        request.target = from.target;
        request.headers.emplace_back("Accept", secret_string("application/json"));
        const secret_string token = authorization(options_.env).value_or(secret_string());
        if (!token.empty()) request.headers.emplace_back("Authorization", token);
        const auto secrets = secrets_of(from, token);
        fetch_limits limits;
        limits.connect_timeout = 2s;
        limits.attempt_timeout = 7s;
        source_options asked = options_;
        if (from.server.tls) asked.tls = tls_of(options_);
        http_fetcher server(asked, from.server, limits, true, memory_);
        const auto again = [&secrets](const http_answer& one) {
            return can_retry_container(one, secrets);
        };
        const http_answer answer = co_await server.fetch(std::move(request), again);
        const std::string label = from.server.authority() + ": ";
        if (answer.failure || answer.status != 200)
            throw error(errc::no_credentials, label + answer.outcome() + said(answer, secrets));
        try {
            co_return parse_metadata_answer(answer.body.text(), secrets);
        } catch (const error& why) {
            throw error(errc::no_credentials, label + why.info().message);
        }
    }

    /// What the request holds that an agent may echo: the token, also without its scheme, and the
    /// query.
    [[nodiscard]] static std::vector<std::string_view> secrets_of(const container_uri& from,
                                                                  const secret_string& token) {
        const std::string_view word = token.text();
        const std::string_view target = from.target;
        return {word, word.substr(word.rfind(' ') + 1),
                target.substr(std::min(target.size(), target.find('?')))};
    }

    /// The service's own words beside an error status, if it had any.
    [[nodiscard]] static std::string said(const http_answer& answer,
                                          const std::vector<std::string_view>& secrets) {
        if (answer.failure) return {};
        try {
            const credentials unexpected = parse_metadata_answer(answer.body.text(), secrets);
        } catch (const error& why) {
            const std::string& words = why.info().message;
            if (words.starts_with("the answer says ")) return "; " + words;
        }
        return {};
    }

    source_options options_;
    const std::shared_ptr<source_memory> memory_;
};

} // namespace

container_uri resolve_container_uri(const environment& env) {
    if (const std::string uri = trimmed_variable(env, relative_variable); !uri.empty())
        return relative_uri(uri);
    if (const std::string uri = trimmed_variable(env, full_variable); !uri.empty())
        return full_uri(uri);
    throw not_configured(std::string("neither ") + relative_variable + " nor " + full_variable +
                         " is set");
}

std::shared_ptr<credential_source> container_source(source_options options,
                                                    std::shared_ptr<source_memory> memory) {
    return std::make_shared<container>(std::move(options), std::move(memory));
}

} // namespace detail

credentials_provider_ptr container_credentials(source_options options) {
    auto memory = detail::attach_memory(options);
    const environment env = options.env;
    return detail::refreshing(detail::container_source(std::move(options), memory), env, {},
                              memory);
}

} // namespace codynamo::aws
