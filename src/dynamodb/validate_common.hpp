// SPDX-License-Identifier: BSL-1.0
// Limits that several operations share. Sources: DynamoDB Developer Guide, "Quotas" and
// "Constraints". All throw errc::invalid_argument naming field, value and bound.
#pragma once

#include "dynamodb/words.hpp"

#include <codynamo/dynamodb/operations.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace codynamo::dynamodb {

void validate_table_name(std::string_view name, const path& where);
/// Empty for none.
void validate_index_name(std::string_view name, const path& where);
void validate_attribute_name(std::string_view name, const path& where);
void validate_limit(std::uint32_t limit, std::uint32_t most, const path& where);

/// One or two attributes of type S, N or B, within a key's bounds.
void validate_key(const item& key, const path& where);
/// The same, or empty; the key of an index page has more attributes.
void validate_start_key(const item& key, const path& where);
/// A whole item: at least one attribute, sound values, at most 400 KB.
void validate_item(const item& what, const path& where);
/// Numbers, sets, and depth of nesting.
void validate_values(const map& what, const path& where);

void validate_expression(std::string_view expression, const path& where);
/// `has_expression`: whether anything could use the placeholders.
void validate_placeholders(const attribute_names& names, const attribute_values& values,
                           bool has_expression, const path& where);

/// What a write or read of a batch is about.
struct target {
    const item* what;
    /// Whether `what` is a key rather than a whole item.
    bool is_key;
};
/// Positions of two targets in one table that certainly are the same item. Whole items alone do not
/// tell which attributes are the key; only equal ones are then found.
[[nodiscard]] std::optional<std::pair<std::size_t, std::size_t>>
find_duplicate(std::span<const target> targets);

} // namespace codynamo::dynamodb
