// SPDX-License-Identifier: BSL-1.0
// A file descriptor that somebody owns.
#pragma once

#include <unistd.h>
#include <utility>

namespace codynamo::aws::detail {

/// Closes what it holds.
class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        descriptor former(std::move(other));
        std::swap(fd_, former.fd_);
        return *this;
    }
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_ = -1;
};

} // namespace codynamo::aws::detail
