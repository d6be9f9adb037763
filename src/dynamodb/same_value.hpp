// SPDX-License-Identifier: BSL-1.0
// Whether two attribute values are the same to the service, which writes them its own way.
#pragma once

#include <codynamo/dynamodb/attribute_value.hpp>

namespace codynamo::dynamodb {

/// Numbers by value ("1.0" comes back as "1"), sets without their order, everything else as it is.
[[nodiscard]] bool same_value(const attribute_value& a, const attribute_value& b);
/// The same names with the same values.
[[nodiscard]] bool same_item(const item& a, const item& b);

} // namespace codynamo::dynamodb
