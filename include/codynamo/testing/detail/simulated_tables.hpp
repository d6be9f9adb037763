// SPDX-License-Identifier: BSL-1.0
// The tables of a simulated DynamoDB: made, changed and deleted, each of which takes its time.
#pragma once

#include <codynamo/testing/detail/service_request.hpp>
#include <codynamo/testing/detail/simulated_table.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace codynamo::testing::detail {

class simulated_tables {
public:
    /// `change_time`: how long a table takes to be created or deleted.
    simulated_tables(virtual_world& world, std::chrono::microseconds change_time)
        : world_(world), change_time_(change_time) {}

    /// At once, ACTIVE.
    simulated_table& create(std::string name, std::string hash_name) {
        simulated_table& made = tables_[std::move(name)];
        made.hash_name = std::move(hash_name);
        made.key_schema = json::array{{{"AttributeName", made.hash_name}, {"KeyType", "HASH"}}};
        made.definitions = json::array{{{"AttributeName", made.hash_name}, {"AttributeType", "S"}}};
        made.status = simulated_table::state::active;
        return made;
    }
    /// Refuses when there is none.
    simulated_table& any(std::string_view name) {
        const auto found = tables_.find(name);
        if (found != tables_.end()) {
            simulated_table& table = found->second;
            if (table.status == simulated_table::state::active || world_.now() < table.changes)
                return table;
            if (table.status == simulated_table::state::creating) {
                table.status = simulated_table::state::active;
                return table;
            }
            tables_.erase(found);
        }
        refuse("ResourceNotFoundException", "no table " + std::string(name));
    }
    /// Refuses when there is none that is ACTIVE.
    simulated_table& active(std::string_view name) {
        simulated_table& table = any(name);
        if (table.status != simulated_table::state::active)
            refuse("ResourceNotFoundException", "the table is not active");
        return table;
    }

    // --- the operations, request to answer

    json::object create_table(const json::object& in) {
        const std::string name(text_in(in, "TableName"));
        bool there = true;
        try {
            any(name);
        } catch (const service_error&) {
            there = false;
        }
        if (there) refuse("ResourceInUseException", "the table exists");
        simulated_table& made = tables_[name];
        made.key_schema = json::value(in.at("KeySchema"), json::storage_ptr());
        made.definitions = json::value(in.at("AttributeDefinitions"), json::storage_ptr());
        for (const json::value& one : in.at("KeySchema").as_array()) {
            const bool hash = text_in(one.as_object(), "KeyType") == "HASH";
            (hash ? made.hash_name : made.range_name) = text_in(one.as_object(), "AttributeName");
        }
        made.changes = world_.now() + change_time_;
        return {{"TableDescription", description(name, made)}};
    }
    json::object describe_table(const json::object& in) {
        const std::string_view name = text_in(in, "TableName");
        return {{"Table", description(name, any(name))}};
    }
    json::object delete_table(const json::object& in) {
        const std::string_view name = text_in(in, "TableName");
        simulated_table& table = any(name);
        if (table.status != simulated_table::state::active)
            refuse("ResourceInUseException", "the table is being changed");
        table.status = simulated_table::state::deleting;
        table.changes = world_.now() + change_time_;
        return {{"TableDescription", description(name, table)}};
    }
    [[nodiscard]] json::object list_tables() const {
        json::array names;
        for (const auto& [name, table] : tables_)
            names.emplace_back(name);
        return {{"TableNames", std::move(names)}};
    }
    json::object update_time_to_live(const json::object& in) {
        simulated_table& table = active(text_in(in, "TableName"));
        const json::object& wanted = object_in(in, "TimeToLiveSpecification");
        if (flag_in(wanted, "Enabled") == !table.ttl_attribute.empty())
            refuse("ValidationException", "TimeToLive is already so");
        table.ttl_attribute =
            flag_in(wanted, "Enabled") ? text_in(wanted, "AttributeName") : std::string_view();
        return {{"TimeToLiveSpecification", keep(wanted)}};
    }
    json::object describe_time_to_live(const json::object& in) {
        const simulated_table& table = active(text_in(in, "TableName"));
        if (table.ttl_attribute.empty())
            return {{"TimeToLiveDescription", {{"TimeToLiveStatus", "DISABLED"}}}};
        return {{"TimeToLiveDescription",
                 {{"TimeToLiveStatus", "ENABLED"}, {"AttributeName", table.ttl_attribute}}}};
    }

private:
    static json::object description(std::string_view name, const simulated_table& table) {
        constexpr std::string_view words[] = {"CREATING", "ACTIVE", "DELETING"};
        return {{"TableName", name},
                {"TableStatus", words[static_cast<int>(table.status)]},
                {"KeySchema", table.key_schema},
                {"AttributeDefinitions", table.definitions}};
    }

    virtual_world& world_;
    std::chrono::microseconds change_time_;
    std::map<std::string, simulated_table, std::less<>> tables_;
};

} // namespace codynamo::testing::detail
