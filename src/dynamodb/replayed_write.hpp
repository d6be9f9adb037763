// SPDX-License-Identifier: BSL-1.0
// Whether a conditional write that was refused met its own earlier success.
#pragma once

#include <codynamo/dynamodb/operations.hpp>
#include <codynamo/error.hpp>

namespace codynamo::dynamodb {

/// True when an attempt of the call may have been executed, the condition was then found false, and
/// the item that made it false is, attribute by attribute and numbers by value, the one that this
/// write would have left. Another writer who put the very same cannot be told from ourselves.
[[nodiscard]] bool met_its_own_success(const put_item_input& in, const failure& why);

/// Other operations leave no such mark.
template <class Input>
[[nodiscard]] bool met_its_own_success(const Input&, const failure&) noexcept {
    return false;
}

} // namespace codynamo::dynamodb
