// SPDX-License-Identifier: BSL-1.0
#include <codynamo/error.hpp>
#include <codynamo/record.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

namespace codynamo {

namespace {

using count = std::int64_t;
constexpr count most = std::numeric_limits<count>::max();
constexpr count least = std::numeric_limits<count>::min();

count saturating_add(count a, count b) noexcept {
    if (b > 0 && a > most - b) return most;
    if (b < 0 && a < least - b) return least;
    return a + b;
}

count saturating_subtract(count a, count b) noexcept {
    if (b < 0 && a > most + b) return most;
    if (b > 0 && a < least + b) return least;
    return a - b;
}

} // namespace

std::chrono::microseconds age(const record& r, timestamp now) noexcept {
    return std::chrono::microseconds{
        saturating_subtract(now.time_since_epoch().count(), r.written.time_since_epoch().count())};
}

bool is_fresh(const record& r, timestamp now) noexcept {
    if (r.lifetime == for_ever) return true;
    return r.lifetime > for_ever && age(r, now) < r.lifetime;
}

std::optional<ttl> remaining(const record& r, timestamp now) noexcept {
    if (r.lifetime == for_ever) return std::nullopt;
    if (!is_fresh(r, now)) return ttl{0};
    return ttl{saturating_subtract(r.lifetime.count(), age(r, now).count())};
}

std::optional<timestamp> expires_at(const record& r) noexcept {
    if (r.lifetime == for_ever) return std::nullopt;
    return timestamp{ttl{saturating_add(r.written.time_since_epoch().count(), r.lifetime.count())}};
}

namespace detail {

void refuse_nan_lifetime() {
    throw error(errc::invalid_argument, "lifetime: not a number; a duration is expected");
}

bool beyond_ttl(long double microseconds) noexcept {
    return microseconds >= static_cast<long double>(most) ||
           microseconds <= static_cast<long double>(least);
}

ttl ttl_from_microseconds(long double microseconds) noexcept {
    if (microseconds >= static_cast<long double>(most)) return ttl::max();
    if (microseconds <= static_cast<long double>(least)) return ttl::min();
    const ttl rounded{std::llround(microseconds)};
    if (rounded != for_ever || microseconds == 0) return rounded;
    return microseconds > 0 ? ttl{1} : ttl{-1};
}

} // namespace detail

} // namespace codynamo
