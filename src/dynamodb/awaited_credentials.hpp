// SPDX-License-Identifier: BSL-1.0
// Credentials from whatever provider, within the time of a call.
#pragma once

#include "dynamodb/close_signal.hpp"

#include <codynamo/aws/credentials.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/error.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>

namespace codynamo::dynamodb {

/// provider->resolve(). When that takes longer than a quarter of the time to the deadline, or a
/// second, provider->valid(), if there are any; errc::timeout at the deadline, and errc::closed
/// when `closing` says so. The provider's coroutine is then cancelled and left to itself, however
/// long it takes to notice. Whatever it throws comes as a failure. Cancellation: all types; throws
/// operation_aborted at once and leaves the provider likewise.
[[nodiscard]] boost::asio::awaitable<result<aws::credentials_ptr>>
credentials_before(std::chrono::steady_clock::time_point deadline,
                   aws::credentials_provider_ptr provider, std::shared_ptr<const clock> time,
                   std::shared_ptr<close_signal> closing);

} // namespace codynamo::dynamodb
