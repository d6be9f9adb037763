// SPDX-License-Identifier: BSL-1.0
// Inputs and outputs of the item operations. Plain data; the names are those of the DynamoDB API
// Reference.
//
// Checked before anything is sent, with errc::invalid_argument naming field, value and bound
// (Developer Guide, "Quotas" and "Constraints"): a table name has 3 to 255 of a-z A-Z 0-9 _ - . or
// is an ARN of at most 1024; a key has one or two attributes of type S, N or B, texts and binaries
// of 1 to 2048 bytes; an item has at most 400 KB (409,600 bytes, see item_size) and 32 levels of
// lists and maps; a number has at most 38 significant digits and a magnitude of 0 or 1E-130 up to
// 1E126; a set is not empty; an expression has at most 4096 bytes; a name placeholder begins with
// '#', a value placeholder with ':', and both need an expression. All text is UTF-8.
#pragma once

#include <codynamo/dynamodb/attribute_value.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::dynamodb {

/// Name placeholders: "#n" to attribute name. Use them always: hundreds of words are reserved.
using attribute_names = std::map<std::string, std::string, std::less<>>;
/// Value placeholders: ":v" to value.
using attribute_values = map;

enum class return_consumed_capacity { none, total, indexes };
enum class return_values { none, all_old, updated_old, all_new, updated_new };
enum class return_values_on_condition_check_failure { none, all_old };

/// Capacity units. DynamoDB tells reads and writes apart for transactions only; else they are 0.
struct capacity_units {
    double total = 0;
    double read = 0;
    double write = 0;
    friend bool operator==(const capacity_units&, const capacity_units&) = default;
};

/// Capacity units that a request consumed, for one table. For information: figures that an answer
/// has in another form than the service's are left out.
struct consumed_capacity {
    std::string table_name{};
    /// Table and indexes together.
    double capacity_units = 0;
    double read_capacity_units = 0;
    double write_capacity_units = 0;
    /// With return_consumed_capacity::indexes: the share of the table itself, and those of the
    /// indexes that the request touched, by name.
    std::optional<dynamodb::capacity_units> table{};
    std::map<std::string, dynamodb::capacity_units, std::less<>> local_secondary_indexes{};
    std::map<std::string, dynamodb::capacity_units, std::less<>> global_secondary_indexes{};
};

/// A condition on a write; empty expression for none.
struct condition {
    std::string expression{};
    return_values_on_condition_check_failure return_item =
        return_values_on_condition_check_failure::none;
};

struct get_item_output {
    /// Not set when there is no such item.
    std::optional<dynamodb::item> item{};
    std::optional<dynamodb::consumed_capacity> consumed_capacity{};
};
struct get_item_input {
    std::string table_name{};
    item key{};
    bool consistent_read = false;
    std::string projection_expression{};
    attribute_names names{};
    return_consumed_capacity return_capacity = return_consumed_capacity::none;

    using output = get_item_output;
    static constexpr std::string_view operation = "GetItem";
};

/// What Put, Update and Delete answer.
struct write_output {
    /// As `return_values` asked; empty otherwise.
    item attributes{};
    std::optional<dynamodb::consumed_capacity> consumed_capacity{};
};
struct put_item_output : write_output {};
struct put_item_input {
    std::string table_name{};
    dynamodb::item item{};
    dynamodb::condition condition{};
    attribute_names names{};
    attribute_values values{};
    /// none or all_old.
    dynamodb::return_values return_values = dynamodb::return_values::none;
    return_consumed_capacity return_capacity = return_consumed_capacity::none;
    /// Name of an attribute of `item` that tells this write from others, best a random identifier
    /// made for it. With it a conditional put is sent again although nobody knows whether it took
    /// effect; when the condition is then false for an item that equals `item` in every attribute
    /// (numbers by value), the put is taken for executed and reported as a success (without
    /// consumed_capacity). Two writers who put identical items cannot be told apart: a counter that
    /// the condition guards does only if the rest of the item differs as well, or if it does not
    /// matter whose put it was. Asks for the item that made the condition false
    /// (condition.return_item is all_old). Empty: no such attribute. Not together with
    /// return_values.
    std::string version_attribute{};

    using output = put_item_output;
    static constexpr std::string_view operation = "PutItem";
};

struct update_item_output : write_output {};
struct update_item_input {
    std::string table_name{};
    item key{};
    std::string update_expression{};
    dynamodb::condition condition{};
    attribute_names names{};
    attribute_values values{};
    dynamodb::return_values return_values = dynamodb::return_values::none;
    return_consumed_capacity return_capacity = return_consumed_capacity::none;

    using output = update_item_output;
    static constexpr std::string_view operation = "UpdateItem";
};

struct delete_item_output : write_output {};
struct delete_item_input {
    std::string table_name{};
    item key{};
    dynamodb::condition condition{};
    attribute_names names{};
    attribute_values values{};
    /// none or all_old.
    dynamodb::return_values return_values = dynamodb::return_values::none;
    return_consumed_capacity return_capacity = return_consumed_capacity::none;

