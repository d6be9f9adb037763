// SPDX-License-Identifier: BSL-1.0
// A table of a simulated DynamoDB: every version of every item, so that a read can be late.
#pragma once

#include <codynamo/testing/detail/simulated_expression.hpp>
#include <codynamo/testing/seeded_random.hpp>

#include <boost/json/serialize.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing::detail {

class simulated_table {
public:
    using steady_point = std::chrono::steady_clock::time_point;
    struct version {
        steady_point since;
        std::optional<json::object> item; ///< nullopt: there is none
    };
    using versions = std::vector<version>;

    enum class state { creating, active, deleting };

    json::value key_schema{};
    json::value definitions{};
    std::string hash_name{};
    std::string range_name{}; ///< empty without range key
    state status = state::creating;
    steady_point changes{}; ///< when creating and deleting end
    std::string ttl_attribute{};
    std::map<std::string, versions, std::less<>> items{};

    /// What orders and identifies an item: hash key, then range key.
    [[nodiscard]] std::string key_of(const json::object& item) const {
        std::string key = key_part(item, hash_name);
        if (!range_name.empty()) key += '\x1F' + key_part(item, range_name);
        return key;
    }
    /// The text of the hash key.
    [[nodiscard]] std::string hash_text(const json::object& item) const {
        return std::string(text_of(*tagged(item.at(hash_name)).second));
    }
    [[nodiscard]] json::object key_item(const json::object& item) const {
        json::object key;
        key[hash_name] = item.at(hash_name);
        if (!range_name.empty()) key[range_name] = item.at(range_name);
        return key;
    }

    [[nodiscard]] const json::object* latest(std::string_view key) const {
        const auto found = items.find(key);
        if (found == items.end() || !found->second.back().item) return nullptr;
        return &*found->second.back().item;
    }
    /// What was there at a moment.
    [[nodiscard]] const json::object* at(std::string_view key, steady_point when) const {
        const auto found = items.find(key);
        if (found == items.end()) return nullptr;
        for (auto v = found->second.rbegin(); v != found->second.rend(); ++v)
            if (v->since <= when) return v->item ? &*v->item : nullptr;
        return nullptr;
    }
    void change(const std::string& key, steady_point now, std::optional<json::object> to) {
        items[key].push_back({now, std::move(to)});
    }

private:
    [[nodiscard]] static std::string key_part(const json::object& item, const std::string& name) {
        const json::value* found = item.if_contains(name);
        if (!found) throw invalid_expression("the key attribute " + name + " is missing");
        const auto [type, content] = tagged(*found);
        return std::string(type) + std::string(text_of(*content));
    }
};

} // namespace codynamo::testing::detail
