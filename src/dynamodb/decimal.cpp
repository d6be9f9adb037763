// SPDX-License-Identifier: BSL-1.0
// The grammar of decimal texts.
#include "dynamodb/decimal.hpp"

#include <algorithm>

namespace codynamo::dynamodb {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// The digits after 'e', capped; nothing when there is none or something else.
std::optional<std::int64_t> parse_exponent(std::string_view text) noexcept {
    constexpr std::int64_t cap = 100'000'000;
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
    std::int64_t value = 0;
    for (const char c : text)
        value = std::min(value * 10 + (c - '0'), cap);
    return negative ? -value : value;
}

} // namespace

std::optional<decimal> parse_decimal(std::string_view text) noexcept {
    constexpr std::size_t longest = 100'000'000; // keeps powers far from overflow
    if (text.size() > longest) return std::nullopt;
    decimal out;
    out.negative = text.starts_with('-');
    if (out.negative || text.starts_with('+')) text.remove_prefix(1);

    std::int64_t exponent = 0;
    if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
        const auto parsed = parse_exponent(text.substr(e + 1));
        if (!parsed) return std::nullopt;
        exponent = *parsed;
        text = text.substr(0, e);
    }
    const std::size_t point = std::min(text.find('.'), text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
        if (i != point && !is_digit(text[i])) return std::nullopt;
    if (text.empty() || text == ".") return std::nullopt;

    const std::size_t first = text.find_first_of("123456789");
    if (first == std::string_view::npos) return out;
    const std::size_t last = text.find_last_of("123456789");
    const auto power = [&](std::size_t at) {
        const auto distance = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(at);
        return exponent + distance - (at < point ? 1 : 0);
    };
    out.first_power = power(first);
    out.last_power = power(last);
    out.digits = static_cast<std::size_t>(out.first_power - out.last_power) + 1;
    out.significant = text.substr(first, last - first + 1);
    return out;
}

std::optional<std::uint64_t> to_magnitude(const decimal& value) noexcept {
    constexpr std::int64_t most_digits = 20;
    if (value.digits == 0) return 0;
    if (value.last_power < 0 || value.first_power >= most_digits) return std::nullopt;
    std::uint64_t magnitude = 0;
    const auto append = [&magnitude](unsigned digit) {
        return !__builtin_mul_overflow(magnitude, std::uint64_t{10}, &magnitude) &&
               !__builtin_add_overflow(magnitude, std::uint64_t{digit}, &magnitude);
    };
    for (const char c : value.significant)
        if (c != '.' && !append(static_cast<unsigned>(c - '0'))) return std::nullopt;
    for (std::int64_t i = 0; i < value.last_power; ++i)
        if (!append(0)) return std::nullopt;
    return magnitude;
}

} // namespace codynamo::dynamodb
