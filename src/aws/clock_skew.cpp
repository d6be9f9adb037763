// SPDX-License-Identifier: BSL-1.0
// Source: the AWS SDKs' unified clock skew behaviour of 2026.
#include "aws/clock_skew.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace codynamo::aws {
namespace {

using std::chrono::microseconds;

constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// −1 when one of the characters is no digit.
int digits(std::string_view text) noexcept {
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

} // namespace

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) noexcept {
    using namespace std::chrono;
    //  0    5  8   12   17 20 23 26
    // "Tue, 14 Nov 2023 22:13:20 GMT"
    if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" ||
        text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' ||
        text[22] != ':') {
        return std::nullopt;
    }
    const auto* const name = std::find(month_names.begin(), month_names.end(), text.substr(8, 3));
    if (name == month_names.end()) return std::nullopt;
    const auto number_of_month = static_cast<unsigned>(name - month_names.begin()) + 1;
    const int d = digits(text.substr(5, 2));
    const int y = digits(text.substr(12, 4));
    const int h = digits(text.substr(17, 2));
    const int m = digits(text.substr(20, 2));
    const int s = digits(text.substr(23, 2));
    if (d < 0 || y < 0 || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60) {
        return std::nullopt; // 60 is a leap second
    }
    const year_month_day date(year(y), month(number_of_month), day(static_cast<unsigned>(d)));
    if (!date.ok()) return std::nullopt;
    return sys_days(date) + hours(h) + minutes(m) + seconds(s);
}

std::optional<microseconds> observed_skew(const net::response_view& response,
                                          const exchange_times& when) noexcept {
    constexpr microseconds longest_round_trip = std::chrono::minutes(15);
    const microseconds round_trip = when.received - when.sent;
    if (round_trip < microseconds(0) || round_trip > longest_round_trip) return std::nullopt;
    const auto date = parse_http_date(response.header("date"));
    if (!date || !response.header("age").empty()) return std::nullopt;
    const timestamp server = timestamp(*date) + std::chrono::milliseconds(500);
    return server - (when.sent + round_trip / 2);
}

bool clock_skew::learn(microseconds observed, const exchange_times& when, bool refused) noexcept {
    if (!enabled_) return false;
    known_.store(true, std::memory_order_relaxed);
    const microseconds used = offset();
    const microseconds before = confirmed();
    const microseconds allowed = tolerance + (when.received - when.sent) / 2;
    const auto agrees = [&](microseconds with) {
        return observed - with <= allowed && with - observed <= allowed;
    };
    if (agrees(used)) {
        if (used != before) confirmed_.store(used.count(), std::memory_order_relaxed);
        return false;
    }
    const auto distrusted = distrusted_.load(std::memory_order_relaxed);
    if (distrusted != none && agrees(microseconds(distrusted))) {
        if (!refused) return false;
        distrusted_.store(none, std::memory_order_relaxed);
    }
    const microseconds learnt = agrees(before) ? before : observed;
    offset_.store(learnt.count(), std::memory_order_relaxed);
    old_news_.store(no_news, std::memory_order_relaxed);
    return true;
}

bool clock_skew::drop(microseconds failed) noexcept {
    if (!enabled_ || std::chrono::abs(failed) <= refusal_threshold) return false;
    microseconds::rep used = failed.count();
    if (offset_.compare_exchange_strong(used, 0, std::memory_order_relaxed)) {
        distrusted_.store(failed.count(), std::memory_order_relaxed);
        confirmed_.store(0, std::memory_order_relaxed);
        old_news_.store(no_news, std::memory_order_relaxed);
    }
    return true;
}

void clock_skew::set(microseconds offset) noexcept {
    if (!enabled_) return;
    offset_.store(offset.count(), std::memory_order_relaxed);
    confirmed_.store(offset.count(), std::memory_order_relaxed);
    old_news_.store(no_news, std::memory_order_relaxed);
    known_.store(true, std::memory_order_relaxed);
}

std::uint64_t clock_skew::seconds_of(std::string_view date, timestamp sent) noexcept {
    constexpr std::size_t time_of_day = 17; // "22:13:20"
    std::uint64_t text = 0;
    if (date.size() < time_of_day + sizeof(text)) return 0;
    std::memcpy(&text, date.data() + time_of_day, sizeof(text));
    const auto second = std::chrono::floor<std::chrono::seconds>(sent.time_since_epoch()).count();
    return text ^ static_cast<std::uint64_t>(second) * 0x9e3779b97f4a7c15U; // to every bit
}

void clock_skew::remember(std::string_view date, timestamp sent) noexcept {
    const std::uint64_t seconds = seconds_of(date, sent);
    if (seconds == 0 || offset() != confirmed()) return;
    old_news_.store(seconds, std::memory_order_relaxed);
}

bool is_skew_code(std::string_view service_code) noexcept {
    constexpr std::array<std::string_view, 5> codes = {
        "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure", "RequestTimeTooSkewed",
        "AccessDeniedException"};
    return std::find(codes.begin(), codes.end(), service_code) != codes.end();
}

bool refuses_date(std::string_view service_code, std::string_view message) noexcept {
    return service_code == "RequestTimeTooSkewed" || message.starts_with("Signature expired") ||
           message.starts_with("Signature not yet current");
}

} // namespace codynamo::aws
