// SPDX-License-Identifier: BSL-1.0
// Runs many small jobs side by side, so many at a time and no more.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>

namespace codynamo::detail {

/// A job; called with its index on a strand of the caller's executor, so jobs never run at the same
/// instant.
using fan_out_job = std::function<boost::asio::awaitable<void>(std::size_t index)>;

/// Runs job(0) … job(count − 1), at most `concurrency` (≥ 1) under way at once, and completes on
/// the caller's executor when all that were started have ended. Errors: after the first exception
/// no further job starts; that exception is rethrown. Cancellation: all types; forwarded to the
/// jobs under way, then waits for their end.
[[nodiscard]] boost::asio::awaitable<void> fan_out(std::size_t count, std::size_t concurrency,
                                                   fan_out_job job);

} // namespace codynamo::detail
