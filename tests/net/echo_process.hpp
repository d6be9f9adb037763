// SPDX-License-Identifier: BSL-1.0
// A server for tests that fork. It is a process of its own, because what forks should have one
// thread: a lock that another thread holds at that moment is never released in the child. glibc
// takes those of its allocator around a fork; AddressSanitizer of g++ 12 doesn't take its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace codynamo::testing {

/// The text behind `before` in a JSON document, up to the next quote.
std::string text_after(const std::string& document, const std::string& before);

/// Echoes the key of each GetItem, fails the key "failing", and delays the key "slow" until
/// release(); every transaction succeeds. Killed with this process, and ended by the destructor.
class echo_process {
public:
    /// To be called before there are threads. Throws std::system_error when there can be no
    /// process.
    explicit echo_process(bool tls);
    ~echo_process();
    echo_process(const echo_process&) = delete;
    echo_process& operator=(const echo_process&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// Accepted so far.
    [[nodiscard]] std::size_t connections() const { return number('c'); }
    /// Read from end to end so far.
    [[nodiscard]] std::size_t requests() const { return number('n'); }
    /// ClientRequestToken of each transaction so far.
    [[nodiscard]] std::vector<std::string> tokens() const;
    /// Sends the delayed answers, and delays none from now on.
    void release() { (void)number('r'); }

private:
    [[nodiscard]] std::size_t number(char command) const;

    int channel_ = -1;
    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

} // namespace codynamo::testing
