// SPDX-License-Identifier: BSL-1.0
// Limits of batches and transactions.
#include "dynamodb/codec.hpp"
#include "dynamodb/validate_common.hpp"

#include <map>
#include <vector>

namespace codynamo::dynamodb {
namespace {

using write_kind = transact_write_item::kind;

void reject_duplicate(const path& where, std::size_t first, std::size_t second) {
    reject(path(where, second),
           "is the same item as " + path(where, first).text() + ": each may occur once");
}

/// `requests` yields the requests of one table.
template <class Tables, class Requests>
void validate_count(const Tables& tables, std::size_t most, std::string_view bound,
                    Requests requests) {
    const path where("request_items");
    std::size_t count = 0;
    for (const auto& [table, of_table] : tables) {
        validate_table_name(table, path(where, table));
        const std::size_t size = requests(of_table).size();
        if (size == 0) reject(path(where, table), "is empty: at least 1 request is needed");
        count += size;
    }
    if (count == 0 || count > most) reject_count(where, count, "requests", bound);
}

void validate_keys(const keys_and_attributes& what, const path& where) {
    const path keys(where, "keys");
    std::vector<target> targets;
    targets.reserve(what.keys.size());
    for (std::size_t i = 0; i < what.keys.size(); ++i) {
        validate_key(what.keys[i], path(keys, i));
        targets.push_back({&what.keys[i], true});
    }
    if (const auto same = find_duplicate(targets))
        reject_duplicate(keys, same->first, same->second);
    validate_expression(what.projection_expression, path(where, "projection_expression"));
    validate_placeholders(what.names, {}, !what.projection_expression.empty(), where);
}

void validate_writes(const std::vector<write_request>& writes, const path& where) {
    std::vector<target> targets;
    targets.reserve(writes.size());
    for (std::size_t i = 0; i < writes.size(); ++i) {
        const path here(where, i);
        if (writes[i].is_put)
            validate_item(writes[i].item, here);
        else
            validate_key(writes[i].item, here);
        targets.push_back({&writes[i].item, !writes[i].is_put});
    }
    if (const auto same = find_duplicate(targets))
        reject_duplicate(where, same->first, same->second);
}

void validate_transaction_size(std::size_t count) {
    constexpr std::size_t most = 100;
    if (count == 0 || count > most) reject_count(path("items"), count, "actions", "1 to 100");
}

void validate_expressions(const transact_write_item& what, const path& where) {
    const bool is_update = what.action == write_kind::update;
    const path update(where, "update_expression");
    const path condition(where, "condition.expression");
    if (is_update && what.update_expression.empty())
        reject(update, "is empty: an update in a transaction needs one");
    if (!is_update && !what.update_expression.empty()) reject(update, "is for updates only");
    if (what.action == write_kind::condition_check && what.condition.expression.empty())
        reject(condition, "is empty: a condition check needs one");
    validate_expression(what.update_expression, update);
    validate_expression(what.condition.expression, condition);
    validate_placeholders(what.names, what.values, is_update || !what.condition.expression.empty(),
                          where);
}

void validate_action(const transact_write_item& what, const path& where) {
    validate_table_name(what.table_name, path(where, "table_name"));
    const path subject(where, "item");
    if (what.action == write_kind::put)
        validate_item(what.item, subject);
    else
        validate_key(what.item, subject);
    validate_expressions(what, where);
}

/// Source: DynamoDB API Reference, TransactWriteItems.
void validate_transaction_bytes(const std::vector<transact_write_item>& items, const path& where) {
    constexpr std::size_t most = 4 * 1024 * 1024;
    std::size_t bytes = 0;
    for (const transact_write_item& each : items)
        bytes += item_size(each.item);
    if (bytes > most) reject_count(where, bytes, "bytes", "at most 4194304");
}

void validate_distinct(const std::vector<transact_write_item>& items, const path& where) {
    struct table_targets {
        std::vector<target> targets;
        std::vector<std::size_t> positions;
    };
    std::map<std::string_view, table_targets> tables;
    for (std::size_t i = 0; i < items.size(); ++i) {
        table_targets& table = tables[items[i].table_name];
        table.targets.push_back({&items[i].item, items[i].action != write_kind::put});
        table.positions.push_back(i);
    }
    for (const auto& [name, table] : tables)
        if (const auto same = find_duplicate(table.targets))
            reject_duplicate(where, table.positions[same->first], table.positions[same->second]);
}

} // namespace

void validate(const batch_get_item_input& in) {
    constexpr std::size_t most_keys = 100;
    validate_count(
        in.request_items, most_keys, "1 to 100",
        [](const keys_and_attributes& of_table) -> const auto& { return of_table.keys; });
    const path where("request_items");
    for (const auto& [table, keys] : in.request_items)
        validate_keys(keys, path(where, table));
}

void validate(const batch_write_item_input& in) {
    constexpr std::size_t most_writes = 25;
    validate_count(in.request_items, most_writes, "1 to 25",
                   [](const auto& of_table) -> const auto& { return of_table; });
    const path where("request_items");
    for (const auto& [table, writes] : in.request_items)
        validate_writes(writes, path(where, table));
}

void validate(const transact_write_items_input& in) {
    constexpr std::size_t most_token_characters = 36;
    const path where("items");
    validate_transaction_size(in.items.size());
    for (std::size_t i = 0; i < in.items.size(); ++i)
        validate_action(in.items[i], path(where, i));
    validate_transaction_bytes(in.items, where);
    validate_distinct(in.items, where);
    if (in.client_request_token.size() > most_token_characters)
        reject("client_request_token", quote(in.client_request_token) + " has " +
                                           std::to_string(in.client_request_token.size()) +
                                           " characters: at most 36 are allowed");
}

void validate(const transact_get_items_input& in) {
    const path where("items");
    validate_transaction_size(in.items.size());
    for (std::size_t i = 0; i < in.items.size(); ++i) {
        const transact_get_item& each = in.items[i];
        const path here(where, i);
        validate_table_name(each.table_name, path(here, "table_name"));
        validate_key(each.key, path(here, "key"));
        validate_expression(each.projection_expression, path(here, "projection_expression"));
        validate_placeholders(each.names, {}, !each.projection_expression.empty(), here);
    }
}

} // namespace codynamo::dynamodb
