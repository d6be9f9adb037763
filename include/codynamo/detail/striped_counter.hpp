// SPDX-License-Identifier: BSL-1.0
// A counter that many threads add to and somebody reads now and then.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace codynamo::detail {

/// A small number of the calling thread's own, for stripes that neighbours are not to share.
[[nodiscard]] inline std::size_t number_of_thread() noexcept {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
    return mine;
}

/// Thread-safe. Adding does not wait for other threads' processors; total() may miss what is added
/// meanwhile.
class striped_counter {
public:
    void add(std::uint64_t n) noexcept {
        stripes_[number_of_thread() % stripes_.size()].count.fetch_add(n,
                                                                       std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t total() const noexcept {
        std::uint64_t sum = 0;
        for (const stripe& one : stripes_)
            sum += one.count.load(std::memory_order_relaxed);
        return sum;
    }

private:
    struct alignas(128) stripe { // processors fetch lines in pairs
        std::atomic<std::uint64_t> count{0};
    };
    std::array<stripe, 8> stripes_;
};

} // namespace codynamo::detail
