// SPDX-License-Identifier: BSL-1.0
// CONNECT and its answer.
#include "net/tunnel.hpp"

#include "net/ascii.hpp"

#include <algorithm>

namespace codynamo::net {
namespace {

/// Of "HTTP/1.x NNN ..."; 0 when it is not that.
unsigned status_of(std::string_view line) noexcept {
    if (line.size() < 12 || !line.starts_with("HTTP/1.") || !is_digit(line[7]) || line[8] != ' ')
        return 0;
    if (line.size() > 12 && line[12] != ' ') return 0;
    unsigned status = 0;
    for (const char c : line.substr(9, 3)) {
        if (!is_digit(c)) return 0;
        status = status * 10 + static_cast<unsigned>(c - '0');
    }
    return status;
}

bool may_become_http(std::string_view start) noexcept {
    constexpr std::string_view expected = "HTTP/1.";
    const auto n = std::min(start.size(), expected.size());
    return start.substr(0, n) == expected.substr(0, n);
}

} // namespace

tunnel::tunnel(const proxy_server& via, const origin& server)
    : authorized_(!via.authorization.empty()) {
    const bool ipv6 = server.host.find(':') != std::string::npos;
    const auto target =
        (ipv6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
    request_.reserve(128 + 2 * target.size() + via.authorization.size()); // no copies left behind
    request_.append("CONNECT ").append(target).append(" HTTP/1.1\r\nHost: ").append(target);
    if (authorized_) request_.append("\r\nProxy-Authorization: ").append(via.authorization);
    request_.append("\r\n\r\n");
}

tunnel::state tunnel::refuse(std::string words) {
    words_ = std::move(words);
    return state::refused;
}

tunnel::state tunnel::received(std::string_view bytes) {
    if (seen_ + bytes.size() > most_bytes) return refuse("answered at too great a length");
    seen_ += bytes.size();
    answer_.append(bytes);
    for (;;) {
        if (!may_become_http(answer_)) return refuse("did not answer in HTTP/1");
        const auto end = answer_.find("\r\n\r\n");
        if (end == std::string::npos) return state::more;
        const auto result = judge(end + 4);
        if (result != state::more) return result;
        answer_.erase(0, end + 4); // an interim answer
    }
}

tunnel::state tunnel::ended() {
    return refuse(seen_ == 0 ? "ended without an answer" : "ended in the middle of its answer");
}

tunnel::state tunnel::judge(std::size_t end) {
    const auto status = status_of(std::string_view(answer_).substr(0, answer_.find("\r\n")));
    if (status >= 200 && status < 300) {
        if (end != answer_.size()) return refuse("sent more than its answer");
        return state::open;
    }
    if (status >= 100 && status < 200 && status != 101) return state::more;
    if (status == 0) return refuse("did not answer in HTTP/1");
    auto words = "refused the tunnel with status " + std::to_string(status);
    if (status == 407)
        words += authorized_ ? ": it does not accept the user name and password"
                             : ": it wants a user name and password";
    return refuse(std::move(words));
}

} // namespace codynamo::net
