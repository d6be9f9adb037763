// SPDX-License-Identifier: BSL-1.0
// Credentials that expire: who fetches them, when, and who waits for it.
#pragma once

#include <codynamo/aws/credentials.hpp>
#include <codynamo/environment.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string_view>

namespace codynamo::aws::detail {

class source_memory;

/// A place to fetch credentials from, without any memory of its own.
class credential_source {
public:
    virtual ~credential_source() = default;
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    /// Throws not_configured, or error with errc::no_credentials. Must bound its own time.
    /// At most one runs at a time, on a strand of the executor of a caller. It may be
    /// cancelled (terminal), and its frame is destroyed with its execution context. When that
    /// context has stopped running (refresh_policy::longest_stall), another one is started on the
    /// executor of a waiting caller, and the first may still go on later.
    [[nodiscard]] virtual boost::asio::awaitable<credentials> fetch() = 0;
    /// As of credentials_provider, for a source that has a provider of its own.
    virtual void set_clock_offset(std::chrono::microseconds /*ahead*/) {}
    virtual void abandon_renewal() {}
};

struct refresh_policy {
    /// Hands out expired credentials when they cannot be refreshed (instance metadata), and tries
    /// again after 10 to 15 min.
    bool static_stability = false;
    /// A context that has not run a handler for so long does not run. Callers that wait for its
    /// fetch in another context check after as much real time.
    std::chrono::milliseconds longest_stall{5000};
};

/// Remembers what a source gave, and fetches anew before it expires: one fetch for all callers.
/// - Within 15 min of the expiry the fetch runs in the background, while callers go on with what
///   there is; within 10 min of it they wait for the fetch, but not for one that has been under way
///   for a second: they go on with what is valid, which valid() gives at once.
/// - A fetch that fails while there are valid credentials is logged as a warning, and callers
///   go on with those; the next one begins after 10 s · 2^(n−1), at most 5 min, half of it random
///   and never more than half of the time that is left. Without valid ones it fails for all
///   waiting callers and for those that come before the next fetch is due, 1 s · 2^(n−1), at most a
///   minute, half of it random. What is not configured is looked for by each caller.
/// - A fetch that brings credentials for less than 15 min is repeated once, and then after half of
///   the time that is left, at most 5 min.
/// - Credentials that have expired on arrival are a failure, unless there are none that last longer
///   and the policy says otherwise, or no service has shown yet whether our clock is right.
///   Those without an expiry are never fetched again, unless they are invalidated.
/// - invalidate() drops exactly the credentials it is given, but not those that go on by static
///   stability after the source gave the same again.
/// Thread-safe. Callers complete on their own executors; a caller that is cancelled does not
/// disturb the fetch, which outlives the provider unless abandon_renewal() ends it. When the
/// context that runs the fetch is destroyed or stops running, callers that wait in other
/// contexts start another. `memory` is that of the source, of whose clock `env` has the time (null:
/// one of its own).
[[nodiscard]] credentials_provider_ptr refreshing(std::shared_ptr<credential_source> source,
                                                  environment env, refresh_policy policy,
                                                  std::shared_ptr<source_memory> memory = nullptr);

} // namespace codynamo::aws::detail
