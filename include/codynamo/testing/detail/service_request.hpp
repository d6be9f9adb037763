// SPDX-License-Identifier: BSL-1.0
// What a simulated DynamoDB is told: its settings, and the members of a request.
#pragma once

#include <codynamo/testing/detail/simulated_expression.hpp>
#include <codynamo/testing/simulated_faults.hpp>

#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace codynamo::testing::detail {

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

struct service_error {
    unsigned status = 400;
    std::string_view code{};
    std::string message{};
    std::optional<json::object> item{};
};

[[noreturn]] inline void refuse(std::string_view code, std::string message) {
    throw service_error{400, code, std::move(message), std::nullopt};
}

/// Empty when it is missing.
[[nodiscard]] inline std::string_view text_in(const json::object& in, std::string_view name) {
    const json::value* found = in.if_contains(name);
    return found ? text_of(*found) : std::string_view();
}
[[nodiscard]] inline bool flag_in(const json::object& in, std::string_view name) {
    const json::value* found = in.if_contains(name);
    return found && found->is_bool() && found->get_bool();
}
[[nodiscard]] inline std::uint64_t count_in(const json::object& in, std::string_view name,
                                            std::uint64_t none) {
    const json::value* found = in.if_contains(name);
    return found ? found->to_number<std::uint64_t>() : none;
}
/// Refuses a request without it.
[[nodiscard]] inline const json::object& object_in(const json::object& in, std::string_view name) {
    const json::value* found = in.if_contains(name);
    if (!found || !found->is_object()) refuse("ValidationException", std::string(name));
    return found->get_object();
}
[[nodiscard]] inline placeholders placeholders_of(const json::object& in) {
    const json::value* names = in.if_contains("ExpressionAttributeNames");
    const json::value* values = in.if_contains("ExpressionAttributeValues");
    return {names ? names->if_object() : nullptr, values ? values->if_object() : nullptr};
}
/// A copy that outlives the request.
[[nodiscard]] inline json::object keep(const json::object& from) {
    return {from, json::storage_ptr()};
}

} // namespace codynamo::testing::detail
