// SPDX-License-Identifier: BSL-1.0
// A server of made-up records: whatever key is asked for has a value of 1 KiB, which begins with
// the key. What is measured against it is the client.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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
    /// From now on requests are read and nothing is answered, until release(): then everything is.
    void hold();
    void release();

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

/// What the server has under a key.
[[nodiscard]] std::string served_value(std::string_view key);

/// Pins the calling thread; does nothing when `core` is negative.
void pin_to_core(int core) noexcept;

} // namespace bench
