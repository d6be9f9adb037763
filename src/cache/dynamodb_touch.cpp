// SPDX-License-Identifier: BSL-1.0
// A new life for a record that is fresh, without its value on the wire.
#include "cache/batch_rounds.hpp"
#include "cache/dynamodb_backend_core.hpp"
#include "cache/record_item.hpp"

#include <codynamo/dynamodb_backend.hpp>

#include <utility>

namespace codynamo {

namespace asio = boost::asio;
using detail::key_item;
using detail::seconds_text;

namespace {

/// The condition that an attribute still is what it was seen to be.
void require_unchanged(dynamodb::condition& condition, dynamodb::attribute_values& values,
                       const dynamodb::item& seen, const std::string& attribute,
                       const std::string& letter) {
    if (!condition.expression.empty()) condition.expression += " AND ";
    const auto found = seen.find(attribute);
    if (found == seen.end()) {
        condition.expression += "attribute_not_exists(#" + letter + ")";
        return;
    }
    condition.expression += "#" + letter + " = :seen_" + letter;
    values.emplace(":seen_" + letter, found->second);
}

/// An UpdateItem that restarts the life of the record that was seen, if it is still the same.
dynamodb::update_item_input touch_request(const dynamodb_backend_config& config,
                                          dynamodb::attribute_names names, std::string key,
                                          const dynamodb::item& seen, const record& fresh) {
    dynamodb::update_item_input in;
    in.table_name = config.table_name;
    in.key = key_item(config.attributes, std::move(key));
    in.update_expression = "SET #u = :now, #e = :expire";
    in.values.emplace(":now", dynamodb::number(seconds_text(fresh.written.time_since_epoch())));
    in.values.emplace(":expire", dynamodb::number(seconds_text(fresh.lifetime)));
    if (!config.attributes.ttl.empty()) {
        if (const auto end = detail::native_ttl(fresh)) {
            in.update_expression += ", #t = :ttl";
            in.values.emplace(":ttl", dynamodb::number(*end));
        } else {
            in.update_expression += " REMOVE #t";
        }
    }
    in.condition.expression = "attribute_exists(#k)";
    require_unchanged(in.condition, in.values, seen, config.attributes.update_ts, "u");
    require_unchanged(in.condition, in.values, seen, config.attributes.expire, "e");
    in.condition.return_item = dynamodb::return_values_on_condition_check_failure::all_old;
    in.names = std::move(names);
    return in;
}

bool same_times(const record& a, const record& b) noexcept {
    return a.written == b.written && a.lifetime == b.lifetime;
}

} // namespace

asio::awaitable<bool> dynamodb_backend::core::touch(std::shared_ptr<core> self, std::string key,
                                                    timestamp now, ttl lifetime) {
    detail::validate_key(key);
    dynamodb::get_item_input get{.table_name = self->config.table_name,
                                 .key = key_item(self->config.attributes, key),
                                 .consistent_read = true,
                                 .projection_expression = "#k, #e, #u",
                                 .names = self->names("keu"),
                                 .return_capacity = self->consumed.wanted()};
    const auto got = co_await self->client.get_item(std::move(get));
    self->consumed.add_read(got.consumed_capacity);
    dynamodb::item seen = got.item.value_or(dynamodb::item{});
    if (!seen.empty() && self->clock_in_doubt()) co_await settle_clock(self, key);
    // From here on by the table's clock.
    now = detail::by_table_clock(now, self->clock_offset());
    const record fresh{.value = {}, .written = now, .lifetime = lifetime};
    const std::string_view letters = self->config.attributes.ttl.empty() ? "keu" : "keut";
    const dynamodb::call_options idempotent{.replay = dynamodb::replay::safe};
    detail::rounds pauses(self->config);
    for (;;) {
        if (seen.empty()) co_return false;
        const record stored = detail::to_record(self->config.attributes, seen, false);
        // An earlier attempt of ours, whose answer was lost, counts as well.
        if (same_times(stored, fresh)) co_return true;
        if (!is_fresh(stored, now)) co_return false;
        auto in = touch_request(self->config, self->names(letters), key, seen, fresh);
        in.return_capacity = self->consumed.wanted();
        const auto done = co_await self->client.attempt(std::move(in), idempotent);
        if (done) self->consumed.add_write(done->consumed_capacity);
        if (done) co_return true;
        if (done.error().code != errc::conditional_check_failed) throw_failure(done.error());
        const auto& info = done.error().info;
        seen = info->details ? info->details->old_item : dynamodb::item{};
        const bool again = co_await pauses.wait(false);
        if (!again) throw_failure(done.error());
    }
}

} // namespace codynamo
