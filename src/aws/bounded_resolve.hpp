// SPDX-License-Identifier: BSL-1.0
// Somebody else's credentials, or the end of one's patience.
#pragma once

#include <codynamo/aws/credentials.hpp>
#include <codynamo/environment.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>

namespace codynamo::aws::detail {

/// What provider->resolve() gives or throws; what provider->valid() gives, if anything, after a
/// second; but errc::no_credentials when it gives null or takes
/// longer than `most`: its coroutine is then cancelled and left to itself, however long it takes to
/// notice. Cancellation: all types; leaves it likewise and throws operation_aborted.
[[nodiscard]] boost::asio::awaitable<credentials_ptr>
resolve_within(std::chrono::seconds most, credentials_provider_ptr provider,
               std::shared_ptr<const clock> time);

} // namespace codynamo::aws::detail
