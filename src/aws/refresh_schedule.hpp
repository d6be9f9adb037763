// SPDX-License-Identifier: BSL-1.0
// When credentials are fetched again, and what is handed out meanwhile: decisions only, no clock,
// no coroutine.
#pragma once

#include "aws/refreshing_provider.hpp"

#include <codynamo/aws/credentials.hpp>

#include <chrono>

namespace codynamo::aws::detail {

/// Source of the two windows: botocore's RefreshableCredentials.
inline constexpr std::chrono::minutes advisory_window{15};
inline constexpr std::chrono::minutes mandatory_window{10};

/// After the n-th failure in a row 10 s · 2^(n−1), at most 5 min; the half of it is random.
inline constexpr std::chrono::seconds first_backoff{10};
/// Also the longest pause after a refresh that brought nothing much newer.
inline constexpr std::chrono::minutes longest_backoff{5};

/// The same while there are none: from 1 s · 2^(n−1) to a minute.
inline constexpr std::chrono::seconds first_backoff_without{1};
inline constexpr std::chrono::seconds longest_backoff_without{60};

/// Who waits for a fetch that takes longer goes on with the valid ones.
inline constexpr std::chrono::seconds longest_hold{1};

/// Source: static stability of the Rust SDK's instance metadata client; plus up to the half of it.
inline constexpr std::chrono::minutes stability_pause{10};

struct moment {
    timestamp wall{};
    /// By this machine's own clock, without what was learnt of the service's.
    timestamp own_wall{};
    std::chrono::steady_clock::time_point steady{};
    /// Whether a service has shown that `wall` is right, or by how much to correct it.
    bool wall_is_known = true;
};

enum class advice {
    use,             ///< what is there is good
    use_and_refresh, ///< it is, but not for long
    refresh,         ///< fetch before going on
    refuse,          ///< there are none, and it is too early to fetch after a failure
};

/// Not thread-safe.
class refresh_schedule {
public:
    explicit refresh_schedule(refresh_policy policy) noexcept : policy_(policy) {}

    [[nodiscard]] advice ask(moment now) const noexcept;
    [[nodiscard]] const credentials_ptr& known() const noexcept { return known_; }
    /// What may be handed out although a refresh has failed; null when there is nothing.
    [[nodiscard]] credentials_ptr usable(moment now) const noexcept;

    /// False when the fetched credentials are not used: they have expired already and the policy
    /// does not accept that, or the known ones last longer. While the offset of this machine's
    /// clock is unknown, or where it is only that offset by which they have expired, such are
    /// accepted all the same, for a minute at most: the service judges them, and its answer shows
    /// its clock. Otherwise a wrong offset would keep every request from being sent, and so itself
    /// from being corrected.
    [[nodiscard]] bool fetched(credentials_ptr fresh, moment now, double random);
    void failed(moment now, double random) noexcept;
    /// Drops these and no others. Expired ones that go on only because the source gave the same
    /// again after they were refused stay: their pause goes on, instead of a fetch per refusal.
    void invalidate(const credentials_ptr& refused) noexcept;

private:
    [[nodiscard]] std::chrono::microseconds left(timestamp now) const noexcept;
    [[nodiscard]] bool outlasts(const credentials& fresh) const noexcept;
    /// They are handed out although they have expired, until the next fetch is due.
    void stretch(moment now, double random) noexcept;
    /// The pause after another failure; half of it is random.
    [[nodiscard]] std::chrono::microseconds back_off(std::chrono::microseconds first,
                                                     std::chrono::microseconds longest,
                                                     double random) noexcept;

    refresh_policy policy_;
    credentials_ptr known_;
    /// The last that were dropped, until there are valid ones.
    credentials_ptr refused_;
    unsigned failures_ = 0;
    [[nodiscard]] bool takes_expired(const credentials& expired, const moment& now) const noexcept {
        return policy_.static_stability || !now.wall_is_known || *expired.expires > now.own_wall;
    }
    [[nodiscard]] bool is_good(const moment& now) const noexcept;

    /// The expired ones are handed out all the same.
    bool stretched_ = false;
    std::chrono::steady_clock::time_point not_before_{std::chrono::steady_clock::time_point::min()};
};

} // namespace codynamo::aws::detail
