// SPDX-License-Identifier: BSL-1.0
// Compares the items of a page with the key condition and the limit of its request.
#include "dynamodb/response_checks.hpp"
#include "dynamodb/same_value.hpp"
#include "dynamodb/words.hpp"

#include <algorithm>
#include <string>

namespace codynamo::dynamodb {
namespace {

/// The next word, operator or parenthesis of an expression; empty behind the last.
std::string_view next_token(std::string_view& text) noexcept {
    constexpr std::string_view blanks = " \t\r\n,", operators = "<>=", parentheses = "()";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    if (text.empty()) return {};
    std::size_t size = 1;
    if (operators.find(text.front()) != operators.npos)
        size = text.find_first_not_of(operators);
    else if (parentheses.find(text.front()) == parentheses.npos)
        size = text.find_first_of(" \t\r\n,<>=()");
    const std::string_view token = text.substr(0, size);
    text.remove_prefix(token.size());
    return token;
}

/// Calls f(name, value) for each term `name = :value`, with placeholders resolved.
template <class F>
void for_each_equality(const query_input& asked, F f) {
    std::string_view rest = asked.key_condition_expression;
    std::string_view name, relation;
    for (std::string_view token = next_token(rest); !token.empty(); token = next_token(rest)) {
        if (relation == "=" && token.starts_with(':')) {
            const auto value = asked.values.find(token);
            const auto alias = asked.names.find(name);
            if (value != asked.values.end() && name != ")")
                f(alias == asked.names.end() ? name : std::string_view(alias->second),
                  value->second);
        }
        name = relation;
        relation = token;
    }
}

void require_limit(std::uint32_t limit, const page_output& answer) {
    if (limit == 0 || answer.items.size() <= limit) return;
    refuse_response(path(path("response"), "Items"), "has " + std::to_string(answer.items.size()) +
                                                         " elements where at most " +
                                                         std::to_string(limit) + " were asked for");
}

} // namespace

void check_answer(const query_input& asked, const query_output& answer) {
    require_limit(asked.limit, answer);
    const path root("response");
    const path items(root, "Items");
    for_each_equality(asked, [&](std::string_view name, const attribute_value& value) {
        for (std::size_t i = 0; i < answer.items.size(); ++i) {
            const auto found = answer.items[i].find(name);
            if (found != answer.items[i].end() && !same_value(found->second, value))
                refuse_response(path(items, i), "has a key that was not asked for");
        }
    });
}

void check_answer(const scan_input& asked, const scan_output& answer) {
    require_limit(asked.limit, answer);
}

} // namespace codynamo::dynamodb
