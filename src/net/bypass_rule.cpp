// SPDX-License-Identifier: BSL-1.0
// Which hosts need no proxy.
#include "net/bypass_rule.hpp"

#include "net/proxy.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace asio = boost::asio;
using asio::ip::address;

namespace codynamo::net {
namespace {

/// Lower case, without the dot of the root.
std::string plain_name(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    std::string text(name);
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

/// An IPv4 address in IPv6's clothes is an IPv4 address.
std::optional<address> parse_address(std::string_view text) {
    boost::system::error_code ec;
    auto found = asio::ip::make_address(std::string(text), ec);
    if (ec) return std::nullopt;
    if (found.is_v6() && found.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, found.to_v6());
    return found;
}

unsigned width(const address& of) noexcept {
    return of.is_v4() ? 32 : 128;
}

template <class Bytes>
bool same_start(const Bytes& a, const Bytes& b, unsigned bits) noexcept {
    for (std::size_t i = 0; bits != 0; ++i) {
        const unsigned n = std::min(bits, 8U);
        if (((a[i] ^ b[i]) >> (8 - n)) != 0) return false;
        bits -= n;
    }
    return true;
}

bool within(const address& host, const address& network, unsigned bits) {
    if (host.is_v4() != network.is_v4()) return false;
    if (host.is_v4()) return same_start(host.to_v4().to_bytes(), network.to_v4().to_bytes(), bits);
    return same_start(host.to_v6().to_bytes(), network.to_v6().to_bytes(), bits);
}

bool is_below(std::string_view name, std::string_view suffix) noexcept {
    return name == suffix || (name.size() > suffix.size() && name.ends_with(suffix) &&
                              name[name.size() - suffix.size() - 1] == '.');
}

template <class T>
bool parse_number(std::string_view text, T least, T most, T& out) noexcept {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    return ec == std::errc() && end == text.data() + text.size() && out >= least && out <= most;
}

bool parse_network(std::string_view entry, bypass_rule& rule) {
    const auto slash = entry.find('/');
    const auto found = parse_address(entry.substr(0, slash));
    if (!found || (found->is_v4() && entry.find(':') != std::string_view::npos)) return false;
    rule.network = *found;
    return parse_number(entry.substr(slash + 1), 0U, width(*found), rule.bits);
}

/// Takes ":port" off the end; brackets too.
bool take_port(std::string_view& entry, std::uint16_t& port) {
    const auto bracket = entry.find(']');
    const bool bracketed = entry.starts_with('[');
    if (bracketed != (bracket != std::string_view::npos)) return false;
    const auto colon = entry.find(':', bracketed ? bracket : 0);
    const bool ipv6 = !bracketed && entry.find(':', std::min(colon, entry.size() - 1) + 1) !=
                                        std::string_view::npos;
    if (colon != std::string_view::npos && !ipv6) {
        if (!parse_number<std::uint16_t>(entry.substr(colon + 1), 1, 65535, port)) return false;
        entry = entry.substr(0, colon);
    }
    if (!bracketed) return true;
    if (!entry.ends_with(']')) return false;
    entry = entry.substr(1, entry.size() - 2);
    return true;
}

} // namespace

bool bypass_rule::covers(const origin& server) const {
    if (port != 0 && port != server.port) return false;
    if (everything) return true;
    const auto literal = parse_address(server.host);
    if (suffix.empty()) return literal && within(*literal, network, bits);
    return !literal && is_below(plain_name(server.host), suffix);
}

std::optional<bypass_rule> parse_bypass_rule(std::string_view entry) {
    bypass_rule rule;
    if (entry.find('/') != std::string_view::npos)
        return parse_network(entry, rule) ? std::optional(rule) : std::nullopt;
    if (entry.empty() || !take_port(entry, rule.port)) return std::nullopt;
    rule.everything = entry == "*";
    if (rule.everything) return rule;
    if (const auto literal = parse_address(entry)) {
        rule.network = *literal;
        rule.bits = width(*literal);
        return rule;
    }
    if (entry.starts_with('*')) entry.remove_prefix(1);
    if (entry.starts_with('.')) entry.remove_prefix(1);
    rule.suffix = plain_name(entry);
    const bool ok = !rule.suffix.empty() && rule.suffix.front() != '.' &&
                    rule.suffix.find_first_of("*:[]@\"\\") == std::string::npos;
    return ok ? std::optional(rule) : std::nullopt;
}

std::vector<std::string_view> entries_of(std::string_view list) {
    constexpr std::string_view between = ", \t\r\n";
    std::vector<std::string_view> entries;
    for (;;) {
        list.remove_prefix(std::min(list.find_first_not_of(between), list.size()));
        if (list.empty()) return entries;
        const auto end = std::min(list.find_first_of(between), list.size());
        entries.push_back(list.substr(0, end));
        list.remove_prefix(end);
    }
}

bool bypasses(std::string_view no_proxy, const origin& server) {
    for (const auto entry : entries_of(no_proxy)) {
        const auto rule = parse_bypass_rule(entry);
        if (rule && rule->covers(server)) return true;
    }
    return false;
}

bool is_local(std::string_view host) {
    return bypasses("localhost 127.0.0.0/8 169.254.0.0/16 0.0.0.0 ::1 fe80::/10 fd00:ec2::/32 ::",
                    {false, std::string(host), 0});
}

} // namespace codynamo::net
