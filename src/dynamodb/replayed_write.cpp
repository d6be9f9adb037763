// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/replayed_write.hpp"

#include "dynamodb/decimal.hpp"

#include <codynamo/dynamodb/failure_details.hpp>

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace codynamo::dynamodb {
namespace {

/// One text for each value: DynamoDB writes numbers its own way ("1.0" comes back as "1").
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

bool same(const attribute_value& a, const attribute_value& b);

bool same(const map& a, const map& b) {
    return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
        return x.first == y.first && same(x.second, y.second);
    });
}

bool same(const attribute_value& a, const attribute_value& b) {
    if (a.value().index() != b.value().index()) return false;
    return std::visit(
        [&b]<class T>(const T& mine) {
            const T& other = std::get<T>(b.value());
            if constexpr (std::is_same_v<T, number>) {
                return canonical(mine) == canonical(other);
            } else if constexpr (std::is_same_v<T, map>) {
                return same(mine, other);
            } else if constexpr (std::is_same_v<T, list>) {
                return std::ranges::equal(mine, other,
                                          [](const auto& x, const auto& y) { return same(x, y); });
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

} // namespace

bool met_its_own_success(const put_item_input& in, const failure& why) {
    if (in.version_attribute.empty() || why.code != errc::conditional_check_failed || !why.info ||
        !why.info->outcome_unknown || !why.info->details) {
        return false;
    }
    // A Put replaces the whole item. The version alone proves nothing: where it is a counter, all
    // who read 5 write 6.
    return same(in.item, why.info->details->old_item);
}

} // namespace codynamo::dynamodb
