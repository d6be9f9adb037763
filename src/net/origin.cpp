// SPDX-License-Identifier: BSL-1.0
// Origins as text, header lookup, and the bounds of a pool.
#include "net/ascii.hpp"
#include "net/config_check.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace codynamo::net {
namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return lower(x) == lower(y); });
}

bool is_name_char(char c) noexcept {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.' || c == '_';
}

bool is_ipv6_char(char c) noexcept {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f') || c == ':' || c == '.';
}

/// Without what may be a secret in a query, or may steer a terminal.
std::string quotable(std::string_view value) {
    const auto query = value.find('?');
    std::string text(value.substr(0, query));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    if (query != std::string_view::npos) text += "?...";
    return text;
}

[[noreturn]] void refuse(std::string_view field, std::string_view value, std::string_view why) {
    throw error(errc::invalid_argument,
                std::string(field) + " = \"" + quotable(value) + "\": " + std::string(why));
}

// Quotes nothing: user info may hold a password.
void refuse_user_info(std::string_view field, std::string_view value) {
    if (value.find('@') != std::string_view::npos)
        throw error(errc::invalid_argument, std::string(field) + ": must not hold user info");
}

constexpr std::string_view only_plain_ipv4 =
    "an IPv4 address must be four decimal numbers without leading zeros";

bool is_number(std::string_view label) noexcept {
    const bool hex = label.size() >= 2 && label[0] == '0' && lower(label[1]) == 'x';
    if (hex) label.remove_prefix(2);
    return std::all_of(label.begin(), label.end(), [hex](char c) {
        return is_digit(c) || (hex && lower(c) >= 'a' && lower(c) <= 'f');
    });
}

bool is_plain_octet(std::string_view label) noexcept {
    unsigned value = 256;
    const auto [end, ec] = std::from_chars(label.data(), label.data() + label.size(), value);
    return ec == std::errc{} && end == label.data() + label.size() && value < 256 &&
           (label.size() == 1 || label.front() != '0');
}

/// "2852039166", "0xa9.0376.1" or "127.1": a name to us, an IPv4 address to the system's resolver
/// (inet_aton). Everything that is decided by address, as what is local, would be decided wrongly.
bool is_odd_ipv4(std::string_view host) noexcept {
    std::size_t labels = 0;
    bool plain = !host.ends_with('.');
    if (!plain) host.remove_suffix(1);
    for (bool more = true; more; ++labels) {
        const auto dot = std::min(host.find('.'), host.size());
        const auto label = host.substr(0, dot);
        if (!is_number(label)) return false;
        plain = plain && is_plain_octet(label);
        more = dot != host.size();
        host.remove_prefix(more ? dot + 1 : dot);
    }
    return !plain || labels != 4;
}

bool plausible_host(std::string_view host) noexcept {
    if (host.empty() || host.size() > 253) return false;
    if (host.find(':') != std::string_view::npos)
        return host.size() <= 45 && std::all_of(host.begin(), host.end(), is_ipv6_char);
    return host.front() != '.' && host.front() != '-' &&
           std::all_of(host.begin(), host.end(), is_name_char);
}

void at_least(std::string_view field, long long value, long long bound, std::string_view unit) {
    if (value >= bound) return;
    throw error(errc::invalid_argument,
                "pool." + std::string(field) + " = " + std::to_string(value) + std::string(unit) +
                    ": must be at least " + std::to_string(bound) + std::string(unit));
}

void at_most(std::string_view field, std::size_t value, std::size_t bound) {
    if (value <= bound) return;
    throw error(errc::invalid_argument, "pool." + std::string(field) + " = " +
                                            std::to_string(value) + ": must be at most " +
                                            std::to_string(bound));
}

void within_a_day(std::string_view field, std::chrono::milliseconds value) {
    constexpr long long bound = 86'400'000;
    at_least(field, value.count(), 1, " ms");
    if (value.count() <= bound) return;
    throw error(errc::invalid_argument,
                "pool." + std::string(field) + " = " + std::to_string(value.count()) +
                    " ms: must be at most " + std::to_string(bound) + " ms");
}

