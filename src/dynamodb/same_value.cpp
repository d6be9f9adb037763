// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/same_value.hpp"

#include "dynamodb/decimal.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace codynamo::dynamodb {
namespace {

/// The next digit of `text`, past a decimal point; '\0' behind the last.
char next_digit(std::string_view& text) noexcept {
    if (text.starts_with('.')) text.remove_prefix(1);
    if (text.empty()) return '\0';
    const char digit = text.front();
    text.remove_prefix(1);
    return digit;
}

bool same_number(const number& a, const number& b) noexcept {
    const auto x = parse_decimal(a.text()), y = parse_decimal(b.text());
    if (!x || !y) return a == b;
    if (x->digits != y->digits) return false;
    if (x->digits == 0) return true;
    if (x->negative != y->negative || x->first_power != y->first_power) return false;
    std::string_view left = x->significant, right = y->significant;
    for (std::size_t i = 0; i < x->digits; ++i)
        if (next_digit(left) != next_digit(right)) return false;
    return true;
}

/// One text for each value.
std::string canonical(const number& n) {
    const auto parts = parse_decimal(n.text());
    if (!parts) return n.text();
    if (parts->digits == 0) return "0";
    std::string text = parts->negative ? "-" : "";
    std::ranges::copy_if(parts->significant, std::back_inserter(text),
                         [](char c) { return c != '.'; });
    return text + 'e' + std::to_string(parts->last_power);
}

/// Sets have no order.
template <class T, class Key>
bool same_set(const std::vector<T>& a, const std::vector<T>& b, Key key) {
    if (a.size() != b.size()) return false;
    std::vector<std::string> left;
    std::vector<std::string> right;
    std::ranges::transform(a, std::back_inserter(left), key);
    std::ranges::transform(b, std::back_inserter(right), key);
    std::ranges::sort(left);
    std::ranges::sort(right);
    return left == right;
}

} // namespace

bool same_item(const item& a, const item& b) {
    return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
        return x.first == y.first && same_value(x.second, y.second);
    });
}

bool same_value(const attribute_value& a, const attribute_value& b) {
    if (a.value().index() != b.value().index()) return false;
    return std::visit(
        [&b]<class T>(const T& mine) {
            const T& other = std::get<T>(b.value());
            if constexpr (std::is_same_v<T, number>) {
                return same_number(mine, other);
            } else if constexpr (std::is_same_v<T, map>) {
                return same_item(mine, other);
            } else if constexpr (std::is_same_v<T, list>) {
                return std::ranges::equal(mine, other, same_value);
            } else if constexpr (std::is_same_v<T, string_set>) {
                return same_set(mine.values, other.values, std::identity());
            } else if constexpr (std::is_same_v<T, number_set>) {
                return same_set(mine.values, other.values, canonical);
            } else if constexpr (std::is_same_v<T, binary_set>) {
                return same_set(mine.values, other.values, &binary::bytes);
            } else {
                return mine == other;
            }
        },
        a.value());
}

} // namespace codynamo::dynamodb
