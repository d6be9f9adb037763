// SPDX-License-Identifier: BSL-1.0
// Whether an answer can belong to the request it is said to answer. One that cannot is the answer
// to another request, and so is whatever comes next on its connection.
#pragma once

#include <codynamo/dynamodb/operations.hpp>
#include <codynamo/dynamodb/table_operations.hpp>

#include <string_view>

namespace codynamo::dynamodb {

/// Throw errc::bad_response for items, keys and tables that were not asked for, for another number
/// of answers than was, and for more items than the limit. Key attributes that the answer leaves
/// out, as a projection may, are not looked for.
void check_answer(const get_item_input& asked, const get_item_output& answer);
void check_answer(const update_item_input& asked, const update_item_output& answer);
void check_answer(const delete_item_input& asked, const delete_item_output& answer);
void check_answer(const batch_get_item_input& asked, const batch_get_item_output& answer);
void check_answer(const batch_write_item_input& asked, const batch_write_item_output& answer);
void check_answer(const query_input& asked, const query_output& answer);
void check_answer(const scan_input& asked, const scan_output& answer);
void check_answer(const transact_get_items_input& asked, const transact_get_items_output& answer);
void check_answer(const create_table_input& asked, const create_table_output& answer);
void check_answer(const describe_table_input& asked, const describe_table_output& answer);
void check_answer(const delete_table_input& asked, const delete_table_output& answer);
void check_answer(const update_time_to_live_input& asked, const update_time_to_live_output& answer);

/// Nothing can be told about the answers to these: nothing in them says what they are about.
inline void check_answer(const put_item_input&, const put_item_output&) noexcept {}
inline void check_answer(const transact_write_items_input&,
                         const transact_write_items_output&) noexcept {}
inline void check_answer(const list_tables_input&, const list_tables_output&) noexcept {}
inline void check_answer(const describe_time_to_live_input&,
                         const describe_time_to_live_output&) noexcept {}

/// Whether a table that an answer names is the one that was asked for, by name or by ARN.
[[nodiscard]] bool is_same_table(std::string_view asked, std::string_view named) noexcept;

} // namespace codynamo::dynamodb
