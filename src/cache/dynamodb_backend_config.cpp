// SPDX-License-Identifier: BSL-1.0
// What a table backend's configuration must satisfy before anything is sent.
#include "cache/dynamodb_backend_core.hpp"
#include "cache/merged.hpp"
#include "cache/utf8.hpp"
#include "dynamodb/client_core.hpp"
#include "dynamodb/codec.hpp"
#include "dynamodb/json_writer.hpp"

#include <array>
#include <limits>
#include <set>
#include <utility>

namespace codynamo {

namespace {

[[noreturn]] void refuse(std::string message) {
    throw error(errc::invalid_argument, std::move(message));
}

void validate_capacity(const dynamodb_backend_config& config) {
    using field = std::pair<std::string_view, std::int64_t>;
    const std::array units{field{"read_capacity_units", config.read_capacity_units},
                           field{"write_capacity_units", config.write_capacity_units}};
    const bool provisioned = config.billing_mode == dynamodb::billing_mode::provisioned;
    for (const auto& [name, value] : units) {
        const std::string found = std::string(name) + " is " + std::to_string(value);
        if (provisioned && value < 1)
            refuse(found + ": must be at least 1 for provisioned billing");
        if (!provisioned && value != 0) refuse(found + ": must be 0 for pay_per_request billing");
    }
}

void validate_attributes(const record_attributes& names) {
    using field = std::pair<std::string_view, std::string_view>;
    const std::array fields{
        field{"attributes.key", names.key}, field{"attributes.value", names.value},
        field{"attributes.expire", names.expire}, field{"attributes.update_ts", names.update_ts},
        field{"attributes.ttl", names.ttl}};
    std::set<std::string_view> seen;
    for (const auto& [name, value] : fields) {
        if (value.empty() && name == "attributes.ttl") continue;
        if (value.empty() || value.size() > 255) {
            refuse(std::string(name) + " has " + std::to_string(value.size()) +
                   " bytes: 1 to 255 are allowed");
        }
        if (!seen.insert(value).second) {
            refuse(std::string(name) + " is \"" + std::string(value) +
                   "\", as another attribute is: names must differ");
        }
    }
}

void validate_batching(const batching_config& config) {
    if (config.mode != batching_mode::off && config.mode != batching_mode::on &&
        config.mode != batching_mode::automatic) {
        refuse("batching.mode is " + std::to_string(static_cast<int>(config.mode)) +
               ": off, on and automatic are allowed");
    }
    if (config.crossover < 1 || config.crossover > 10'000) {
        refuse("batching.crossover is " + std::to_string(config.crossover) +
               ": 1 to 10000 are allowed");
    }
    if (config.max_delay.count() < 0 || config.max_delay > std::chrono::seconds(1)) {
        refuse("batching.max_delay is " + std::to_string(config.max_delay.count()) +
               " us: 0 to 1000000 are allowed");
    }
}

dynamodb::client_config client_config_of(const dynamodb_backend_config& config) {
    return {.region = config.region,
            .endpoint = config.endpoint,
            .profile = config.profile,
            .credentials = config.credentials,
            .call_timeout = config.call_timeout,
            .attempt_timeout = config.attempt_timeout,
            .use_fips = config.use_fips,
            .use_dualstack = config.use_dualstack,
            .account_id_endpoint_mode = config.account_id_endpoint_mode,
            .retry = config.retry,
            .clock_skew_correction = config.clock_skew_correction,
            .breaker = config.breaker,
            .hedging = config.hedging,
            .pool = config.pool,
            .tls = config.tls,
            .network = config.network,
            .env = config.env,
            .transport = config.transport};
}

dynamodb_backend_config checked(dynamodb_backend_config config) {
    detail::validate(config);
    return config;
}

} // namespace

void detail::validate(const dynamodb_backend_config& config) {
    dynamodb::validate_table_name(config.table_name);
    validate_capacity(config);
    validate_attributes(config.attributes);
    if (config.create_timeout.count() <= 0 || config.create_timeout > std::chrono::hours(24)) {
        refuse("create_timeout is " + std::to_string(config.create_timeout.count()) +
               " ms: 1 to 86400000 are allowed");
    }
    if (config.batch_concurrency < 1 || config.batch_concurrency > 64) {
        refuse("batch_concurrency is " + std::to_string(config.batch_concurrency) +
               ": 1 to 64 are allowed");
    }
    validate_batching(config.batching);
}

void detail::validate_key(std::string_view key) {
    if (key.empty() || key.size() > 2048) {
        refuse("key has " + std::to_string(key.size()) + " bytes: 1 to 2048 are allowed");
    }
    if (!is_utf8(key)) refuse("key is not valid UTF-8");
}

dynamodb_backend::core::core(dynamodb_backend_config given)
    : config(checked(std::move(given))), client(client_config_of(config)),
      consumed(config.count_capacity), batching(config.batching.mode == batching_mode::off
                                                    ? nullptr
                                                    : std::make_unique<detail::batching_state>()) {
    load_head = R"({"TableName":)";
    dynamodb::append_json_string(load_head, config.table_name);
    load_head += R"(,"Key":{)";
    dynamodb::append_json_string(load_head, config.attributes.key);
    load_head += R"(:{"S":)";
    const std::string end =
        consumed.enabled() ? R"(,"ReturnConsumedCapacity":"TOTAL"})" : std::string("}");
    load_tail = (config.consistent_read ? R"(}},"ConsistentRead":true)" : "}}") + end;

    peek_tail = load_tail;
    peek_tail.pop_back();
    peek_tail += R"(,"ProjectionExpression":"#e,#u","ExpressionAttributeNames":{"#e":)";
    dynamodb::append_json_string(peek_tail, config.attributes.expire);
    peek_tail += R"(,"#u":)";
    dynamodb::append_json_string(peek_tail, config.attributes.update_ts);
    peek_tail += "}}";

    batch_head = R"({"RequestItems":{)";
    dynamodb::append_json_string(batch_head, config.table_name);
    batch_head += R"(:{"Keys":[)";
    key_head = "{";
    dynamodb::append_json_string(key_head, config.attributes.key);
    key_head += R"(:{"S":)";
    batch_tail = (config.consistent_read ? R"(],"ConsistentRead":true}})" : "]}}") + end;
}

dynamodb_backend::core::~core() = default;

std::chrono::microseconds dynamodb_backend::core::clock_offset() const noexcept {
    return client.shared_core()->table_offset();
}

bool dynamodb_backend::core::clock_in_doubt() const noexcept {
    return client.shared_core()->table_offset_in_doubt();
}

void dynamodb_backend::core::warn(const std::string& line) const {
    if (!config.env.log.wants(log_level::warning)) return;
    config.env.log.write(log_level::warning, "table " + config.table_name + ": " + line);
}

dynamodb::attribute_names dynamodb_backend::core::names(std::string_view letters) const {
    dynamodb::attribute_names chosen;
    for (const char letter : letters) {
        const record_attributes& all = config.attributes;
        const std::string& name = letter == 'k'   ? all.key
                                  : letter == 'v' ? all.value
                                  : letter == 'e' ? all.expire
                                  : letter == 'u' ? all.update_ts
                                                  : all.ttl;
        chosen.emplace(std::string("#") + letter, name);
    }
    return chosen;
}

} // namespace codynamo
