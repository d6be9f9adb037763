// SPDX-License-Identifier: BSL-1.0
// How a simulated DynamoDB reads and writes one item: late, expired, and as wrong as it is told to.
#pragma once

#include <codynamo/testing/detail/service_request.hpp>
#include <codynamo/testing/detail/simulated_table.hpp>
#include <codynamo/testing/simulated_change.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing::detail {

/// An item of a table as a request names it, by its key or as a whole. Lives as long as both.
struct located_item {
    std::string_view table_name{};
    simulated_table& table;
    const json::object& given;
    std::string key{};
};

class simulated_items {
public:
    simulated_items(virtual_world& world, const service_settings& settings)
        : world_(world), settings_(settings) {}

    [[nodiscard]] const std::vector<simulated_change>& changes() const noexcept { return changes_; }
    /// Reads that were late.
    [[nodiscard]] std::uint64_t stale() const noexcept { return stale_; }

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
        changes_.push_back({std::string(name), table.hash_text(*item),
                            simulated_change::kind::expired, 0, world_.tick(), world_.tick()});
        table.change(key, world_.now(), std::nullopt);
    }
    /// nullopt: there is none from now on.
    void write(const located_item& at, simulated_change::kind what, request_origin from,
               std::optional<json::object> to) {
        changes_.push_back({std::string(at.table_name), at.table.hash_text(at.given), what,
                            from.client, from.sent, world_.tick()});
        if (buggy(simulated_bug::lost_writes)) return;
        const bool undead = !to && at.table.latest(at.key) && buggy(simulated_bug::undead_items);
        std::optional<json::object> body;
        if (undead) body = *at.table.latest(at.key);
        at.table.change(at.key, world_.now(), std::move(to));
        if (undead) at.table.change(at.key, world_.now(), std::move(body));
    }
    /// Null when none is seen.
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
    /// Refuses a request whose condition the item, null for none, does not meet.
    void require(const json::object& in, const json::object* item) {
        const std::string_view condition = text_in(in, "ConditionExpression");
        const json::object nothing;
        if (condition_holds(condition, placeholders_of(in), item ? *item : nothing)) return;
        if (buggy(simulated_bug::ignored_conditions)) return;
        service_error failed{400, "ConditionalCheckFailedException",
                             "The conditional request failed", std::nullopt};
        if (item && text_in(in, "ReturnValuesOnConditionCheckFailure") == "ALL_OLD")
            failed.item = *item;
        throw failed;
    }

private:
    bool buggy(simulated_bug which) {
        return settings_.bug == which && world_.random().chance(0.2);
    }

    virtual_world& world_;
    service_settings settings_;
    std::vector<simulated_change> changes_;
    std::uint64_t stale_ = 0;
};

} // namespace codynamo::testing::detail
