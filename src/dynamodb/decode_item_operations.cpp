// SPDX-License-Identifier: BSL-1.0
// Responses about one item and about pages of items.
#include "dynamodb/codec.hpp"
#include "dynamodb/decode_common.hpp"

namespace codynamo::dynamodb {
namespace {

void decode_write(std::string_view body, write_output& out) {
    const response_document document(body);
    const path root("response");
    const members response(document.root(), root);
    response.attributes("Attributes", out.attributes);
    read_consumed_capacity(response, out.consumed_capacity);
}

void decode_page(std::string_view body, page_output& out) {
    const response_document document(body);
    const path root("response");
    const members response(document.root(), root);
    response.items("Items", out.items);
    response.count("Count", out.count);
    response.count("ScannedCount", out.scanned_count);
    response.attributes("LastEvaluatedKey", out.last_evaluated_key);
    read_consumed_capacity(response, out.consumed_capacity);
}

} // namespace

void read_consumed_capacity(const boost::json::value& v, const path& where,
                            consumed_capacity& out) {
    const members from(v, where);
    from.text("TableName", out.table_name);
    from.real("CapacityUnits", out.capacity_units);
    from.real("ReadCapacityUnits", out.read_capacity_units);
    from.real("WriteCapacityUnits", out.write_capacity_units);
}

void read_consumed_capacity(const members& response, std::optional<consumed_capacity>& out) {
    response.with("ConsumedCapacity", [&](const boost::json::value& v, const path& at) {
        read_consumed_capacity(v, at, out.emplace());
    });
}

void read_consumed_capacity(const members& response, std::vector<consumed_capacity>& out) {
    response.each("ConsumedCapacity", [&](const boost::json::value& v, const path& at) {
        read_consumed_capacity(v, at, out.emplace_back());
    });
}

void decode(std::string_view body, get_item_output& out) {
    out = {};
    const response_document document(body);
    const path root("response");
    const members response(document.root(), root);
    response.with("Item", [&](const boost::json::value& v, const path& at) {
        read_item(v, at, out.item.emplace());
    });
    read_consumed_capacity(response, out.consumed_capacity);
}

void decode(std::string_view body, put_item_output& out) {
    out = {};
    decode_write(body, out);
}

void decode(std::string_view body, update_item_output& out) {
    out = {};
    decode_write(body, out);
}

void decode(std::string_view body, delete_item_output& out) {
    out = {};
    decode_write(body, out);
}

void decode(std::string_view body, query_output& out) {
    out = {};
    decode_page(body, out);
}

void decode(std::string_view body, scan_output& out) {
    out = {};
    decode_page(body, out);
}

} // namespace codynamo::dynamodb
