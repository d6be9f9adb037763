// SPDX-License-Identifier: BSL-1.0
// What a client does about an endpoint that fails or is slow, beyond trying again.
#pragma once

#include <chrono>

namespace codynamo::dynamodb {

/// When an endpoint is left alone for a while. Only failures of the endpoint count: no connection,
/// a connection lost, no answer in time, 5xx. Throttling and refusals are answers and do not count;
/// neither does a time-out of an attempt that had less than a second (or less than the whole
/// attempt_timeout, if that is shorter), for that may have been the caller's impatience, nor one of
/// an attempt that waited in vain for one of our own connections. What is no HTTP counts as a
/// failure.
///
/// Successes are counted from the first failure on, so a healthy endpoint costs nothing.
/// An attempt that meets an open circuit is not made. It counts as one of the call's attempts,
/// costs no retry token, and the next one waits at least until the circuit lets a probe through; a
/// call without further attempts, or whose deadline is nearer than that, fails with
/// errc::circuit_open. So with retry.max_attempts = 1 it fails at once.
struct circuit_breaker_config {
    bool enabled = true;
    /// Share of failed attempts at which it opens. > 0, at most 1.
    double failure_rate = 0.5;
    /// Attempts that must have ended within the window before it may open. At least 1.
    unsigned minimum_calls = 100;
    /// 1 s to 1 h.
    std::chrono::milliseconds window{10'000};
    /// How long nothing passes; then one probe (never hedged) decides: an answer closes the
    /// circuit, whatever it says, and anything else opens it again. > 0, at most 1 h.
    std::chrono::milliseconds open_for{500};
};

/// A second GetItem on another connection when the first one is slow; the first good answer wins,
/// and the other request is cancelled (which costs its connection). When the service refuses the
/// first one for good, so is the second. For load() of a table backend too.
struct hedging_config {
    bool enabled = false;
    /// When the second one is sent. 0: the 95th percentile of the latencies of the last thousand or
    /// two GetItems (to within a quarter above), once there have been a hundred. At most 1 h.
    std::chrono::milliseconds delay{0};
    /// Most second requests as a share of the first ones; what is not used is saved up to a hundred
    /// first requests' worth, and to one second request at least. > 0, at most 1.
    double max_extra_load = 0.05;
};

} // namespace codynamo::dynamodb