    using output = delete_item_output;
    static constexpr std::string_view operation = "DeleteItem";
};

/// The keys of one table in a BatchGetItem.
struct keys_and_attributes {
    std::vector<item> keys{};
    bool consistent_read = false;
    std::string projection_expression{};
    attribute_names names{};
};
struct batch_get_item_output {
    /// Table name to items found, in no particular order.
    std::map<std::string, std::vector<item>, std::less<>> responses{};
    /// What has to be asked again.
    std::map<std::string, keys_and_attributes, std::less<>> unprocessed_keys{};
    std::vector<dynamodb::consumed_capacity> consumed_capacity{};
};
struct batch_get_item_input {
    /// 1 to 100 keys in all, no duplicates.
    std::map<std::string, keys_and_attributes, std::less<>> request_items{};
    return_consumed_capacity return_capacity = return_consumed_capacity::none;

    using output = batch_get_item_output;
    static constexpr std::string_view operation = "BatchGetItem";
};

/// One write of a BatchWriteItem: a put when `is_put`, else a delete by key.
struct write_request {
    bool is_put = true;
    /// The whole item of a put, or the key of a delete.
    dynamodb::item item{};
};
struct batch_write_item_output {
    std::map<std::string, std::vector<write_request>, std::less<>> unprocessed_items{};
    std::vector<dynamodb::consumed_capacity> consumed_capacity{};
};
struct batch_write_item_input {
    /// 1 to 25 writes in all, no two to one key, 16 MB in all.
    std::map<std::string, std::vector<write_request>, std::less<>> request_items{};
    return_consumed_capacity return_capacity = return_consumed_capacity::none;

    using output = batch_write_item_output;
    static constexpr std::string_view operation = "BatchWriteItem";
};

/// One page of a Query or Scan.
struct page_output {
    std::vector<item> items{};
    std::uint64_t count = 0;
    std::uint64_t scanned_count = 0;
    /// Where the next page begins; empty on the last one.
    item last_evaluated_key{};
    std::optional<dynamodb::consumed_capacity> consumed_capacity{};
};
struct query_output : page_output {};
struct query_input {
    std::string table_name{};
    std::string index_name{};
    std::string key_condition_expression{};
    std::string filter_expression{};
    std::string projection_expression{};
    attribute_names names{};
    attribute_values values{};
    bool consistent_read = false;
    bool scan_index_forward = true;
    /// Most items to look at, up to 2^31 − 1; 0 for as many as fit 1 MB.
    std::uint32_t limit = 0;
    /// Ask for the count only; forbids a projection.
    bool select_count = false;
    item exclusive_start_key{};
    return_consumed_capacity return_capacity = return_consumed_capacity::none;

    using output = query_output;
    static constexpr std::string_view operation = "Query";
};

struct scan_output : page_output {};
struct scan_input {
    std::string table_name{};
    std::string index_name{};
    std::string filter_expression{};
    std::string projection_expression{};
    attribute_names names{};
    attribute_values values{};
    bool consistent_read = false;
    /// Most items to look at, up to 2^31 − 1; 0 for as many as fit 1 MB.
    std::uint32_t limit = 0;
    bool select_count = false;
    /// 1 to 1,000,000; 1 scans without segments.
    std::uint32_t total_segments = 1;
    /// 0 to total_segments − 1.
    std::uint32_t segment = 0;
    item exclusive_start_key{};
    return_consumed_capacity return_capacity = return_consumed_capacity::none;

    using output = scan_output;
    static constexpr std::string_view operation = "Scan";
};

/// One action of a TransactWriteItems.
struct transact_write_item {
    enum class kind { put, update, remove, condition_check };
    kind action = kind::put;
    std::string table_name{};
    /// The whole item of a put, else the key.
    dynamodb::item item{};
    std::string update_expression{};
    dynamodb::condition condition{};
    attribute_names names{};
    attribute_values values{};
};
struct transact_write_items_output {
    std::vector<dynamodb::consumed_capacity> consumed_capacity{};
};
struct transact_write_items_input {
    /// 1 to 100 actions, no two on one item, 4 MB in all.
    std::vector<transact_write_item> items{};
    /// Makes the call idempotent for ten minutes; at most 36 characters. The client makes one up
    /// when empty.
    std::string client_request_token{};
    return_consumed_capacity return_capacity = return_consumed_capacity::none;

    using output = transact_write_items_output;
    static constexpr std::string_view operation = "TransactWriteItems";
};

struct transact_get_item {
    std::string table_name{};
    item key{};
    std::string projection_expression{};
    attribute_names names{};
};
struct transact_get_items_output {
    /// In the order asked; empty where there is no such item.
    std::vector<std::optional<item>> responses{};
    std::vector<dynamodb::consumed_capacity> consumed_capacity{};
};
struct transact_get_items_input {
    /// 1 to 100.
    std::vector<transact_get_item> items{};
    return_consumed_capacity return_capacity = return_consumed_capacity::none;

    using output = transact_get_items_output;
    static constexpr std::string_view operation = "TransactGetItems";
};

} // namespace codynamo::dynamodb
