// SPDX-License-Identifier: BSL-1.0
// What a simulated DynamoDB answers; knows no network.
#pragma once

#include <codynamo/testing/detail/simulated_table.hpp>
#include <codynamo/testing/fake_transport.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing {

/// Bugs that a simulated server can be given, to see that a test would notice.
enum class simulated_bug {
    none,
    stale_strong_reads, ///< a strongly consistent read sometimes sees the version before
    lost_writes,        ///< a write is sometimes acknowledged and not done
    undead_items,       ///< a deleted item sometimes comes back
    ignored_conditions, ///< a condition sometimes counts as met
    mixed_up_answers,   ///< a read is sometimes answered with another key's attributes
};

/// A change that the server made.
struct simulated_change {
    enum class kind { put, erase, update, expired };
    std::string table{};
    std::string key{}; ///< the text of the hash key
    kind what = kind::put;
    std::uint64_t client = 0; ///< id of the process that asked for it; 0 for none
    std::uint64_t sent = 0;   ///< tick at which the request was sent
    std::uint64_t done = 0;   ///< tick at which it took effect
};

namespace detail {

struct service_error {
    unsigned status = 400;
    std::string_view code{};
    std::string message{};
    std::optional<json::object> item{};
};

struct service_settings {
    std::chrono::microseconds staleness{0};
    double stale_reads = 0.5;
    double unprocessed = 0;
    std::size_t page_items = 0;
    std::chrono::microseconds table_time{0};
    double ttl_deletion = 0.5;
    simulated_bug bug = simulated_bug::none;
};

/// Whom a request is from.
struct request_origin {
    std::uint64_t client = 0;
    std::uint64_t sent = 0;
};

class simulated_service {
public:
    simulated_service(virtual_world& world, service_settings settings)
        : world_(world), settings_(settings) {}

    /// Throws service_error.
    json::object execute(std::string_view operation, std::string_view body, request_origin from,
                         bool leave_unprocessed) {
        unsigned char buffer[4096];
        json::monotonic_resource memory(buffer, sizeof buffer);
        boost::system::error_code ec;
        const json::value parsed = json::parse(body, ec, &memory);
        if (ec || !parsed.is_object()) refuse("SerializationException", "not a JSON object");
        from_ = from;
        all_unprocessed_ = leave_unprocessed;
        try {
            return dispatch(operation, parsed.get_object());
        } catch (const invalid_expression& why) {
            refuse("ValidationException", why.what());
        }
    }

    service_settings& settings() noexcept { return settings_; }
    const std::vector<simulated_change>& changes() const noexcept { return changes_; }
    std::uint64_t unprocessed() const noexcept { return unprocessed_; }
    std::uint64_t stale() const noexcept { return stale_; }

    /// Null when there is no such table.
    simulated_table* find(std::string_view name) {
        const auto found = tables_.find(name);
        return found == tables_.end() ? nullptr : &found->second;
    }
    simulated_table& create(std::string name, std::string hash_name) {
        simulated_table& made = tables_[std::move(name)];
        made.hash_name = std::move(hash_name);
        made.key_schema = json::array{{{"AttributeName", made.hash_name}, {"KeyType", "HASH"}}};
        made.definitions = json::array{{{"AttributeName", made.hash_name}, {"AttributeType", "S"}}};
        made.status = simulated_table::state::active;
        return made;
    }

private:
    using kind = simulated_change::kind;

