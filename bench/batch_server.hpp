// SPDX-License-Identifier: BSL-1.0
// A server of fixed records: whatever key is asked for has a value of 1 KiB. What is measured
// against it is the client.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace bench {

/// Answers GetItem and BatchGetItem, and everything else with {}, on a thread and a port of its
/// own, of 127.0.0.1, until it is destroyed.
class batch_server {
public:
    /// Pinned to a core of the machine unless that is negative. Each answer is sent `delay` after
    /// its request has come: as if the server were further away.
    explicit batch_server(int core, std::chrono::microseconds delay = {});
    ~batch_server();
    [[nodiscard]] std::uint16_t port() const noexcept;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

/// Pins the calling thread; does nothing when `core` is negative.
void pin_to_core(int core) noexcept;

} // namespace bench
