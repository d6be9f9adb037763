// SPDX-License-Identifier: BSL-1.0
// The ten attribute types of DynamoDB as one closed variant.
#pragma once

#include <codynamo/export.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace codynamo::dynamodb {

/// The arithmetic types that are numbers: every signed and unsigned integer type of at most 64 bits
/// and every floating-point type up to long double. Not bool, which is a type of its own, nor
/// characters (char, wchar_t, char8_t …), which are text; std::int8_t and std::uint8_t are numbers.
template <class T>
concept arithmetic_number =
    (std::integral<T> && sizeof(T) <= sizeof(std::int64_t) && !std::same_as<T, bool> &&
     !std::same_as<T, char> && !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
     !std::same_as<T, char16_t> && !std::same_as<T, char32_t>) ||
    (std::floating_point<T> && std::numeric_limits<T>::digits > 0 && // not __float128
     std::numeric_limits<T>::digits <= std::numeric_limits<long double>::digits);

/// A Number stays the text that was written or received until somebody asks: up to 38 digits, which
/// no C++ type holds.
class CODYNAMO_API number {
public:
    number() = default;
    /// Takes the text as it is; checked when it is sent.
    explicit number(std::string text) : text_(std::move(text)) {}
    /// An integer exactly; a floating-point value as the shortest text that reads back as the same
    /// value of its type. Throws errc::invalid_argument for NaN and infinity, naming the value.
    /// What is beyond DynamoDB's range (1E-130 to 1E126) is refused when it is sent.
    template <arithmetic_number T>
    number(T value) : text_(text_of(static_cast<widest<T>>(value))) {}

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// Exact: "1E3" and "1000.0" are 1000; to_double rounds to the nearest.
    /// Throw errc::bad_response when the text is no such number or is out of range.
    [[nodiscard]] std::int64_t to_int64() const;
    [[nodiscard]] std::uint64_t to_uint64() const;
    [[nodiscard]] double to_double() const;

    /// Compares texts, not values: "1.0" is not "1".
    friend bool operator==(const number&, const number&) = default;

private:
    template <class T>
    using widest = std::conditional_t<
        std::signed_integral<T>, std::int64_t,
        std::conditional_t<std::unsigned_integral<T>, std::uint64_t,
                           std::conditional_t<sizeof(T) <= sizeof(float), float,
                                              std::conditional_t<sizeof(T) <= sizeof(double),
                                                                 double, long double>>>>;
    static std::string text_of(std::int64_t value);
    static std::string text_of(std::uint64_t value);
    static std::string text_of(float value);
    static std::string text_of(double value);
    static std::string text_of(long double value);

    std::string text_ = "0";
};

/// Raw bytes; base64 exists on the wire only.
struct binary {
    std::string bytes;
    friend bool operator==(const binary&, const binary&) = default;
};

struct null {
    friend bool operator==(const null&, const null&) = default;
};

struct string_set {
    std::vector<std::string> values;
    friend bool operator==(const string_set&, const string_set&) = default;
};
struct number_set {
    std::vector<number> values;
    friend bool operator==(const number_set&, const number_set&) = default;
};
struct binary_set {
    std::vector<binary> values;
    friend bool operator==(const binary_set&, const binary_set&) = default;
};

class attribute_value;
using list = std::vector<attribute_value>;
/// A Map, and also a whole item or key: names to values.
using map = std::map<std::string, attribute_value, std::less<>>;
using item = map;

/// S, N, B, BOOL, NULL, L, M, SS, NS or BS.
class CODYNAMO_API attribute_value {
public:
    using variant = std::variant<std::string, number, binary, bool, null, list, map, string_set,
                                 number_set, binary_set>;

    attribute_value() : value_(null{}) {}
    attribute_value(std::string text) : value_(std::move(text)) {}
    attribute_value(std::string_view text) : value_(std::string(text)) {}
    attribute_value(const char* text) : value_(std::string(text)) {}
    attribute_value(number n) : value_(std::move(n)) {}
    template <arithmetic_number T>
    attribute_value(T n) : value_(number(n)) {}
    attribute_value(binary b) : value_(std::move(b)) {}
    /// Only a real bool: a pointer would convert to one silently.
    template <std::same_as<bool> Bool>
    attribute_value(Bool b) : value_(b) {}
    attribute_value(std::nullptr_t) : value_(null{}) {}
    attribute_value(null n) : value_(n) {}
    attribute_value(list l) : value_(std::move(l)) {}
    attribute_value(map m) : value_(std::move(m)) {}
    attribute_value(string_set s) : value_(std::move(s)) {}
    attribute_value(number_set s) : value_(std::move(s)) {}
    attribute_value(binary_set s) : value_(std::move(s)) {}

    template <class T>
    [[nodiscard]] bool is() const noexcept {
        return std::holds_alternative<T>(value_);
    }
    /// nullptr when it is of another type.
    template <class T>
    [[nodiscard]] const T* get_if() const noexcept {
        return std::get_if<T>(&value_);
    }
    /// Throws errc::bad_response naming both types when it is of another type.
    template <class T>
    [[nodiscard]] const T& as() const {
        if (const T* found = std::get_if<T>(&value_)) return *found;
        throw_wrong_type(variant(std::in_place_type<T>).index());
    }
    [[nodiscard]] const variant& value() const noexcept { return value_; }
    [[nodiscard]] variant& value() noexcept { return value_; }
    /// "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS" or "BS".
    [[nodiscard]] std::string_view type_name() const noexcept;

    friend bool operator==(const attribute_value& a, const attribute_value& b) {
        return a.value_ == b.value_;
    }

private:
    [[noreturn]] void throw_wrong_type(std::size_t wanted_index) const;
    variant value_;
};

/// Bytes that DynamoDB counts against its 400 KB: names, values and the overhead of lists and maps.
/// Source: DynamoDB Developer Guide, "DynamoDB item sizes and formats".
[[nodiscard]] CODYNAMO_API std::size_t item_size(const item& what) noexcept;

} // namespace codynamo::dynamodb
