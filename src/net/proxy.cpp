// SPDX-License-Identifier: BSL-1.0
// Proxy URLs, and which variable stands for what.
#include "net/proxy.hpp"

#include "net/ascii.hpp"
#include "net/bypass_rule.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <vector>

namespace codynamo::net {
namespace {

constexpr std::uint16_t default_port = 8080;

[[noreturn]] void refuse(std::string_view field, const std::string& why) {
    throw error(errc::invalid_argument, std::string(field) + ": " + why);
}

bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

int hex_digit(char c) noexcept {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

void append_decoded(std::string& out, std::string_view text, std::string_view field) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) refuse(field, "bad percent-encoding in the user info");
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (is_control(c)) refuse(field, "control characters in the user info");
        out += c;
    }
}

/// RFC 7617: "Basic " and base64 of user:password.
std::string basic_authorization(std::string_view user_info, std::string_view field) {
    const auto colon = std::min(user_info.find(':'), user_info.size());
    std::string plain;
    plain.reserve(user_info.size() + 1);
    append_decoded(plain, user_info.substr(0, colon), field);
    if (plain.find(':') != std::string::npos)
        refuse(field, "the user's name must not hold a colon");
    plain += ':';
    if (colon < user_info.size()) append_decoded(plain, user_info.substr(colon + 1), field);

    std::vector<unsigned char> encoded((plain.size() + 2) / 3 * 4 + 1);
    EVP_EncodeBlock(encoded.data(), reinterpret_cast<const unsigned char*>(plain.data()),
                    static_cast<int>(plain.size()));
    std::string value = "Basic ";
    value.reserve(value.size() + encoded.size());
    value.append(encoded.begin(), encoded.end() - 1);
    wipe(plain);
    OPENSSL_cleanse(encoded.data(), encoded.size());
    return value;
}

bool has_port(std::string_view authority) noexcept {
    const auto bracket = authority.rfind(']');
    return authority.find(':', bracket == std::string_view::npos ? 0 : bracket) !=
           std::string_view::npos;
}

/// An empty variable is no variable, as in curl.
std::string variable(const environment& env, const char* name) {
    return env.variable ? env.variable(name).value_or("") : std::string();
}

struct found_text {
    std::string text{};
    std::string field{};
};

found_text first_set(const environment& env, std::initializer_list<const char*> names) {
    for (const char* const name : names)
        if (auto text = variable(env, name); !text.empty()) return {std::move(text), name};
    return {};
}

found_text find_url(const proxy_config& config, const environment& env, bool tls) {
    if (!config.url.empty()) return {config.url, "network.proxy.url"};
    if (!config.from_environment) return {};
    if (tls) return first_set(env, {"https_proxy", "HTTPS_PROXY"});
    // A CGI program's HTTP_PROXY is whatever a client put into its header "Proxy" ("httpoxy").
    const bool cgi = env.variable && env.variable("REQUEST_METHOD");
    return cgi ? first_set(env, {"http_proxy"}) : first_set(env, {"http_proxy", "HTTP_PROXY"});
}

} // namespace

proxy_server parse_proxy(std::string_view url, std::string_view field) {
    if (std::any_of(url.begin(), url.end(), is_control))
        refuse(field, "must not hold control characters, as CR or LF");
    const auto at = url.rfind('@'); // npos is after everything
    auto rest = url;
    constexpr std::string_view scheme = "http://";
    const auto mark = url.find("://");
    if (mark != std::string_view::npos && mark < at) {
        std::string given(url.substr(0, mark + 3));
        std::transform(given.begin(), given.end(), given.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        if (given != scheme) refuse(field, "only proxies of http:// can be used");
        rest.remove_prefix(scheme.size());
    }
    const auto end = rest.rfind('@');
    auto authority = std::string(end == std::string_view::npos ? rest : rest.substr(end + 1));
    if (authority.ends_with('/')) authority.pop_back();
    if (!has_port(authority)) authority += ":" + std::to_string(default_port);

    proxy_server result;
    try {
        auto where = parse_origin(std::string(scheme) + authority, field);
        result.host = std::move(where.host);
        result.port = where.port;
    } catch (const error&) {
        // Nothing is quoted: what looks like host and port may be a user's name and password.
        refuse(field, "is not http://HOST:PORT with a valid host and a port from 1 to 65535 "
                      "(user:password@ may stand before the host)");
    }
    if (end != std::string_view::npos && end != 0)
        result.authorization = basic_authorization(rest.substr(0, end), field);
    return result;
}

std::optional<proxy_server> resolve_proxy(const proxy_config& config, const environment& env,
                                          const origin& server) {
    for (const auto entry : entries_of(config.no_proxy))
        if (!parse_bypass_rule(entry))
            refuse("network.proxy.no_proxy",
                   "\"" + std::string(entry) + "\" is not a name, an address or a network");
    if (is_local(server.host)) return std::nullopt;
    auto [url, field] = find_url(config, env, server.tls);
    if (url.empty()) return std::nullopt;
    auto direct = config.no_proxy;
    if (direct.empty() && config.from_environment)
        direct = first_set(env, {"no_proxy", "NO_PROXY"}).text;
    std::optional<proxy_server> result;
    if (!bypasses(direct, server)) result = parse_proxy(url, field);
    wipe(url);
    return result;
}

} // namespace codynamo::net
