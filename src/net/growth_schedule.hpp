// SPDX-License-Identifier: BSL-1.0
// When a pool that could not open one more connection tries again: decisions only, no clock.
#pragma once

#include <boost/system/error_code.hpp>

#include <algorithm>
#include <chrono>

namespace codynamo::net {

/// What the process or the machine lacked when an operation on sockets failed. That says nothing
/// about the server.
enum class shortage {
    none,
    address, ///< a local port, or any address of the server's family: where IPv6 is switched off
    memory,  ///< memory or a descriptor
};

[[nodiscard]] inline shortage shortage_of(const boost::system::error_code& ec) noexcept {
    namespace errc = boost::system::errc;
    if (ec == errc::address_not_available) return shortage::address;
    const bool memory = ec == errc::too_many_files_open ||
                        ec == errc::too_many_files_open_in_system || ec == errc::no_buffer_space ||
                        ec == errc::not_enough_memory;
    return memory ? shortage::memory : shortage::none;
}

/// After a failure one attempt at a time, at growing intervals, until one succeeds.
class growth_schedule {
public:
    using duration = std::chrono::steady_clock::duration;
    using time_point = std::chrono::steady_clock::time_point;

    static constexpr duration first_pause = std::chrono::milliseconds(10);
    static constexpr duration longest_pause = std::chrono::seconds(1);

    /// Whether a connection may be opened now. After a failure true claims the attempt that is due.
    [[nodiscard]] bool start(time_point now) noexcept {
        if (pause_ == duration::zero()) return true;
        if (now < next_at_) return false;
        next_at_ = now + pause_;
        probing_ = true;
        return true;
    }

    /// Attempts that were started together and fail together count once.
    void failed(time_point now, bool exhausted) noexcept {
        exhausted_ = exhausted;
        if (pause_ != duration::zero() && !probing_) return;
        pause_ = std::clamp(2 * pause_, first_pause, longest_pause);
        next_at_ = now + pause_;
        probing_ = false;
    }

    void succeeded() noexcept { *this = {}; }

    /// Whether the last failure was one of the process or the machine.
    [[nodiscard]] bool exhausted() const noexcept { return exhausted_; }
    /// When the next attempt is due; long ago unless growth is failing.
    [[nodiscard]] time_point next_at() const noexcept { return next_at_; }

private:
    duration pause_{};     // zero: growth is not failing
    time_point next_at_{}; // while growth is failing
    bool probing_ = false; // the attempt that was due has been started
    bool exhausted_ = false;
};

} // namespace codynamo::net
