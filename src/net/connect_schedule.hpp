// SPDX-License-Identifier: BSL-1.0
// Which address is tried when (RFC 8305, "happy eyeballs"): decisions only, no sockets, no clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace codynamo::net {

/// The order in which addresses are tried: the families take turns, beginning with that of the
/// first address, each in the order given. Positions in `is_v6`.
[[nodiscard]] std::vector<std::size_t> take_turns(const std::vector<bool>& is_v6);

/// Addresses are tried one after the other, each with a head start over the next; a failure spares
/// the rest of the wait. Nobody is given up before somebody has won or all have failed.
class connect_schedule {
public:
    using duration = std::chrono::steady_clock::duration;
    using time_point = std::chrono::steady_clock::time_point;

    connect_schedule(std::size_t addresses, duration head_start) noexcept
        : addresses_(addresses), head_start_(head_start) {}

    enum class action {
        start, ///< connect to `address`, and ask again
        wait,  ///< until `until`, or until somebody has won or failed
        lost,  ///< all have failed
    };
    struct step {
        action what;
        std::size_t address = 0;
        time_point until = time_point::max();
    };

    [[nodiscard]] step next(time_point now) noexcept;
    /// One of those that were started has failed.
    void failed() noexcept;

private:
    std::size_t addresses_;
    duration head_start_;
    std::size_t started_ = 0;
    std::size_t running_ = 0;
    time_point next_at_ = time_point::min();
};

} // namespace codynamo::net
