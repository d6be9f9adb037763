// SPDX-License-Identifier: BSL-1.0
// How far the server's clock is ahead of ours, learnt from the Date header of its responses.
#pragma once

#include <codynamo/environment.hpp>
#include <codynamo/error.hpp>
#include <codynamo/net/transport.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace codynamo::aws {

/// Parses "Tue, 14 Nov 2023 22:13:20 GMT" (RFC 9110, IMF-fixdate; the day's name is not looked at);
/// nullopt for anything else.
[[nodiscard]] std::optional<std::chrono::sys_seconds>
parse_http_date(std::string_view text) noexcept;

/// When an exchange took place, by our clock.
struct exchange_times {
    timestamp sent{};
    timestamp received{};
};

/// Server's clock minus ours as one response shows it; nullopt when it does not: no Date, an Age
/// header (an answer out of somebody's cache), a round trip of more than 15 min or of less than
/// nothing (our clock was set meanwhile).
///
/// The server read its clock somewhere between sent and received, and then cut the fraction of the
/// second off. So the best guess is the middle of either: Date + 0.5 s − (sent + received) / 2. It
/// is off by at most half a second and half of the round trip.
[[nodiscard]] std::optional<std::chrono::microseconds>
observed_skew(const net::response_view& response, const exchange_times& when) noexcept;

/// The offset in use. Thread-safe; a relaxed load to use, and one more to learn nothing new.
///
/// A clock that is right must not be corrected by noise, and an offset that changes all the time
/// would make records of short lifetimes jump. So zero is believed in first, and any offset is
/// until an observation contradicts it by more than `tolerance` and half of its round trip: two
/// observations of one and the same skew differ by at most 1 s and a round trip, and servers that
/// compute the header once a second only add another second.
///
/// One observation is enough for the date of a signature, which is wrong for one request at worst.
/// What is stored stays, so the times of records wait for a second one that agrees.
///
/// The header may be wrong where the clock that judges signatures is right (a proxy, a badly set
/// front end). An offset with which a signature is refused is therefore dropped, and learnt again
/// only when a signature without it is refused too.
class clock_skew {
public:
    using microseconds = std::chrono::microseconds;
    static constexpr microseconds tolerance = std::chrono::seconds(2);
    /// Records are stored by the server's clock beyond this (see table_offset).
    static constexpr microseconds record_threshold = std::chrono::seconds(5);
    /// And up to this: who is more than a day off is not to be believed in either case.
    static constexpr microseconds record_limit = std::chrono::hours(24);
    /// A refusal is the clock's fault when the date was off by more than this.
    static constexpr microseconds refusal_threshold = std::chrono::minutes(4);

    explicit clock_skew(bool enabled) noexcept : enabled_(enabled) {}

    [[nodiscard]] bool enabled() const noexcept { return enabled_; }
    /// To be added to our clock for the date of a signature.
    [[nodiscard]] microseconds offset() const noexcept {
        return microseconds(offset_.load(std::memory_order_relaxed));
    }
    /// To be added to our clock for the times of records: nothing up to record_threshold, because a
    /// second more or less is all the same to native TTL and not to a lifetime of half a second;
    /// and nothing beyond record_limit.
    [[nodiscard]] microseconds table_offset() const noexcept { return for_records(confirmed()); }
    /// Whether one more observation may change table_offset() so that it matters.
    [[nodiscard]] bool table_offset_in_doubt() const noexcept {
        return !same_for_records(for_records(offset()), table_offset());
    }
    /// Whether times that were computed by the one offset may stay when the other one is right.
    [[nodiscard]] static bool same_for_records(microseconds a, microseconds b) noexcept {
        return std::chrono::abs(a - b) <= record_threshold;
    }
    /// Whether an answer with that Date header, to what was sent then, is of the same second by
    /// both clocks as one that taught nothing. Spares the reading of dates, but for one a second.
    [[nodiscard]] bool is_old_news(std::string_view date, timestamp sent) const noexcept {
        return seconds_of(date, sent) == old_news_.load(std::memory_order_relaxed);
    }
    /// After learn() has returned false.
    void remember(std::string_view date, timestamp sent) noexcept;
    /// Whether the offset changed. An offset that was dropped is not learnt again, unless
    /// `refused`: the service refused the date that was computed with the present one.
    bool learn(microseconds observed, const exchange_times& when, bool refused = false) noexcept;
    /// The service refused a date that was computed with `failed`, although its Date header does
    /// not contradict it. Goes back to zero when that is the offset in use, and distrusts `failed`
    /// from then on. Does nothing for one below refusal_threshold, which no service refuses.
    /// Whether another offset than `failed` is in use now.
    bool drop(microseconds failed) noexcept;
    /// Takes over an offset that was learnt elsewhere.
    void set(microseconds offset) noexcept;
    /// Whether anything was learnt, and be it that our clock is right.
    [[nodiscard]] bool is_known() const noexcept { return known_.load(std::memory_order_relaxed); }

private:
    [[nodiscard]] microseconds confirmed() const noexcept {
        return microseconds(confirmed_.load(std::memory_order_relaxed));
    }
    [[nodiscard]] static microseconds for_records(microseconds offset) noexcept {
        const microseconds size = std::chrono::abs(offset);
        return size > record_threshold && size <= record_limit ? offset : microseconds(0);
    }

    /// Both seconds in one word; 0 for what is no date.
    [[nodiscard]] static std::uint64_t seconds_of(std::string_view date, timestamp sent) noexcept;

    static constexpr std::uint64_t no_news = ~std::uint64_t{0};
    static constexpr microseconds::rep none = std::numeric_limits<microseconds::rep>::max();
    const bool enabled_;
    /// The last observation that contradicted the one before, and the last one that was confirmed.
    std::atomic<microseconds::rep> offset_{0};
    std::atomic<microseconds::rep> confirmed_{0};
    /// The last one that was dropped.
    std::atomic<microseconds::rep> distrusted_{none};
    std::atomic<std::uint64_t> old_news_{no_news};
    std::atomic<bool> known_{false};
};

/// Whether the service may have refused the request for its date. AccessDeniedException is among
/// them; RequestExpired is a matter of the token.
[[nodiscard]] bool is_skew_code(std::string_view service_code) noexcept;

/// Whether the service names the date of the request as the reason of its refusal. A wrong secret
/// is answered with the same codes, and says nothing of clocks.
[[nodiscard]] bool refuses_date(std::string_view service_code, std::string_view message) noexcept;

} // namespace codynamo::aws
