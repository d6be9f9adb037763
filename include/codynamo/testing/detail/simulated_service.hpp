// SPDX-License-Identifier: BSL-1.0
// What a simulated DynamoDB answers; knows no network.
#pragma once

#include <codynamo/testing/detail/service_request.hpp>
#include <codynamo/testing/detail/simulated_items.hpp>
#include <codynamo/testing/detail/simulated_table.hpp>
#include <codynamo/testing/detail/simulated_tables.hpp>
#include <codynamo/testing/simulated_change.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing::detail {

class simulated_service {
public:
    simulated_service(virtual_world& world, const service_settings& settings)
        : world_(world), settings_(settings), tables_(world, settings.table_time),
          items_(world, settings) {}

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

    [[nodiscard]] simulated_tables& tables() noexcept { return tables_; }
    [[nodiscard]] const std::vector<simulated_change>& changes() const noexcept {
        return items_.changes();
    }
    [[nodiscard]] std::uint64_t unprocessed() const noexcept { return unprocessed_; }
    [[nodiscard]] std::uint64_t stale() const noexcept { return items_.stale(); }

private:
    using kind = simulated_change::kind;

    json::object dispatch(std::string_view operation, const json::object& in) {
        if (operation == "GetItem") return get_item(in);
        if (operation == "PutItem") return put_item(in);
        if (operation == "DeleteItem") return delete_item(in);
        if (operation == "UpdateItem") return update_item(in);
        if (operation == "BatchGetItem") return batch_get_item(in);
        if (operation == "BatchWriteItem") return batch_write_item(in);
        if (operation == "Scan") return scan(in);
        if (operation == "Query") return query(in);
        if (operation == "CreateTable") return tables_.create_table(in);
        if (operation == "DescribeTable") return tables_.describe_table(in);
        if (operation == "DeleteTable") return tables_.delete_table(in);
        if (operation == "ListTables") return tables_.list_tables();
        if (operation == "UpdateTimeToLive") return tables_.update_time_to_live(in);
        if (operation == "DescribeTimeToLive") return tables_.describe_time_to_live(in);
        refuse("UnknownOperationException", std::string(operation) + " is not simulated");
    }

    // --- items

