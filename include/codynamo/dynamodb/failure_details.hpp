// SPDX-License-Identifier: BSL-1.0
// What DynamoDB says about a failure beyond code and message.
#pragma once

#include <codynamo/dynamodb/attribute_value.hpp>

#include <string>
#include <vector>

namespace codynamo::dynamodb {

/// Why one action of a transaction was refused; code "None" when that action was fine.
struct cancellation_reason {
    std::string code{};
    std::string message{};
    /// The item as it was, when the action asked for it; else empty.
    item old_item{};
};

struct throttling_reason {
    /// E.g. "TableReadProvisionedThroughputExceeded".
    std::string reason{};
    /// ARN of the table or index.
    std::string resource{};
};

struct failure_details {
    std::vector<cancellation_reason> cancellation_reasons{};
    std::vector<throttling_reason> throttling_reasons{};
    /// The item that made the condition false, when ReturnValuesOnConditionCheckFailure asked for
    /// it; else empty.
    item old_item{};
};

} // namespace codynamo::dynamodb