    [[noreturn]] static void refuse(std::string_view code, std::string message) {
        throw service_error{400, code, std::move(message), std::nullopt};
    }
    static std::string_view text(const json::object& in, std::string_view name) {
        const json::value* found = in.if_contains(name);
        return found ? text_of(*found) : std::string_view();
    }
    static bool flag(const json::object& in, std::string_view name) {
        const json::value* found = in.if_contains(name);
        return found && found->is_bool() && found->get_bool();
    }
    static std::uint64_t count(const json::object& in, std::string_view name, std::uint64_t none) {
        const json::value* found = in.if_contains(name);
        return found ? found->to_number<std::uint64_t>() : none;
    }
    static const json::object& object(const json::object& in, std::string_view name) {
        const json::value* found = in.if_contains(name);
        if (!found || !found->is_object()) refuse("ValidationException", std::string(name));
        return found->get_object();
    }
    static placeholders placeholders_of(const json::object& in) {
        const json::value* names = in.if_contains("ExpressionAttributeNames");
        const json::value* values = in.if_contains("ExpressionAttributeValues");
        return {names ? names->if_object() : nullptr, values ? values->if_object() : nullptr};
    }
    /// A copy that outlives the request.
    static json::object keep(const json::object& from) { return {from, json::storage_ptr()}; }

    json::object dispatch(std::string_view operation, const json::object& in) {
        if (operation == "GetItem") return get_item(in);
        if (operation == "PutItem") return put_item(in);
        if (operation == "DeleteItem") return delete_item(in);
        if (operation == "UpdateItem") return update_item(in);
        if (operation == "BatchGetItem") return batch_get_item(in);
        if (operation == "BatchWriteItem") return batch_write_item(in);
        if (operation == "Scan") return scan(in);
        if (operation == "Query") return query(in);
        if (operation == "CreateTable") return create_table(in);
        if (operation == "DescribeTable") return describe_table(in);
        if (operation == "DeleteTable") return delete_table(in);
        if (operation == "ListTables") return list_tables();
        if (operation == "UpdateTimeToLive") return update_time_to_live(in);
        if (operation == "DescribeTimeToLive") return describe_time_to_live(in);
        refuse("UnknownOperationException", std::string(operation) + " is not simulated");
    }

    // --- tables

