// SPDX-License-Identifier: BSL-1.0
// What a backend stores for a key: bytes and times, never a value. Decides freshness, for every
// backend.
#pragma once

#include <codynamo/environment.hpp>
#include <codynamo/export.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace codynamo {

/// A record's lifetime. Zero is for ever; a negative one is expired from the start (as in
/// pynamodb_mate).
using ttl = std::chrono::microseconds;

inline constexpr ttl for_ever{0};

struct record {
    /// What the serializer policy made.
    std::string value{};
    /// When it was written, by the clock of whoever wrote it.
    timestamp written{};
    /// How long it is valid from then on; zero is for ever.
    ttl lifetime = for_ever;
    /// Which backend it was read from; a string of static storage duration. Not stored.
    std::string_view source{};
};

/// The one rule of freshness: valid while now − written < lifetime, or for ever when lifetime is
/// zero. A negative lifetime is never valid, however far ahead the writer's clock was.
[[nodiscard]] CODYNAMO_API bool is_fresh(const record& r, timestamp now) noexcept;

/// Time since it was written (saturating): negative when the writer's clock is ahead.
[[nodiscard]] CODYNAMO_API std::chrono::microseconds age(const record& r, timestamp now) noexcept;

/// What is left of the lifetime: nullopt when it is for ever, never negative.
[[nodiscard]] CODYNAMO_API std::optional<ttl> remaining(const record& r, timestamp now) noexcept;

/// When it stops being valid (saturating): nullopt when it never does.
[[nodiscard]] CODYNAMO_API std::optional<timestamp> expires_at(const record& r) noexcept;

/// Any chrono duration as a ttl, saturating. Integral durations round down to microseconds,
/// floating-point ones to the nearest; a positive one never becomes zero, which would be for ever.
/// Throws errc::invalid_argument when a floating-point duration is not a number.
template <class Rep, class Period>
[[nodiscard]] ttl to_ttl(std::chrono::duration<Rep, Period> lifetime);

namespace detail {

using wide_microseconds = std::chrono::duration<long double, std::micro>;

[[noreturn]] CODYNAMO_API void refuse_nan_lifetime();
/// Rounds and saturates; a number, please.
[[nodiscard]] CODYNAMO_API ttl ttl_from_microseconds(long double microseconds) noexcept;
/// Whether that many microseconds do not fit a ttl.
[[nodiscard]] CODYNAMO_API bool beyond_ttl(long double microseconds) noexcept;

} // namespace detail

template <class Rep, class Period>
ttl to_ttl(std::chrono::duration<Rep, Period> lifetime) {
    const long double wide =
        std::chrono::duration_cast<detail::wide_microseconds>(lifetime).count();
    if constexpr (std::chrono::treat_as_floating_point_v<Rep>) {
        if (wide != wide) detail::refuse_nan_lifetime();
        return detail::ttl_from_microseconds(wide);
    } else {
        if (detail::beyond_ttl(wide)) return detail::ttl_from_microseconds(wide);
        const ttl rounded = std::chrono::floor<ttl>(lifetime);
        return rounded == for_ever && wide > 0 ? ttl{1} : rounded;
    }
}

inline ttl to_ttl(ttl lifetime) {
    return lifetime;
}

/// Any chrono duration as an argument. One that is not a number is kept as such, so that the
/// operation it is given to can report it.
class lifespan {
public:
    template <class Rep, class Period>
    lifespan(std::chrono::duration<Rep, Period> lifetime) // NOLINT(google-explicit-constructor)
        : number_(!(lifetime != lifetime)), value_(number_ ? to_ttl(lifetime) : for_ever) {}

    /// Throws errc::invalid_argument when it is not a number.
    [[nodiscard]] ttl get() const {
        if (!number_) detail::refuse_nan_lifetime();
        return value_;
    }

private:
    bool number_;
    ttl value_;
};

} // namespace codynamo
