// SPDX-License-Identifier: BSL-1.0
// Two coroutines side by side, of which one is enough.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace codynamo::dynamodb {

enum class race_end {
    /// When one branch has decided. The other one is cancelled and left to itself: it must own
    /// whatever it touches, and may even never end.
    first_decided,
    /// When both branches have ended; they may borrow from the caller.
    all_ended,
};

/// Runs both on one strand of the caller's executor, the first one first and, as long as it does
/// not suspend, alone. A branch that returns true, or throws anything, has decided: the other one
/// is cancelled, wherever it is by then. Completes on the caller's executor. Errors: what the
/// branch that decided has thrown. Cancellation: all types; cancels both branches and throws
/// operation_aborted, in the manner of `until`.
[[nodiscard]] boost::asio::awaitable<void>
race(boost::asio::awaitable<bool> first, boost::asio::awaitable<bool> second, race_end until);

} // namespace codynamo::dynamodb
