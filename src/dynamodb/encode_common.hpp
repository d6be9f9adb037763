// SPDX-License-Identifier: BSL-1.0
// Pieces of requests that several operations share.
#pragma once

#include "dynamodb/json_writer.hpp"

#include <codynamo/dynamodb/operations.hpp>

namespace codynamo::dynamodb {

/// Appends `{"a":{"S":"x"},…}`. Throws errc::invalid_argument naming the attribute that is not
/// UTF-8.
void append_item(std::string& out, const item& what, const path& where);

/// Appends `{"PutRequest":{"Item":…}}` or `{"DeleteRequest":{"Key":…}}`.
void append_write(std::string& out, const write_request& what, const path& where);

/// Append members; what is empty or has its default value is left out.
void encode_item(json_object& to, std::string_view name, const item& what);
void encode_item_if(json_object& to, std::string_view name, const item& what);
void encode_names(json_object& to, const attribute_names& names);
void encode_condition(json_object& to, const condition& what);
void encode_placeholders(json_object& to, const attribute_names& names,
                         const attribute_values& values);
void encode_return_values(json_object& to, return_values which);
void encode_return_capacity(json_object& to, return_consumed_capacity which);

} // namespace codynamo::dynamodb