    simulated_table& any_table(std::string_view name) {
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
    simulated_table& active_table(std::string_view name) {
        simulated_table& table = any_table(name);
        if (table.status != simulated_table::state::active)
            refuse("ResourceNotFoundException", "the table is not active");
        return table;
    }
    static json::object description(std::string_view name, const simulated_table& table) {
        constexpr std::string_view words[] = {"CREATING", "ACTIVE", "DELETING"};
        return {{"TableName", name},
                {"TableStatus", words[static_cast<int>(table.status)]},
                {"KeySchema", table.key_schema},
                {"AttributeDefinitions", table.definitions}};
    }
    json::object create_table(const json::object& in) {
        const std::string name(text(in, "TableName"));
        bool there = true;
        try {
            any_table(name);
        } catch (const service_error&) {
            there = false;
        }
        if (there) refuse("ResourceInUseException", "the table exists");
        simulated_table& made = tables_[name];
        made.key_schema = json::value(in.at("KeySchema"), json::storage_ptr());
        made.definitions = json::value(in.at("AttributeDefinitions"), json::storage_ptr());
        for (const json::value& one : in.at("KeySchema").as_array()) {
            const bool hash = text(one.as_object(), "KeyType") == "HASH";
            (hash ? made.hash_name : made.range_name) = text(one.as_object(), "AttributeName");
        }
        made.changes = world_.now() + settings_.table_time;
        return {{"TableDescription", description(name, made)}};
    }
    json::object describe_table(const json::object& in) {
        const std::string_view name = text(in, "TableName");
        return {{"Table", description(name, any_table(name))}};
    }
    json::object delete_table(const json::object& in) {
        const std::string_view name = text(in, "TableName");
        simulated_table& table = any_table(name);
        if (table.status != simulated_table::state::active)
            refuse("ResourceInUseException", "the table is being changed");
        table.status = simulated_table::state::deleting;
        table.changes = world_.now() + settings_.table_time;
        return {{"TableDescription", description(name, table)}};
    }
    json::object list_tables() const {
        json::array names;
        for (const auto& [name, table] : tables_)
            names.emplace_back(name);
        return {{"TableNames", std::move(names)}};
    }
    json::object update_time_to_live(const json::object& in) {
        simulated_table& table = active_table(text(in, "TableName"));
        const json::object& wanted = object(in, "TimeToLiveSpecification");
        if (flag(wanted, "Enabled") == !table.ttl_attribute.empty())
            refuse("ValidationException", "TimeToLive is already so");
        table.ttl_attribute =
            flag(wanted, "Enabled") ? text(wanted, "AttributeName") : std::string_view();
        return {{"TimeToLiveSpecification", keep(wanted)}};
    }
    json::object describe_time_to_live(const json::object& in) {
        const simulated_table& table = active_table(text(in, "TableName"));
        if (table.ttl_attribute.empty())
            return {{"TimeToLiveDescription", {{"TimeToLiveStatus", "DISABLED"}}}};
        return {{"TimeToLiveDescription",
                 {{"TimeToLiveStatus", "ENABLED"}, {"AttributeName", table.ttl_attribute}}}};
    }

    // --- items

    /// The service deletes what has expired when it pleases; here, when somebody looks.
    void expire(std::string_view name, simulated_table& table, const std::string& key) {
        if (table.ttl_attribute.empty()) return;
        const json::object* item = table.latest(key);
        const json::value* end = item ? item->if_contains(table.ttl_attribute) : nullptr;
        if (!end || tagged(*end).first != "N") return;
        const auto seconds = std::chrono::floor<std::chrono::seconds>(world_.wall());
        if (number_of(text_of(*tagged(*end).second)) >
            static_cast<long double>(seconds.time_since_epoch().count()))
            return;
        if (!world_.random().chance(settings_.ttl_deletion)) return;
        changes_.push_back({std::string(name), table.hash_text(*item), kind::expired, 0,
                            world_.tick(), world_.tick()});
        table.change(key, world_.now(), std::nullopt);
    }
    void write(std::string_view name, simulated_table& table, const std::string& key, kind what,
               std::string hash, std::optional<json::object> to) {
        changes_.push_back(
            {std::string(name), std::move(hash), what, from_.client, from_.sent, world_.tick()});
        if (buggy(simulated_bug::lost_writes)) return;
        const bool undead = !to && table.latest(key) && buggy(simulated_bug::undead_items);
        std::optional<json::object> body;
        if (undead) body = *table.latest(key);
        table.change(key, world_.now(), std::move(to));
        if (undead) table.change(key, world_.now(), std::move(body));
    }
    bool buggy(simulated_bug which) {
        return settings_.bug == which && world_.random().chance(0.2);
    }
    const json::object* read(simulated_table& table, std::string_view key, bool consistent) {
        if (buggy(simulated_bug::mixed_up_answers)) {
            const auto other = table.items.upper_bound(key);
            if (other != table.items.end() && other->second.back().item)
                return &*other->second.back().item;
        }
        const auto found = table.items.find(key);
        if (found == table.items.end()) return nullptr;
        if (consistent && found->second.size() > 1 && buggy(simulated_bug::stale_strong_reads)) {
            const auto& before = *std::prev(found->second.end(), 2);
            return before.item ? &*before.item : nullptr;
        }
        const auto bound = static_cast<std::uint64_t>(settings_.staleness.count());
        if (consistent || bound == 0 || !world_.random().chance(settings_.stale_reads))
            return table.latest(key);
        const std::chrono::microseconds late(world_.random().below(bound + 1));
        const json::object* seen = table.at(key, world_.now() - late);
        if (seen != table.latest(key)) ++stale_;
        return seen;
    }
    void require(const json::object& in, const json::object* item) {
        const std::string_view condition = text(in, "ConditionExpression");
        const json::object nothing;
        if (condition_holds(condition, placeholders_of(in), item ? *item : nothing)) return;
        if (buggy(simulated_bug::ignored_conditions)) return;
        service_error failed{400, "ConditionalCheckFailedException",
                             "The conditional request failed", std::nullopt};
        if (item && text(in, "ReturnValuesOnConditionCheckFailure") == "ALL_OLD")
            failed.item = *item;
        throw failed;
    }
    json::object get_item(const json::object& in) {
        const std::string_view name = text(in, "TableName");
        simulated_table& table = active_table(name);
        const std::string key = table.key_of(object(in, "Key"));
        expire(name, table, key);
        const json::object* found = read(table, key, flag(in, "ConsistentRead"));
        if (!found) return {};
        json::object item =
            projected(text(in, "ProjectionExpression"), placeholders_of(in), *found);
        // With all its attributes of another key, but under this one, so that only the bytes tell.
        if (settings_.bug == simulated_bug::mixed_up_answers && item.contains(table.hash_name))
            item[table.hash_name] = object(in, "Key").at(table.hash_name);
        return {{"Item", std::move(item)}};
    }
    static json::object old_attributes(const json::object& in, const json::object* old) {
        if (!old || text(in, "ReturnValues") != "ALL_OLD") return {};
        return {{"Attributes", *old}};
    }
    json::object put_item(const json::object& in) {
        const std::string_view name = text(in, "TableName");
        simulated_table& table = active_table(name);
        const json::object& item = object(in, "Item");
        const std::string key = table.key_of(item);
        expire(name, table, key);
        const json::object* old = table.latest(key);
        require(in, old);
        json::object answer = old_attributes(in, old);
        write(name, table, key, kind::put, table.hash_text(item), keep(item));
        return answer;
    }
    json::object delete_item(const json::object& in) {
        const std::string_view name = text(in, "TableName");
        simulated_table& table = active_table(name);
        const json::object& which = object(in, "Key");
        const std::string key = table.key_of(which);
        expire(name, table, key);
        const json::object* old = table.latest(key);
        require(in, old);
        json::object answer = old_attributes(in, old);
        write(name, table, key, kind::erase, table.hash_text(which), std::nullopt);
        return answer;
    }
    json::object update_item(const json::object& in) {
        const std::string_view name = text(in, "TableName");
        simulated_table& table = active_table(name);
        const json::object& which = object(in, "Key");
        const std::string key = table.key_of(which);
        expire(name, table, key);
        const json::object* old = table.latest(key);
        require(in, old);
        const json::object before = old ? *old : keep(which);
        json::object after =
            update_reader(text(in, "UpdateExpression"), placeholders_of(in), before).apply();
        json::object answer = old_attributes(in, old);
        if (text(in, "ReturnValues") == "ALL_NEW") answer["Attributes"] = after;
        write(name, table, key, kind::update, table.hash_text(which), keep(after));
        return answer;
    }

    // --- batches and pages

    /// Whether to leave one of a batch for later.
    bool leave() {
        const bool left = all_unprocessed_ || world_.random().chance(settings_.unprocessed);
        if (left) ++unprocessed_;
        return left;
    }
    json::object batch_get_item(const json::object& in) {
        json::object responses;
        json::object unprocessed;
        for (const auto& [name, asked] : object(in, "RequestItems")) {
            simulated_table& table = active_table(name);
            const json::object& what = asked.as_object();
            json::array items;
            json::array left;
            for (const json::value& each : what.at("Keys").as_array()) {
                if (leave()) {
                    left.push_back(each);
                    continue;
                }
                const std::string key = table.key_of(each.as_object());
                expire(name, table, key);
                const json::object* found = read(table, key, flag(what, "ConsistentRead"));
                if (!found) continue;
                items.push_back(
                    projected(text(what, "ProjectionExpression"), placeholders_of(what), *found));
            }
            // In no particular order.
            for (std::size_t i = items.size(); i > 1; --i)
                items[i - 1].swap(items[world_.random().below(i)]);
            responses[name] = std::move(items);
            if (left.empty()) continue;
            json::object rest = keep(what);
            rest["Keys"] = std::move(left);
            unprocessed[name] = std::move(rest);
        }
        return {{"Responses", std::move(responses)}, {"UnprocessedKeys", std::move(unprocessed)}};
    }
    json::object batch_write_item(const json::object& in) {
        json::object unprocessed;
        for (const auto& [name, asked] : object(in, "RequestItems")) {
            simulated_table& table = active_table(name);
            json::array left;
            for (const json::value& each : asked.as_array()) {
                if (leave()) {
                    left.push_back(each);
                    continue;
                }
                const json::object& one = each.as_object();
                const bool is_put = one.contains("PutRequest");
                const json::object& item = is_put ? object(object(one, "PutRequest"), "Item")
                                                  : object(object(one, "DeleteRequest"), "Key");
                const std::string key = table.key_of(item);
                std::optional<json::object> to;
                if (is_put) to = keep(item);
                write(name, table, key, is_put ? kind::put : kind::erase, table.hash_text(item),
                      std::move(to));
            }
            if (!left.empty()) unprocessed[name] = std::move(left);
        }
        return {{"UnprocessedItems", std::move(unprocessed)}};
    }
    json::object scan(const json::object& in) { return page(in, {}, false); }
    json::object query(const json::object& in) {
        const json::value* forward = in.if_contains("ScanIndexForward");
        const bool backward = forward && forward->is_bool() && !forward->get_bool();
        return page(in, text(in, "KeyConditionExpression"), backward);
    }
    /// One page of a scan, or of a query: a scan of what the key condition lets through.
    json::object page(const json::object& in, std::string_view key_condition, bool backward) {
        const std::string_view name = text(in, "TableName");
        simulated_table& table = active_table(name);
        const std::uint64_t segments = count(in, "TotalSegments", 1);
        const std::uint64_t segment = count(in, "Segment", 0);
        const std::uint64_t most =
            std::min(count(in, "Limit", never_full),
                     settings_.page_items == 0 ? never_full : settings_.page_items);
        const json::value* start = in.if_contains("ExclusiveStartKey");
        const std::string after = start ? table.key_of(start->as_object()) : std::string();
        std::vector<std::string> keys;
        for (const auto& [key, versions] : table.items)
            keys.push_back(key);
        if (backward) std::reverse(keys.begin(), keys.end());

        json::array items;
        std::uint64_t scanned = 0;
        json::object last;
        for (const std::string& key : keys) {
            if (segments > 1 && segment_of(key, segments) != segment) continue;
            if (start && (backward ? key >= after : key <= after)) continue;
            expire(name, table, key);
            const json::object* found = read(table, key, flag(in, "ConsistentRead"));
            if (!found || !condition_holds(key_condition, placeholders_of(in), *found)) continue;
            if (scanned == most) { // there is more
                json::object answer = page_answer(std::move(items), scanned);
                answer["LastEvaluatedKey"] = std::move(last);
                return answer;
            }
            ++scanned;
            last = table.key_item(*found);
            if (!condition_holds(text(in, "FilterExpression"), placeholders_of(in), *found))
                continue;
            items.push_back(
                projected(text(in, "ProjectionExpression"), placeholders_of(in), *found));
        }
        return page_answer(std::move(items), scanned);
    }
    static json::object page_answer(json::array items, std::uint64_t scanned) {
        const std::size_t found = items.size();
        return {{"Items", std::move(items)}, {"Count", found}, {"ScannedCount", scanned}};
    }
    static std::uint64_t segment_of(std::string_view key, std::uint64_t segments) {
        std::uint64_t hash = 0xCBF29CE484222325ULL;
        for (const char c : key)
            hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
        return (hash >> 16U) % segments;
    }
    static constexpr std::uint64_t never_full = std::uint64_t(-1);

    virtual_world& world_;
    service_settings settings_;
    std::map<std::string, simulated_table, std::less<>> tables_;
    std::vector<simulated_change> changes_;
    request_origin from_;
    bool all_unprocessed_ = false;
    std::uint64_t unprocessed_ = 0;
    std::uint64_t stale_ = 0;
};

} // namespace detail
} // namespace codynamo::testing
