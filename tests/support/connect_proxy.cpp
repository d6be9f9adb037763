// SPDX-License-Identifier: BSL-1.0
// Plain POSIX sockets and blocking threads, as the stub server.
#include "support/connect_proxy.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdlib>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace codynamo::testing {
namespace {

sockaddr_in loopback_address(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

/// The head of a request; empty when the client has ended.
std::string read_head(int fd) {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n")) { // byte by byte: what follows is not ours
        if (::recv(fd, &byte, 1, 0) <= 0) return {};
        head += byte;
    }
    return head;
}

std::string header(const std::string& head, const std::string& name) {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const auto start = at + name.size() + 4;
    return head.substr(start, head.find("\r\n", start) - start);
}

std::uint16_t port_asked_for(const std::string& head) {
    const auto end = head.find(" HTTP/1.1");
    return static_cast<std::uint16_t>(std::atoi(head.c_str() + head.rfind(':', end) + 1));
}

bool pass_on(int from, int to) {
    char bytes[16384];
    const auto n = ::recv(from, bytes, sizeof bytes, 0);
    return n > 0 && ::send(to, bytes, static_cast<std::size_t>(n), MSG_NOSIGNAL) == n;
}

} // namespace

connect_proxy::connect_proxy(proxy_script script)
    : script_(std::move(script)), sockets_([this](int fd, std::size_t) { serve(fd); }) {
    sockets_.listen(64);
}

std::string connect_proxy::url(const std::string& user_info) const {
    return "http://" + (user_info.empty() ? "" : user_info + "@") +
           "127.0.0.1:" + std::to_string(port());
}

std::vector<std::string> connect_proxy::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void connect_proxy::say(int client, const std::string& text) const {
    const auto step = script_.piece == 0 ? text.size() : script_.piece;
    for (std::size_t i = 0; i < text.size(); i += step) {
        const auto n = std::min(step, text.size() - i);
        if (::send(client, text.data() + i, n, MSG_NOSIGNAL) <= 0) return;
        if (script_.piece != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

void connect_proxy::serve(int client) {
    const auto head = read_head(client);
    if (!head.empty()) {
        {
            const std::lock_guard lock(mutex_);
            seen_.push_back(head);
        }
        const bool let_in = script_.authorization.empty() ||
                            header(head, "Proxy-Authorization") == script_.authorization;
        const std::string answer =
            !script_.answer.empty() ? script_.answer
            : let_in                ? "HTTP/1.1 200 Connection established\r\n\r\n"
                                    : "HTTP/1.1 407 Proxy Authentication Required\r\n"
                                      "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
        char byte = 0;
        if (script_.mute)
            (void)::recv(client, &byte, 1, 0); // until the client ends
        else
            say(client, answer);
        if (!script_.mute && script_.carry && let_in)
            carry(client, script_.to_port != 0 ? script_.to_port : port_asked_for(head));
    }
}

void connect_proxy::carry(int client, std::uint16_t port) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback_address(port);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        bool going = true;
        while (going && ::poll(both, 2, -1) > 0) {
            if (both[0].revents != 0) going = pass_on(client, server);
            if (going && both[1].revents != 0) going = pass_on(server, client);
        }
    }
    ::close(server);
}

} // namespace codynamo::testing
