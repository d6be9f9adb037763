// SPDX-License-Identifier: BSL-1.0
// Pieces of responses that several operations share.
#pragma once

#include "dynamodb/json_reader.hpp"

#include <codynamo/dynamodb/operations.hpp>

#include <optional>
#include <vector>

namespace codynamo::dynamodb {

/// The member ConsumedCapacity of a response, if it is there: for information.
void read_consumed_capacity(const boost::json::object& response,
                            std::optional<consumed_capacity>& out);
void read_consumed_capacity(const boost::json::object& response,
                            std::vector<consumed_capacity>& out);

} // namespace codynamo::dynamodb
