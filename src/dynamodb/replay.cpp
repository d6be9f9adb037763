// SPDX-License-Identifier: BSL-1.0
// Which requests may be sent again when nobody knows whether the first one took effect.
#include "dynamodb/codec.hpp"

namespace codynamo::dynamodb {
namespace {

/// A second conditional write may see the first one's effect and fail; a second answer with the old
/// item would hold the new one.
template <class Write>
bool is_blind(const Write& in) noexcept {
    return in.condition.expression.empty() && in.return_values == return_values::none;
}

} // namespace

bool is_replay_safe(const get_item_input&) noexcept {
    return true;
}
bool is_replay_safe(const batch_get_item_input&) noexcept {
    return true;
}
bool is_replay_safe(const query_input&) noexcept {
    return true;
}
bool is_replay_safe(const scan_input&) noexcept {
    return true;
}
bool is_replay_safe(const transact_get_items_input&) noexcept {
    return true;
}
bool is_replay_safe(const describe_table_input&) noexcept {
    return true;
}
bool is_replay_safe(const list_tables_input&) noexcept {
    return true;
}
bool is_replay_safe(const describe_time_to_live_input&) noexcept {
    return true;
}

bool is_replay_safe(const put_item_input& in) noexcept {
    return is_blind(in) || !in.version_attribute.empty();
}
bool is_replay_safe(const delete_item_input& in) noexcept {
    return is_blind(in);
}
bool is_replay_safe(const batch_write_item_input&) noexcept {
    return true;
}
/// The service remembers the token for ten minutes.
bool is_replay_safe(const transact_write_items_input& in) noexcept {
    return !in.client_request_token.empty();
}

/// Expressions may add or append.
bool is_replay_safe(const update_item_input&) noexcept {
    return false;
}
/// The second one meets a table that exists, is gone or was changed a moment ago.
bool is_replay_safe(const create_table_input&) noexcept {
    return false;
}
bool is_replay_safe(const delete_table_input&) noexcept {
    return false;
}
bool is_replay_safe(const update_time_to_live_input&) noexcept {
    return false;
}

} // namespace codynamo::dynamodb
