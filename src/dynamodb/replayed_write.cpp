// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/replayed_write.hpp"

#include <codynamo/dynamodb/failure_details.hpp>

namespace codynamo::dynamodb {
namespace {

/// DynamoDB writes numbers its own way ("1.0" comes back as "1"), so those are compared by value as
/// far as an integer holds it, else by their text.
bool same_version(const attribute_value& sent, const attribute_value& found) {
    const auto* mine = sent.get_if<number>();
    const auto* theirs = found.get_if<number>();
    if (!mine || !theirs || *mine == *theirs) return sent == found;
    try {
        return mine->to_int64() == theirs->to_int64();
    } catch (const error&) {
        return false;
    }
}

} // namespace

bool met_its_own_success(const put_item_input& in, const failure& why) noexcept {
    if (in.version_attribute.empty() || why.code != errc::conditional_check_failed || !why.info ||
        !why.info->outcome_unknown || !why.info->details) {
        return false;
    }
    const item& old = why.info->details->old_item;
    const auto found = old.find(in.version_attribute);
    const auto sent = in.item.find(in.version_attribute);
    return found != old.end() && sent != in.item.end() && same_version(sent->second, found->second);
}

} // namespace codynamo::dynamodb
