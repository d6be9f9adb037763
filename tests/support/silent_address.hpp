// SPDX-License-Identifier: BSL-1.0
// A port of some loopback address that never answers, and the number of open descriptors.
#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <filesystem>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace codynamo::testing {

/// Listens on 127.x.y.z with a full backlog: connecting to it never ends.
class silent_address {
public:
    silent_address(const std::string& address, std::uint16_t port) {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_port = htons(port);
        ::inet_pton(AF_INET, address.c_str(), &where.sin_addr);
        const auto* const generic = reinterpret_cast<const sockaddr*>(&where);
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::bind(listener_, generic, sizeof where) != 0 || ::listen(listener_, 0) != 0)
            throw std::runtime_error("cannot listen on " + address);
        for (int i = 0; i < 4; ++i) {
            fillers_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            (void)::connect(fillers_.back(), generic, sizeof where);
        }
        ::usleep(20'000);
    }
    ~silent_address() {
        for (const int fd : fillers_)
            ::close(fd);
        ::close(listener_);
    }
    silent_address(const silent_address&) = delete;
    silent_address& operator=(const silent_address&) = delete;

private:
    int listener_ = -1;
    std::vector<int> fillers_;
};

inline std::size_t open_descriptors() {
    std::size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        n += entry.is_symlink() ? 1U : 0U;
    return n;
}

} // namespace codynamo::testing
