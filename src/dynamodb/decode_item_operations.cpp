// SPDX-License-Identifier: BSL-1.0
// Responses about one item and about pages of items.
#include "dynamodb/codec.hpp"
#include "dynamodb/decode_common.hpp"

#include <algorithm>
#include <cstdint>

namespace codynamo::dynamodb {
namespace {

void decode_write(std::string_view body, write_output& out) {
    const response_document document(body);
    const path root("response");
    const members response(document.root(), root);
    response.attributes("Attributes", out.attributes);
    read_consumed_capacity(document.root(), out.consumed_capacity);
}

void decode_page(std::string_view body, page_output& out) {
    const response_document document(body);
    const path root("response");
    const members response(document.root(), root);
    if (!document.root().contains("Items")) static_cast<void>(response.require("Count"));
    response.items("Items", out.items);
    response.count("Count", out.count);
    std::int64_t scanned = 0;
    response.tell_integer("ScannedCount", scanned);
    out.scanned_count = static_cast<std::uint64_t>(std::max<std::int64_t>(scanned, 0));
    response.attributes("LastEvaluatedKey", out.last_evaluated_key);
    read_consumed_capacity(document.root(), out.consumed_capacity);
}

} // namespace

void decode(std::string_view body, get_item_output& out) {
    out = {};
    const response_document document(body);
    const path root("response");
    const members response(document.root(), root);
    response.with("Item", [&](const boost::json::value& v, const path& at) {
        read_item(v, at, out.item.emplace());
    });
    read_consumed_capacity(document.root(), out.consumed_capacity);
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
