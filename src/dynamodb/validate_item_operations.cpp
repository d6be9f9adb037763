// SPDX-License-Identifier: BSL-1.0
// Limits of the operations on one item and on pages of items.
#include "dynamodb/codec.hpp"
#include "dynamodb/validate_common.hpp"

#include <limits>

namespace codynamo::dynamodb {
namespace {

void validate_old_or_none(return_values which, const path& where) {
    if (which != return_values::none && which != return_values::all_old)
        reject(where, "is for updates only: none and all_old are allowed");
}

void validate_version_attribute(const put_item_input& in, const path& where) {
    if (in.version_attribute.empty()) return;
    if (!in.item.contains(in.version_attribute)) reject(where, "is no attribute of the item");
    if (in.return_values != return_values::none)
        reject(where, "is given with return_values: a write that was executed by an earlier "
                      "attempt has no old item any more");
}

template <class Write>
void validate_condition(const Write& in, bool has_other_expression) {
    validate_expression(in.condition.expression, path("condition.expression"));
    validate_placeholders(in.names, in.values,
                          has_other_expression || !in.condition.expression.empty(), path());
}

template <class Page>
void validate_page(const Page& in) {
    validate_table_name(in.table_name);
    validate_index_name(in.index_name, path("index_name"));
    validate_expression(in.filter_expression, path("filter_expression"));
    validate_expression(in.projection_expression, path("projection_expression"));
    if (in.select_count && !in.projection_expression.empty())
        reject("projection_expression", "is given with select_count: a count has no attributes");
    validate_limit(in.limit, std::numeric_limits<std::int32_t>::max(), path("limit"));
    validate_start_key(in.exclusive_start_key, path("exclusive_start_key"));
}

} // namespace

void validate(const get_item_input& in) {
    validate_table_name(in.table_name);
    validate_key(in.key, path("key"));
    validate_expression(in.projection_expression, path("projection_expression"));
    validate_placeholders(in.names, {}, !in.projection_expression.empty(), path());
}

void validate(const put_item_input& in) {
    validate_table_name(in.table_name);
    validate_item(in.item, path("item"));
    validate_condition(in, false);
    validate_old_or_none(in.return_values, path("return_values"));
    validate_version_attribute(in, path("version_attribute"));
}

void validate(const update_item_input& in) {
    validate_table_name(in.table_name);
    validate_key(in.key, path("key"));
    validate_expression(in.update_expression, path("update_expression"));
    validate_condition(in, !in.update_expression.empty());
}

void validate(const delete_item_input& in) {
    validate_table_name(in.table_name);
    validate_key(in.key, path("key"));
    validate_condition(in, false);
    validate_old_or_none(in.return_values, path("return_values"));
}

void validate(const query_input& in) {
    validate_page(in);
    if (in.key_condition_expression.empty())
        reject("key_condition_expression", "is empty: a query needs one");
    validate_expression(in.key_condition_expression, path("key_condition_expression"));
    validate_placeholders(in.names, in.values, true, path());
}

void validate(const scan_input& in) {
    constexpr std::uint32_t most_segments = 1'000'000;
    validate_page(in);
    if (in.total_segments == 0 || in.total_segments > most_segments)
        reject("total_segments",
               "is " + std::to_string(in.total_segments) + ": 1 to 1000000 are allowed");
    if (in.segment >= in.total_segments)
        reject("segment", "is " + std::to_string(in.segment) + ": 0 to " +
                              std::to_string(in.total_segments - 1) + " are allowed");
    const bool has_expression = !in.filter_expression.empty() || !in.projection_expression.empty();
    validate_placeholders(in.names, in.values, has_expression, path());
}

} // namespace codynamo::dynamodb