long long signed_size(std::size_t n) noexcept {
    return static_cast<long long>(std::min<std::size_t>(n, 1ULL << 62));
}

// The host and what follows it, "" or ":port".
struct split_host {
    std::string_view host, rest;
};

split_host split(std::string_view authority, std::string_view url, std::string_view field) {
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) refuse(field, url, "the bracket is not closed");
        const auto host = authority.substr(1, end - 1);
        if (host.find(':') == std::string_view::npos)
            refuse(field, url, "what is in brackets is not an IPv6 address");
        return {host, authority.substr(end + 1)};
    }
    const auto colon = std::min(authority.find(':'), authority.size());
    return {authority.substr(0, colon), authority.substr(colon)};
}

std::uint16_t parse_port(std::string_view text, std::string_view url, std::string_view field) {
    unsigned port = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (ec != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65535)
        refuse(field, url, "the port must be a number from 1 to 65535");
    return static_cast<std::uint16_t>(port);
}

} // namespace

std::string origin::authority() const {
    const bool ipv6 = host.find(':') != std::string::npos;
    std::string text = ipv6 ? "[" + host + "]" : host;
    std::transform(text.begin(), text.end(), text.begin(), lower);
    if (port != (tls ? 443 : 80)) text += ":" + std::to_string(port);
    return text;
}

origin parse_origin(std::string_view url, std::string_view field) {
    refuse_user_info(field, url);
    origin result;
    const auto mark = url.find("://");
    const auto scheme = url.substr(0, mark == std::string_view::npos ? 0 : mark);
    if (same_ignoring_case(scheme, "http"))
        result.tls = false;
    else if (!same_ignoring_case(scheme, "https"))
        refuse(field, url, "must start with http:// or https://");

    auto authority = url.substr(mark + 3);
    if (authority.ends_with('/')) authority.remove_suffix(1);
    if (authority.find_first_of("/?#") != std::string_view::npos)
        refuse(field, url, "must not hold a path, query or fragment");

    const auto [host, rest] = split(authority, url, field);
    if (!plausible_host(host)) refuse(field, url, "has no valid host name or address");
    if (is_odd_ipv4(host)) refuse(field, url, only_plain_ipv4);
    result.host = host;
    result.port = result.tls ? 443 : 80;
    if (rest.empty()) return result;
    if (rest.front() != ':') refuse(field, url, "unexpected text after the host");
    result.port = parse_port(rest.substr(1), url, field);
    return result;
}

std::string_view response_view::header(std::string_view name) const noexcept {
    const auto found = std::find_if(headers.begin(), headers.end(), [name](const header_view& h) {
        return same_ignoring_case(h.name, name);
    });
    return found == headers.end() ? std::string_view{} : found->value;
}

void check(const origin& server) {
    refuse_user_info("origin.host", server.host);
    if (!plausible_host(server.host))
        refuse("origin.host", server.host, "is not a valid host name or address");
    if (is_odd_ipv4(server.host)) refuse("origin.host", server.host, only_plain_ipv4);
    if (server.port == 0)
        throw error(errc::invalid_argument, "origin.port = 0: must be from 1 to 65535");
}

void check(const pool_config& pool) {
    at_least("max_connections", signed_size(pool.max_connections), 1, "");
    at_most("min_idle", pool.min_idle, pool.max_connections);
    within_a_day("idle_limit", pool.idle_limit);
    within_a_day("max_age", pool.max_age);
    within_a_day("connect_timeout", pool.connect_timeout);
    at_least("max_head_bytes", signed_size(pool.max_head_bytes), 1024, "");
    at_most("max_head_bytes", pool.max_head_bytes, 1024 * 1024);
    at_least("max_body_bytes", signed_size(pool.max_body_bytes), 1024, "");
}

void check(const network_config& network) {
    const auto delay = network.attempt_delay.count();
    if (delay >= 10 && delay <= 2000) return;
    throw error(errc::invalid_argument, "network.attempt_delay = " + std::to_string(delay) +
                                            " ms: must be from 10 ms to 2000 ms");
}

} // namespace codynamo::net
