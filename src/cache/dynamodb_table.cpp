// SPDX-License-Identifier: BSL-1.0
// Care of the table: create it, wait for it, check its key, switch native TTL on, delete it.
#include "cache/dynamodb_backend_core.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace codynamo {

namespace asio = boost::asio;

namespace {

using self_ptr = std::shared_ptr<dynamodb_backend::core>;

void check_key_schema(const dynamodb_backend_config& config,
                      const dynamodb::table_description& table) {
    const dynamodb::key_attribute wanted{config.attributes.key};
    if (table.key_schema.size() == 1 && table.key_schema.front() == wanted) return;
    constexpr std::array types{'S', 'N', 'B'};
    std::string found;
    for (const dynamodb::key_attribute& one : table.key_schema) {
        if (!found.empty()) found += ", ";
        found += one.role == dynamodb::key_type::hash ? "hash" : "range";
        found += " key \"" + one.name + "\" of type ";
        found += types.at(static_cast<std::size_t>(one.type));
    }
    if (found.empty()) found = "no key schema in its description";
    throw error(errc::schema_mismatch, "table " + config.table_name + " has " + found +
                                           "; a cache needs hash key \"" + wanted.name +
                                           "\" of type S and no range key");
}

/// Polls with growing, jittered pauses until a deadline of its own.
class poll {
public:
    poll(const dynamodb_backend_config& config, std::string_view awaited)
        : config_(config), awaited_(awaited),
          deadline_(config.env.time->steady_now() + config.create_timeout) {}

    /// Throws errc::timeout when the next pause would end past the deadline.
    asio::awaitable<void> pause() {
        const double spread = 0.5 + config_.env.random->uniform() / 2;
        const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(next_ * spread);
        const auto until = config_.env.time->steady_now() + wait;
        if (until >= deadline_) {
            throw error(errc::timeout, "table " + config_.table_name + " was not " +
                                           std::string(awaited_) + " within " +
                                           std::to_string(config_.create_timeout.count()) + " ms");
        }
        next_ = std::min(next_ * 2, std::chrono::milliseconds(2000));
        co_await config_.env.time->sleep_until(until);
    }

private:
    const dynamodb_backend_config& config_;
    std::string_view awaited_;
    std::chrono::steady_clock::time_point deadline_;
    std::chrono::milliseconds next_{100};
};

dynamodb::create_table_input create_request(const dynamodb_backend_config& config) {
    dynamodb::create_table_input in{.table_name = config.table_name,
                                    .key_schema = {{config.attributes.key}},
                                    .billing_mode = config.billing_mode};
    if (config.billing_mode == dynamodb::billing_mode::provisioned) {
        in.throughput = {config.read_capacity_units, config.write_capacity_units};
    }
    return in;
}

/// The table as it is after creating it, or as somebody else made it; nullopt when it is not
/// visible yet.
asio::awaitable<std::optional<dynamodb::table_description>> find_or_create(self_ptr self) {
    const dynamodb::describe_table_input which{self->config.table_name};
    auto found = co_await self->client.attempt(which);
    if (found) co_return std::move(found->table);
    if (found.error().code != errc::resource_not_found) throw_failure(found.error());
    // Sent twice it meets its own success as resource_in_use, which is fine.
    const dynamodb::call_options idempotent{.replay = dynamodb::replay::safe};
    auto created = co_await self->client.attempt(create_request(self->config), idempotent);
    if (created) co_return std::move(created->table);
    // Another process was faster; its table is as good as ours.
    if (created.error().code != errc::resource_in_use) throw_failure(created.error());
    co_return std::nullopt;
}

asio::awaitable<void> wait_until_usable(self_ptr self) {
    poll wait(self->config, "ACTIVE");
    std::optional<dynamodb::table_description> table = co_await find_or_create(self);
    // UPDATING serves requests too.
    while (!table || (table->table_status != "ACTIVE" && table->table_status != "UPDATING")) {
        co_await wait.pause();
        // Descriptions are eventually consistent just after creation, and a table that is being
        // deleted has to be created again when it is gone.
        table = co_await find_or_create(self);
    }
    check_key_schema(self->config, *table);
}

/// Whether native TTL is or is being switched on for our attribute.
asio::awaitable<result<bool>> native_ttl_is_on(self_ptr self) {
    const dynamodb::describe_time_to_live_input which{self->config.table_name};
    const auto now = co_await self->client.attempt(which);
    if (!now) co_return now.error();
    const bool on = now->status == "ENABLED" || now->status == "ENABLING";
    if (on && now->attribute_name != self->config.attributes.ttl) {
        self->warn("native TTL is on for attribute \"" + now->attribute_name +
                   "\"; expired items are hidden but not deleted by the service");
        co_return true;
    }
    co_return on;
}

/// A cache works without native TTL, since every read checks freshness itself; so what fails here
/// is a warning.
asio::awaitable<void> ensure_native_ttl(self_ptr self) {
    const auto before = co_await native_ttl_is_on(self);
    if (before && *before) co_return;
    failure why;
    if (before) {
        dynamodb::update_time_to_live_input in{self->config.table_name,
                                               self->config.attributes.ttl};
        const auto updated = co_await self->client.attempt(std::move(in));
        if (updated) co_return;
        why = updated.error();
        // Many processes at once: all but one are told that it is on, or being changed.
        if (why.code == errc::validation_failed || why.code == errc::resource_in_use) {
            const auto after = co_await native_ttl_is_on(self);
            if (after && *after) co_return;
        }
    } else {
        why = before.error();
    }
    self->warn("native TTL could not be switched on: " + why.message());
}

} // namespace

asio::awaitable<void> dynamodb_backend::core::ensure_table(self_ptr self) {
    co_await wait_until_usable(self);
    if (!self->config.attributes.ttl.empty()) co_await ensure_native_ttl(self);
}

asio::awaitable<bool> dynamodb_backend::core::delete_table(self_ptr self) {
    const dynamodb::delete_table_input doomed{self->config.table_name};
    const auto deleted = co_await self->client.attempt(doomed);
    if (!deleted) {
        if (deleted.error().code == errc::resource_not_found) co_return false;
        throw_failure(deleted.error());
    }
    poll wait(self->config, "deleted");
    for (;;) {
        const dynamodb::describe_table_input which{self->config.table_name};
        const auto left = co_await self->client.attempt(which);
        if (!left && left.error().code == errc::resource_not_found) co_return true;
        if (!left) throw_failure(left.error());
        co_await wait.pause();
    }
}

} // namespace codynamo
