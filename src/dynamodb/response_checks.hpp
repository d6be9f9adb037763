// SPDX-License-Identifier: BSL-1.0
// Whether an answer can belong to the request it is said to answer.
#pragma once

#include <codynamo/dynamodb/operations.hpp>

namespace codynamo::dynamodb {

/// Throw errc::bad_response for the item of another key. Key attributes that the answer leaves out,
/// as a projection may, are not looked for. Batches and pages name their keys themselves; who reads
/// them matches them.
void check_answer(const get_item_input& asked, const get_item_output& answer);
void check_answer(const transact_get_items_input& asked, const transact_get_items_output& answer);

/// Nothing can be told about the answers to other operations.
template <class Input>
void check_answer(const Input&, const typename Input::output&) noexcept {}

} // namespace codynamo::dynamodb
