// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/replayed_write.hpp"

#include "dynamodb/same_value.hpp"

#include <codynamo/dynamodb/failure_details.hpp>

namespace codynamo::dynamodb {

bool met_its_own_success(const put_item_input& in, const failure& why) {
    if (in.version_attribute.empty() || why.code != errc::conditional_check_failed || !why.info ||
        !why.info->outcome_unknown || !why.info->details) {
        return false;
    }
    // A Put replaces the whole item. The version alone proves nothing: where it is a counter, all
    // who read 5 write 6.
    return same_item(in.item, why.info->details->old_item);
}

} // namespace codynamo::dynamodb
