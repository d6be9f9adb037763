// SPDX-License-Identifier: BSL-1.0
// Decides which request goes alone, which one waits for company, and when those who wait go. Does
// no I/O and knows no time but what it is told.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace codynamo::detail {

/// One kind of requests (reads or writes) in one execution context. What is gathered is counted in
/// items, each a key of its own; that several callers share one is none of its business.
class batch_core {
public:
    using time_point = std::chrono::steady_clock::time_point;

    struct limits {
        unsigned crossover = 1;       ///< requests under way from which on the next one waits
        std::size_t most_items = 100; ///< of a batch
        std::size_t most_bytes = 0;   ///< of a batch; 0: no matter
        std::chrono::steady_clock::duration max_delay{};
    };

    enum class arrival {
        alone, ///< goes at once; counts as under way, see ended()
        wait,  ///< has been gathered
        flush, ///< has been gathered, and there is no room for more: depart()
    };

    explicit batch_core(const limits& bounds) noexcept : limits_(bounds) {}

    /// Whether a request may go without waiting; counts it if so.
    [[nodiscard]] bool goes_alone() noexcept;
    /// A new item arrives. has_room() must be true, or it must go alone.
    [[nodiscard]] arrival arrive(time_point now, std::size_t bytes = 0) noexcept;
    /// Likewise, of an item that may not go alone.
    [[nodiscard]] arrival gather(time_point now, std::size_t bytes = 0) noexcept;
    /// False: what has been gathered has to depart first.
    [[nodiscard]] bool has_room(std::size_t bytes) const noexcept;
    /// False: what has been gathered has to depart before one of its items grows by so much.
    [[nodiscard]] bool can_grow(std::size_t bytes) const noexcept;
    void grow(std::size_t bytes) noexcept { bytes_ += bytes; }
    /// Nobody wants a gathered item any more.
    void left() noexcept;
    /// What has been gathered goes, as one request.
    void depart() noexcept;
    /// Something that had been gathered goes on its own.
    void went_alone() noexcept { ++under_way_; }
    /// A request has ended. Whether something has been gathered, which then has to depart.
    [[nodiscard]] bool ended() noexcept;
    /// Whether what has been gathered has waited for long enough, and has to depart.
    [[nodiscard]] bool tick(time_point now) const noexcept;
    /// When tick() will say so; nullopt while nothing has been gathered.
    [[nodiscard]] std::optional<time_point> due() const noexcept;
    /// An answer was too large: batches are smaller from now on.
    void shrink(std::size_t items) noexcept;

    [[nodiscard]] std::size_t gathered() const noexcept { return items_; }
    [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }
    [[nodiscard]] std::size_t most_items() const noexcept { return limits_.most_items; }

private:
    [[nodiscard]] bool fits(std::size_t bytes) const noexcept;

    limits limits_;
    std::size_t under_way_ = 0;
    std::size_t items_ = 0;
    std::size_t bytes_ = 0;
    time_point oldest_{};
};

} // namespace codynamo::detail
