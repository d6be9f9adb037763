// SPDX-License-Identifier: BSL-1.0
// Reads the shape of a decimal text without converting it: what DynamoDB's number limits are about.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace codynamo::dynamodb {

/// A decimal text such as "-12.50E3", taken apart. Zeros at both ends do not count.
struct decimal {
    bool negative = false;
    /// Number of significant digits; 0 for zero.
    std::size_t digits = 0;
    /// Power of ten of the first and of the last significant digit: 4 and 1 for the example.
    /// Bounded by ±10^9.
    std::int64_t first_power = 0;
    std::int64_t last_power = 0;
    /// The text from the first significant digit to the last, with a point perhaps.
    std::string_view significant;
};

/// Nothing for what is not [+-] digits [. digits] [e [+-] digits] with at least one digit before
/// the exponent: NaN, Infinity, hexadecimal, blanks.
[[nodiscard]] std::optional<decimal> parse_decimal(std::string_view text) noexcept;

/// Magnitude of an integral decimal; nothing when it has a fraction or needs more than 64 bits.
[[nodiscard]] std::optional<std::uint64_t> to_magnitude(const decimal& value) noexcept;

} // namespace codynamo::dynamodb
