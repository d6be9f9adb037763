// SPDX-License-Identifier: BSL-1.0
// Inputs and outputs of the table operations. Plain data; the names are those of the DynamoDB API
// Reference.
#pragma once

#include <codynamo/environment.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::dynamodb {

enum class billing_mode { pay_per_request, provisioned };
enum class key_type { hash, range };
enum class scalar_type { S, N, B };

/// A key attribute with its type.
struct key_attribute {
    std::string name{};
    key_type role = key_type::hash;
    scalar_type type = scalar_type::S;
    friend bool operator==(const key_attribute&, const key_attribute&) = default;
};

struct provisioned_throughput {
    /// At least 1 when sent; servers answer 0 for on-demand tables.
    std::int64_t read_capacity_units = 1;
    std::int64_t write_capacity_units = 1;
};

struct table_description {
    std::string table_name{};
    std::string table_arn{};
    /// "CREATING", "ACTIVE", "UPDATING", "DELETING" …
    std::string table_status{};
    /// The hash key first.
    std::vector<key_attribute> key_schema{};
    /// Empty when the server does not say.
    std::optional<dynamodb::billing_mode> billing_mode{};
    std::optional<provisioned_throughput> throughput{};
    std::optional<timestamp> created{};
    /// Refreshed by the service every six hours or so.
    std::optional<std::int64_t> item_count{};
    std::optional<std::int64_t> table_size_bytes{};
};

struct table_output {
    table_description table{};
};

struct create_table_output : table_output {};
struct create_table_input {
    std::string table_name{};
    /// One hash key, and at most one range key after it.
    std::vector<key_attribute> key_schema{};
    dynamodb::billing_mode billing_mode = dynamodb::billing_mode::pay_per_request;
    /// Required for provisioned, forbidden for pay_per_request.
    std::optional<provisioned_throughput> throughput{};

    using output = create_table_output;
    static constexpr std::string_view operation = "CreateTable";
};

struct describe_table_output : table_output {};
struct describe_table_input {
    std::string table_name{};

    using output = describe_table_output;
    static constexpr std::string_view operation = "DescribeTable";
};

struct delete_table_output : table_output {};
struct delete_table_input {
    std::string table_name{};

    using output = delete_table_output;
    static constexpr std::string_view operation = "DeleteTable";
};

struct list_tables_output {
    std::vector<std::string> table_names{};
    /// Where the next page begins; empty on the last one.
    std::string last_evaluated_table_name{};
};
struct list_tables_input {
    std::string exclusive_start_table_name{};
    /// 1 to 100; 0 for 100.
    std::uint32_t limit = 0;

    using output = list_tables_output;
    static constexpr std::string_view operation = "ListTables";
};

struct update_time_to_live_output {
    std::string attribute_name{};
    bool enabled = false;
};
struct update_time_to_live_input {
    std::string table_name{};
    std::string attribute_name{};
    bool enabled = true;

    using output = update_time_to_live_output;
    static constexpr std::string_view operation = "UpdateTimeToLive";
};

struct describe_time_to_live_output {
    /// "ENABLING", "ENABLED", "DISABLING" or "DISABLED".
    std::string status{};
    /// Empty when disabled.
    std::string attribute_name{};
};
struct describe_time_to_live_input {
    std::string table_name{};

    using output = describe_time_to_live_output;
    static constexpr std::string_view operation = "DescribeTimeToLive";
};

} // namespace codynamo::dynamodb