    /// The item of a request whose member `given` holds its key; expired by now, perhaps.
    located_item locate(const json::object& in, std::string_view given) {
        const std::string_view name = text_in(in, "TableName");
        simulated_table& table = tables_.active(name);
        const json::object& which = object_in(in, given);
        std::string key = table.key_of(which);
        items_.expire(name, table, key);
        return {name, table, which, std::move(key)};
    }
    /// What is there before a write that may be done.
    const json::object* before(const json::object& in, const located_item& at) {
        const json::object* old = at.table.latest(at.key);
        items_.require(in, old);
        return old;
    }
    static json::object old_attributes(const json::object& in, const json::object* old) {
        if (!old || text_in(in, "ReturnValues") != "ALL_OLD") return {};
        return {{"Attributes", *old}};
    }
    json::object get_item(const json::object& in) {
        const located_item at = locate(in, "Key");
        const json::object* found = items_.read(at.table, at.key, flag_in(in, "ConsistentRead"));
        if (!found) return {};
        json::object item =
            projected(text_in(in, "ProjectionExpression"), placeholders_of(in), *found);
        // With all its attributes of another key, but under this one, so that only the bytes tell.
        const std::string& hash_name = at.table.hash_name;
        if (settings_.bug == simulated_bug::mixed_up_answers && item.contains(hash_name))
            item[hash_name] = at.given.at(hash_name);
        return {{"Item", std::move(item)}};
    }
    json::object put_item(const json::object& in) {
        const located_item at = locate(in, "Item");
        json::object answer = old_attributes(in, before(in, at));
        items_.write(at, kind::put, from_, keep(at.given));
        return answer;
    }
    json::object delete_item(const json::object& in) {
        const located_item at = locate(in, "Key");
        json::object answer = old_attributes(in, before(in, at));
        items_.write(at, kind::erase, from_, std::nullopt);
        return answer;
    }
    json::object update_item(const json::object& in) {
        const located_item at = locate(in, "Key");
        const json::object* old = before(in, at);
        const json::object item = old ? *old : keep(at.given);
        json::object after =
            update_reader(text_in(in, "UpdateExpression"), placeholders_of(in), item).apply();
        json::object answer = old_attributes(in, old);
        if (text_in(in, "ReturnValues") == "ALL_NEW") answer["Attributes"] = after;
        items_.write(at, kind::update, from_, keep(after));
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
        for (const auto& [name, asked] : object_in(in, "RequestItems")) {
            simulated_table& table = tables_.active(name);
            const json::object& what = asked.as_object();
            json::array items;
            json::array left;
            for (const json::value& each : what.at("Keys").as_array()) {
                if (leave()) {
                    left.push_back(each);
                    continue;
                }
                const std::string key = table.key_of(each.as_object());
                items_.expire(name, table, key);
                const json::object* found =
                    items_.read(table, key, flag_in(what, "ConsistentRead"));
                if (!found) continue;
                items.push_back(projected(text_in(what, "ProjectionExpression"),
                                          placeholders_of(what), *found));
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
        for (const auto& [name, asked] : object_in(in, "RequestItems")) {
            simulated_table& table = tables_.active(name);
            json::array left;
            for (const json::value& each : asked.as_array()) {
                if (leave()) {
                    left.push_back(each);
                    continue;
                }
                const json::object& one = each.as_object();
                const bool is_put = one.contains("PutRequest");
                const json::object& item = is_put
                                               ? object_in(object_in(one, "PutRequest"), "Item")
                                               : object_in(object_in(one, "DeleteRequest"), "Key");
                const located_item at{name, table, item, table.key_of(item)};
                std::optional<json::object> to;
                if (is_put) to = keep(item);
                items_.write(at, is_put ? kind::put : kind::erase, from_, std::move(to));
            }
            if (!left.empty()) unprocessed[name] = std::move(left);
        }
        return {{"UnprocessedItems", std::move(unprocessed)}};
    }
    json::object scan(const json::object& in) { return page(in, {}, false); }
    json::object query(const json::object& in) {
        const json::value* forward = in.if_contains("ScanIndexForward");
        const bool backward = forward && forward->is_bool() && !forward->get_bool();
        return page(in, text_in(in, "KeyConditionExpression"), backward);
    }
    /// One page of a scan, or of a query: a scan of what the key condition lets through.
    json::object page(const json::object& in, std::string_view key_condition, bool backward) {
        const std::string_view name = text_in(in, "TableName");
        simulated_table& table = tables_.active(name);
        const std::uint64_t segments = count_in(in, "TotalSegments", 1);
        const std::uint64_t segment = count_in(in, "Segment", 0);
        const std::uint64_t most =
            std::min(count_in(in, "Limit", never_full),
                     settings_.page_items == 0 ? never_full : settings_.page_items);
        const json::value* start = in.if_contains("ExclusiveStartKey");
        const std::string after = start ? table.key_of(start->as_object()) : std::string();
        std::vector<std::string> keys;
        keys.reserve(table.items.size());
        for (const auto& [key, versions] : table.items)
            keys.push_back(key);
        if (backward) std::reverse(keys.begin(), keys.end());

        json::array items;
        std::uint64_t scanned = 0;
        json::object last;
        for (const std::string& key : keys) {
            if (segments > 1 && segment_of(key, segments) != segment) continue;
            if (start && (backward ? key >= after : key <= after)) continue;
            items_.expire(name, table, key);
            const json::object* found = items_.read(table, key, flag_in(in, "ConsistentRead"));
            if (!found || !condition_holds(key_condition, placeholders_of(in), *found)) continue;
            if (scanned == most) { // there is more
                json::object answer = page_answer(std::move(items), scanned);
                answer["LastEvaluatedKey"] = std::move(last);
                return answer;
            }
            ++scanned;
            last = table.key_item(*found);
            if (!condition_holds(text_in(in, "FilterExpression"), placeholders_of(in), *found))
                continue;
            items.push_back(
                projected(text_in(in, "ProjectionExpression"), placeholders_of(in), *found));
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
    simulated_tables tables_;
    simulated_items items_;
    request_origin from_;
    bool all_unprocessed_ = false;
    std::uint64_t unprocessed_ = 0;
};

} // namespace codynamo::testing::detail
