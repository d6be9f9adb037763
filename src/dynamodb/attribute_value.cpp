// SPDX-License-Identifier: BSL-1.0
// Conversions of numbers, names of types, and what an item weighs.
#include "dynamodb/decimal.hpp"
#include "dynamodb/words.hpp"

#include <codynamo/dynamodb/attribute_value.hpp>
#include <codynamo/error.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <type_traits>

namespace codynamo::dynamodb {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<attribute_value::variant>> type_names = {
    "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"};

template <class T>
std::string to_text(T value) {
    char digits[64];
    const auto written = std::to_chars(digits, digits + sizeof digits, value);
    return {digits, written.ptr};
}

template <class T>
std::string finite_text(T value) {
    std::string text = to_text(value);
    if (std::isfinite(value)) return text;
    throw error(errc::invalid_argument, "number is " + text + ": a finite number is needed");
}

[[noreturn]] void throw_not(std::string_view wanted, const std::string& text) {
    throw error(errc::bad_response, "number " + quote(text) + " is not " + std::string(wanted));
}

std::size_t size_of(const attribute_value& value) noexcept;

/// Two digits a byte, one byte for the exponent, one more for the sign.
std::size_t size_of(const number& n) noexcept {
    const auto parsed = parse_decimal(n.text());
    if (!parsed) return n.text().size();
    return (parsed->digits + 1) / 2 + 1 + (parsed->negative ? 1 : 0);
}
std::size_t size_of(const std::string& text) noexcept {
    return text.size();
}
std::size_t size_of(const binary& b) noexcept {
    return b.bytes.size();
}
std::size_t size_of(bool) noexcept {
    return 1;
}
std::size_t size_of(null) noexcept {
    return 1;
}

constexpr std::size_t container_overhead = 3;
constexpr std::size_t element_overhead = 1;

std::size_t size_of(const list& values) noexcept {
    std::size_t size = container_overhead;
    for (const attribute_value& each : values)
        size += element_overhead + size_of(each);
    return size;
}
std::size_t size_of(const map& values) noexcept {
    return container_overhead + values.size() * element_overhead + item_size(values);
}
template <class Set>
    requires requires(const Set& set) { set.values; }
std::size_t size_of(const Set& set) noexcept {
    std::size_t size = 0;
    for (const auto& each : set.values)
        size += size_of(each);
    return size;
}

std::size_t size_of(const attribute_value& value) noexcept {
    return std::visit([](const auto& v) noexcept { return size_of(v); }, value.value());
}

} // namespace

std::string number::text_of(std::int64_t value) {
    return to_text(value);
}
std::string number::text_of(std::uint64_t value) {
    return to_text(value);
}
std::string number::text_of(float value) {
    return finite_text(value);
}
std::string number::text_of(double value) {
    return finite_text(value);
}
std::string number::text_of(long double value) {
    return finite_text(value);
}

std::uint64_t number::to_uint64() const {
    const auto parsed = parse_decimal(text_);
    const auto magnitude = parsed ? to_magnitude(*parsed) : std::nullopt;
    if (!magnitude || (parsed->negative && *magnitude != 0))
        throw_not("an unsigned 64-bit integer", text_);
    return *magnitude;
}

std::int64_t number::to_int64() const {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto parsed = parse_decimal(text_);
    const auto magnitude = parsed ? to_magnitude(*parsed) : std::nullopt;
    if (!magnitude || *magnitude > most + (parsed->negative ? 1 : 0))
        throw_not("a signed 64-bit integer", text_);
    // Negated while unsigned: the smallest integer has no positive counterpart.
    return static_cast<std::int64_t>(parsed->negative ? 0 - *magnitude : *magnitude);
}

double number::to_double() const {
    if (!parse_decimal(text_)) throw_not("a number", text_);
    // from_chars knows no leading plus.
    const char* const begin = text_.data() + (text_.starts_with('+') ? 1 : 0);
    const char* const end = text_.data() + text_.size();
    double value = 0;
    const auto read = std::from_chars(begin, end, value);
    if (read.ec != std::errc() || read.ptr != end) throw_not("in the range of a double", text_);
    return value;
}

std::string_view attribute_value::type_name() const noexcept {
    return value_.valueless_by_exception() ? "NULL" : type_names[value_.index()];
}

void attribute_value::throw_wrong_type(std::size_t wanted_index) const {
    throw error(errc::bad_response, "attribute value is " + std::string(type_name()) + " where " +
                                        std::string(type_names[wanted_index]) + " is expected");
}

std::size_t item_size(const item& what) noexcept {
    std::size_t size = 0;
    for (const auto& [name, value] : what)
        size += name.size() + size_of(value);
    return size;
}

} // namespace codynamo::dynamodb
