// SPDX-License-Identifier: BSL-1.0
// Compares the key of an item with the key that was asked for.
#include "dynamodb/decimal.hpp"
#include "dynamodb/response_checks.hpp"
#include "dynamodb/words.hpp"

#include <algorithm>
#include <string_view>

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

/// The service writes numbers its own way: "1.0" comes back as "1".
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

bool same_value(const attribute_value& a, const attribute_value& b) noexcept {
    const auto* const x = a.get_if<number>();
    const auto* const y = b.get_if<number>();
    return x != nullptr && y != nullptr ? same_number(*x, *y) : a == b;
}

void require_key(const item& asked, const item& found, const path& where) {
    const bool same = std::all_of(asked.begin(), asked.end(), [&](const auto& attribute) {
        const auto at = found.find(attribute.first);
        return at == found.end() || same_value(attribute.second, at->second);
    });
    if (!same) refuse_response(where, "is the item of another key");
}

} // namespace

void check_answer(const get_item_input& asked, const get_item_output& answer) {
    if (answer.item) require_key(asked.key, *answer.item, path(path("response"), "Item"));
}

void check_answer(const transact_get_items_input& asked, const transact_get_items_output& answer) {
    const path root("response");
    const path responses(root, "Responses");
    if (answer.responses.size() != asked.items.size())
        refuse_response(responses, "has " + std::to_string(answer.responses.size()) +
                                       " elements where " + std::to_string(asked.items.size()) +
                                       " were asked for");
    for (std::size_t i = 0; i < asked.items.size(); ++i)
        if (answer.responses[i])
            require_key(asked.items[i].key, *answer.responses[i], path(responses, i));
}

} // namespace codynamo::dynamodb
