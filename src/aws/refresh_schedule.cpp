// SPDX-License-Identifier: BSL-1.0
#include "aws/refresh_schedule.hpp"

#include <algorithm>
#include <utility>

namespace codynamo::aws::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

constexpr auto at_once = std::chrono::steady_clock::time_point::min();

microseconds scaled(microseconds whole, double factor) noexcept {
    return microseconds(
        static_cast<microseconds::rep>(static_cast<double>(whole.count()) * factor));
}

/// Half of what is left, so that a pause never outlasts the credentials it saves.
microseconds within_half(microseconds pause, microseconds left) noexcept {
    return std::min(pause, std::max<microseconds>(left / 2, 1s));
}

bool same(const credentials& a, const credentials& b) noexcept {
    return a.access_key_id == b.access_key_id && a.session_token == b.session_token &&
           a.expires == b.expires;
}

} // namespace

microseconds refresh_schedule::left(timestamp now) const noexcept {
    return known_->expires ? *known_->expires - now : microseconds::max();
}

bool refresh_schedule::outlasts(const credentials& fresh) const noexcept {
    return known_ && (!known_->expires || *known_->expires > *fresh.expires);
}

bool refresh_schedule::is_good(const moment& now) const noexcept {
    return left(now.wall) > 0us || (stretched_ && takes_expired(*known_, now));
}

advice refresh_schedule::ask(moment now) const noexcept {
    if (!known_) return now.steady < not_before_ ? advice::refuse : advice::refresh;
    const auto rest = left(now.wall);
    if (rest > advisory_window) return advice::use;
    if (!is_good(now)) return advice::refresh;
    if (now.steady < not_before_) return advice::use;
    return rest > mandatory_window || stretched_ ? advice::use_and_refresh : advice::refresh;
}

credentials_ptr refresh_schedule::usable(moment now) const noexcept {
    return known_ && is_good(now) ? known_ : nullptr;
}

bool refresh_schedule::fetched(credentials_ptr fresh, moment now, double random) {
    const bool expired = fresh->expires && *fresh->expires <= now.wall;
    if (expired && (!takes_expired(*fresh, now) || outlasts(*fresh))) return false;
    if (!expired) refused_.reset();
    const bool first = !known_;
    known_ = std::move(fresh);
    if (expired) {
        stretch(now, random);
        return true;
    }
    failures_ = 0;
    stretched_ = false;
    not_before_ = at_once;
    if (const auto rest = left(now.wall); !first && rest <= advisory_window) {
        // The source has nothing newer yet, or never lends for longer.
        not_before_ = now.steady + within_half(longest_backoff, rest);
    }
    return true;
}

void refresh_schedule::failed(moment now, double random) noexcept {
    const auto rest = known_ ? left(now.wall) : 0us;
    if (known_ && rest <= 0us) {
        const bool is_tried = stretched_ && takes_expired(*known_, now);
        if (policy_.static_stability || is_tried) return stretch(now, random);
        known_.reset();
        failures_ = 0;
    }
    const microseconds first = known_ ? first_backoff : first_backoff_without;
    const microseconds longest = known_ ? longest_backoff : longest_backoff_without;
    const microseconds pause = back_off(first, longest, random);
    not_before_ = now.steady + (known_ ? within_half(pause, rest) : pause);
}

microseconds refresh_schedule::back_off(microseconds first, microseconds longest,
                                        double random) noexcept {
    const auto doublings = std::min(failures_++, 6U);
    return scaled(std::min<microseconds>(first * (1U << doublings), longest), 0.5 + random / 2);
}

void refresh_schedule::stretch(moment now, double random) noexcept {
    stretched_ = true;
    not_before_ =
        now.steady + (policy_.static_stability
                          ? scaled(stability_pause, 1 + random / 2)
                          : back_off(first_backoff_without, longest_backoff_without, random));
}

void refresh_schedule::invalidate(const credentials_ptr& refused) noexcept {
    if (!refused || known_ != refused) return;
    if (stretched_ && refused_ && same(*refused_, *known_)) return;
    refused_ = std::move(known_);
    known_.reset();
    failures_ = 0;
    stretched_ = false;
    not_before_ = at_once;
}

} // namespace codynamo::aws::detail
