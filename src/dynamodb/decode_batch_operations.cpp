// SPDX-License-Identifier: BSL-1.0
// Responses about many items: batches and transactions.
#include "dynamodb/codec.hpp"
#include "dynamodb/decode_common.hpp"

namespace codynamo::dynamodb {
namespace json = boost::json;
namespace {

void read_keys(const json::value& v, const path& where, keys_and_attributes& out) {
    const members from(v, where);
    from.items("Keys", out.keys);
    from.boolean("ConsistentRead", out.consistent_read);
    from.text("ProjectionExpression", out.projection_expression);
    from.each_member("ExpressionAttributeNames", [&](std::string_view placeholder,
                                                     const json::value& name, const path& at) {
        out.names.insert_or_assign(std::string(placeholder), std::string(as_text(name, at)));
    });
}

void read_write_request(const json::value& v, const path& where, write_request& out) {
    bool found = false;
    const auto read = [&](std::string_view kind, std::string_view member, bool is_put) {
        members(v, where).with(kind, [&](const json::value& request, const path& at) {
            if (found) refuse_response(where, "is both a put and a delete");
            found = true;
            out.is_put = is_put;
            members(request, at).attributes(member, out.item);
        });
    };
    read("PutRequest", "Item", true);
    read("DeleteRequest", "Key", false);
    if (!found) refuse_response(where, "is neither a put nor a delete");
}

} // namespace

void decode(std::string_view body, batch_get_item_output& out) {
    out = {};
    const response_document document(body);
    const path root("response");
    const members response(document.root(), root);
    // "No item" is said by an empty list, and not by silence.
    if (!document.root().contains("UnprocessedKeys"))
        static_cast<void>(response.require("Responses"));
    response.each_member("Responses",
                         [&](std::string_view table, const json::value& v, const path& at) {
                             std::vector<item>& items = out.responses[std::string(table)];
                             const json::array& found = as_array(v, at);
                             items.resize(found.size());
                             for (std::size_t i = 0; i < found.size(); ++i)
                                 read_item(found[i], path(at, i), items[i]);
                         });
    response.each_member("UnprocessedKeys",
                         [&](std::string_view table, const json::value& v, const path& at) {
                             read_keys(v, at, out.unprocessed_keys[std::string(table)]);
                         });
    read_consumed_capacity(document.root(), out.consumed_capacity);
}

void decode(std::string_view body, batch_write_item_output& out) {
    out = {};
    const response_document document(body);
    const path root("response");
    const members response(document.root(), root);
    response.each_member(
        "UnprocessedItems", [&](std::string_view table, const json::value& v, const path& at) {
            std::vector<write_request>& writes = out.unprocessed_items[std::string(table)];
            const json::array& left = as_array(v, at);
            writes.resize(left.size());
            for (std::size_t i = 0; i < left.size(); ++i)
                read_write_request(left[i], path(at, i), writes[i]);
        });
    read_consumed_capacity(document.root(), out.consumed_capacity);
}

void decode(std::string_view body, transact_write_items_output& out) {
    out = {};
    const response_document document(body);
    read_consumed_capacity(document.root(), out.consumed_capacity);
}

void decode(std::string_view body, transact_get_items_output& out) {
    out = {};
    const response_document document(body);
    const path root("response");
    const members response(document.root(), root);
    response.each("Responses", [&](const json::value& v, const path& at) {
        std::optional<item>& answer = out.responses.emplace_back();
        if (v.is_null()) return;
        members(v, at).with("Item", [&](const json::value& found, const path& there) {
            read_item(found, there, answer.emplace());
        });
    });
    read_consumed_capacity(document.root(), out.consumed_capacity);
}

} // namespace codynamo::dynamodb
