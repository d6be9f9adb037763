// SPDX-License-Identifier: BSL-1.0
// Requests about one item and about pages of items.
#include "dynamodb/codec.hpp"
#include "dynamodb/encode_common.hpp"

namespace codynamo::dynamodb {
namespace {

void encode_page(json_object& to, std::uint32_t limit, bool select_count, const item& start_key) {
    if (limit != 0) to.decimal("Limit", limit);
    if (select_count) to.text("Select", "COUNT");
    encode_item_if(to, "ExclusiveStartKey", start_key);
}

} // namespace

void encode(const get_item_input& in, std::string& out) {
    json_object to(out);
    to.text("TableName", in.table_name);
    encode_item(to, "Key", in.key);
    if (in.consistent_read) to.boolean("ConsistentRead", true);
    to.text_if("ProjectionExpression", in.projection_expression);
    encode_names(to, in.names);
    encode_return_capacity(to, in.return_capacity);
    to.close();
}

void encode(const put_item_input& in, std::string& out) {
    json_object to(out);
    to.text("TableName", in.table_name);
    encode_item(to, "Item", in.item);
    encode_condition(to, in.condition);
    encode_placeholders(to, in.names, in.values);
    encode_return_values(to, in.return_values);
    encode_return_capacity(to, in.return_capacity);
    to.close();
}

void encode(const update_item_input& in, std::string& out) {
    json_object to(out);
    to.text("TableName", in.table_name);
    encode_item(to, "Key", in.key);
    to.text_if("UpdateExpression", in.update_expression);
    encode_condition(to, in.condition);
    encode_placeholders(to, in.names, in.values);
    encode_return_values(to, in.return_values);
    encode_return_capacity(to, in.return_capacity);
    to.close();
}

void encode(const delete_item_input& in, std::string& out) {
    json_object to(out);
    to.text("TableName", in.table_name);
    encode_item(to, "Key", in.key);
    encode_condition(to, in.condition);
    encode_placeholders(to, in.names, in.values);
    encode_return_values(to, in.return_values);
    encode_return_capacity(to, in.return_capacity);
    to.close();
}

void encode(const query_input& in, std::string& out) {
    json_object to(out);
    to.text("TableName", in.table_name);
    to.text_if("IndexName", in.index_name);
    to.text_if("KeyConditionExpression", in.key_condition_expression);
    to.text_if("FilterExpression", in.filter_expression);
    to.text_if("ProjectionExpression", in.projection_expression);
    encode_placeholders(to, in.names, in.values);
    if (in.consistent_read) to.boolean("ConsistentRead", true);
    if (!in.scan_index_forward) to.boolean("ScanIndexForward", false);
    encode_page(to, in.limit, in.select_count, in.exclusive_start_key);
    encode_return_capacity(to, in.return_capacity);
    to.close();
}

void encode(const scan_input& in, std::string& out) {
    json_object to(out);
    to.text("TableName", in.table_name);
    to.text_if("IndexName", in.index_name);
    to.text_if("FilterExpression", in.filter_expression);
    to.text_if("ProjectionExpression", in.projection_expression);
    encode_placeholders(to, in.names, in.values);
    if (in.consistent_read) to.boolean("ConsistentRead", true);
    if (in.total_segments > 1) {
        to.decimal("Segment", in.segment);
        to.decimal("TotalSegments", in.total_segments);
    }
    encode_page(to, in.limit, in.select_count, in.exclusive_start_key);
    encode_return_capacity(to, in.return_capacity);
    to.close();
}

} // namespace codynamo::dynamodb
