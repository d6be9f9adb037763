// SPDX-License-Identifier: BSL-1.0
// Single-record operations on the table.
#include "cache/batch_rounds.hpp"
#include "cache/dynamodb_backend_core.hpp"
#include "cache/merged.hpp"
#include "cache/record_item.hpp"
#include "dynamodb/client_core.hpp"
#include "dynamodb/codec.hpp"
#include "dynamodb/json_writer.hpp"

#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

namespace codynamo {

namespace asio = boost::asio;
using detail::key_item;
using detail::seconds_text;

namespace {

/// A GetItem that skips the tree: written from ready-made pieces, read straight into a record.
class load_call final : public dynamodb::operation_call {
public:
    /// Both must outlive the call.
    load_call(const dynamodb_backend::core& table, std::string_view key, bool with_value) noexcept
        : operation_call(dynamodb::target_of<dynamodb::get_item_input>::value,
                         {.replay_safe = true, .writes = false, .hedgeable = true}),
          table_(table), key_(key), with_value_(with_value) {}

    void encode(std::string& body) const override {
        body += table_.load_head;
        dynamodb::append_json_string(body, key_);
        body += with_value_ ? table_.load_tail : table_.peek_tail;
    }
    void decode(std::string_view body) override {
        double units = 0;
        found_ = detail::decode_record(table_.config.attributes, body, with_value_, key_, &units);
        if (units != 0) table_.consumed.add_read(units);
    }
    [[nodiscard]] std::string_view table_arn() const noexcept override {
        return dynamodb::arn_or_nothing(table_.config.table_name);
    }
    [[nodiscard]] std::unique_ptr<operation_call> twin() const override {
        return std::make_unique<load_call>(table_, key_, with_value_);
    }
    void take_answer(operation_call& twin) override {
        found_ = static_cast<load_call&>(twin).take();
    }
    [[nodiscard]] std::optional<record> take() { return std::move(found_); }

    /// What became of the call. Throws what went wrong.
    static void check(std::optional<failure> why) {
        if (why) throw_failure(*std::move(why));
    }
    /// Whether the times that were found may be by a clock that has to be asked for again.
    [[nodiscard]] bool needs_clock() const noexcept { return found_ && table_.clock_in_doubt(); }
    /// By our own clock.
    [[nodiscard]] std::optional<record> take_settled() {
        if (found_) found_->written = detail::by_own_clock(found_->written, table_.clock_offset());
        return take();
    }

private:
    const dynamodb_backend::core& table_;
    std::string_view key_;
    bool with_value_;
    std::optional<record> found_;
};

/// A PutItem whose input stays with the caller, who may have to send it again with other times.
/// Twice does no harm.
class put_call final : public dynamodb::operation_call {
public:
    /// Both must outlive the call.
    put_call(const dynamodb_backend::core& table, const dynamodb::put_item_input& in) noexcept
        : operation_call(dynamodb::target_of<dynamodb::put_item_input>::value,
                         {.replay_safe = true, .writes = true, .hedgeable = false}),
          table_(table), in_(in) {}

    void encode(std::string& body) const override { dynamodb::encode(in_, body); }
    void decode(std::string_view body) override {
        dynamodb::put_item_output out;
        dynamodb::decode(body, out);
        table_.consumed.add_write(out.consumed_capacity);
    }
    [[nodiscard]] std::string_view table_arn() const noexcept override {
        return dynamodb::arn_or_nothing(in_.table_name);
    }

private:
    const dynamodb_backend::core& table_;
    const dynamodb::put_item_input& in_;
};

asio::awaitable<std::optional<failure>> send(std::shared_ptr<dynamodb_backend::core> self,
                                             const dynamodb::put_item_input& in,
                                             dynamodb::call_options options = {}) {
    dynamodb::validate(in);
    put_call call(*self, in);
    std::optional<failure> why = co_await self->client.shared_core()->call(call, options);
    co_return why;
}

bool same_for_records(std::chrono::microseconds a, std::chrono::microseconds b) noexcept {
    return dynamodb::clock_skew::same_for_records(a, b);
}

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

asio::awaitable<dynamodb_backend> dynamodb_backend::open(dynamodb_backend_config config) {
    dynamodb_backend opened(std::make_shared<core>(std::move(config)));
    if (opened.core_->config.create) co_await opened.ensure_table();
    co_return opened;
}

asio::awaitable<std::optional<record>> dynamodb_backend::load(std::string key) {
    if (core_->batching && core_->batching->reads) return core::load_merged(core_, std::move(key));
    return core::load_alone(core_, std::move(key), true);
}

asio::awaitable<std::optional<record>> dynamodb_backend::peek(std::string key) {
    return core::load_alone(core_, std::move(key), false);
}

asio::awaitable<void> dynamodb_backend::store(std::string key, record r) {
    return core::store(core_, std::move(key), std::move(r));
}

asio::awaitable<void> dynamodb_backend::discard(std::string key) {
    return core::discard(core_, std::move(key));
}

asio::awaitable<bool> dynamodb_backend::store_newer(std::string key, record r) {
    return core::store_newer(core_, std::move(key), std::move(r));
}

asio::awaitable<bool> dynamodb_backend::erase(std::string key) {
    return core::erase(core_, std::move(key));
}

asio::awaitable<bool> dynamodb_backend::touch(std::string key, timestamp now, ttl lifetime) {
    return core::touch(core_, std::move(key), now, lifetime);
}

asio::awaitable<void> dynamodb_backend::ensure_table() {
    return core::ensure_table(core_);
}

asio::awaitable<bool> dynamodb_backend::delete_table() {
    return core::delete_table(core_);
}

dynamodb::client dynamodb_backend::client() const {
    return core_->client;
}

const dynamodb_backend_config& dynamodb_backend::config() const noexcept {
    return core_->config;
}

batching_stats dynamodb_backend::batching() const noexcept {
    return core_->batching ? core_->batching->stats() : batching_stats();
}

consumed_units dynamodb_backend::consumed() const noexcept {
    return core_->consumed.total();
}

asio::awaitable<void> dynamodb_backend::close() {
    return core_->client.close();
}

asio::awaitable<std::optional<record>>
dynamodb_backend::core::load(std::shared_ptr<core> self, std::string key, bool with_value,
                             net::turn* place, detail::recycled) {
    detail::validate_key(key);
    load_call call(*self, key, with_value);
    call.check(co_await self->client.shared_core()->call(call, dynamodb::call_options(), place));
    if (call.needs_clock()) co_await settle_clock(self, key);
    co_return call.take_settled();
}

asio::awaitable<std::optional<record>>
dynamodb_backend::core::load_alone(const self_ptr& self, std::string key, bool with_value) {
    if (self->client.shared_core()->crowded())
        return load_in_turn(self, std::move(key), with_value);
    return load(self, std::move(key), with_value);
}

asio::awaitable<std::optional<record>>
dynamodb_backend::core::load_in_turn(std::shared_ptr<core> self, std::string key, bool with_value,
                                     detail::recycled) {
    detail::validate_key(key);
    net::turn place;
    place.how = co_await self->client.shared_core()->take_turn(place, self->config.table_name);
    if (place.how == net::wake::aborted) co_return detail::cancelled();
    if (place.how == net::wake::granted) place.held.take();
    auto rest = load(self, std::move(key), with_value, place.held.pool() ? &place : nullptr);
    co_return co_await std::move(rest);
}

asio::awaitable<std::optional<record>>
dynamodb_backend::core::load_merged(std::shared_ptr<core> self, std::string key, detail::recycled) {
    detail::validate_key(key);
    detail::merged_read me;
    dynamodb::call_options options;
    {
        const asio::any_io_executor here = co_await asio::this_coro::executor;
        me.enter(self, self->batching->gathers.at(here, self->config), detail::merge_kind::read,
                 key);
    }
    if (me.waits()) {
        const detail::merge_wake how = co_await me.wait();
        me.resumed();
        if (how == detail::merge_wake::answered) co_return me.take();
        if (how != detail::merge_wake::alone) detail::throw_unanswered(self->config, how, false);
        options.timeout = me.time_left();
    }
    load_call call(*self, key, true);
    call.check(co_await self->client.shared_core()->call(call, options));
    if (call.needs_clock()) co_await settle_clock(self, key);
    co_return call.take_settled();
}

dynamodb::put_item_input dynamodb_backend::core::put_request(std::string key, record&& r) const {
    detail::validate_key(key);
    dynamodb::put_item_input in;
    in.table_name = config.table_name;
    in.return_capacity = consumed.wanted();
    r.written = detail::by_table_clock(r.written, clock_offset());
    in.item = detail::to_item(config.attributes, std::move(key), std::move(r));
    return in;
}

asio::awaitable<std::optional<failure>>
dynamodb_backend::core::put(std::shared_ptr<core> self, dynamodb::put_item_input& in,
                            const record& times, std::chrono::microseconds offset,
                            dynamodb::call_options options, bool was_stored) {
    std::optional<failure> why;
    if (!was_stored) why = co_await send(self, in, options);
    if (!why) why = co_await correct_times(self, in, times, offset);
    co_return why;
}

asio::awaitable<std::optional<failure>>
dynamodb_backend::core::remove(std::shared_ptr<core> self, dynamodb::item key,
                               dynamodb::call_options options) {
    dynamodb::delete_item_input in;
    in.table_name = self->config.table_name;
    in.key = std::move(key);
    in.return_capacity = self->consumed.wanted();
    const auto done = co_await self->client.attempt(std::move(in), options);
    if (done) self->consumed.add_write(done->consumed_capacity);
    if (done) co_return std::nullopt;
    co_return done.error();
}

namespace {

/// Waits for company if it has to. True: a batch has written it. False: it goes alone, with these
/// options. `self`, `key` and `me` must outlive the operation of which this is a part.
asio::awaitable<bool> is_written_with_others(const std::shared_ptr<dynamodb_backend::core>& self,
                                             detail::merged_write& me, const std::string& key,
                                             std::size_t bytes, dynamodb::call_options& options) {
    if (!self->batching) co_return false;
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    me.enter(self, self->batching->gathers.at(here, self->config), detail::merge_kind::write, key,
             bytes, self->batching->writes);
    if (!me.waits()) co_return false;
    const detail::merge_wake how = co_await me.wait();
    me.resumed();
    if (how == detail::merge_wake::alone) {
        options.timeout = me.time_left();
        co_return false;
    }
    if (how != detail::merge_wake::answered)
        detail::throw_unanswered(self->config, how, me.was_sent());
    std::optional<failure> why = me.outcome();
    if (why) throw_failure(*std::move(why));
    co_return true;
}

} // namespace

asio::awaitable<void> dynamodb_backend::core::store(std::shared_ptr<core> self, std::string key,
                                                    record r, detail::recycled) {
    detail::gathered_write what;
    what.times.written = r.written;
    what.times.lifetime = r.lifetime;
    what.offset = self->clock_offset();
    dynamodb::put_item_input in = self->put_request(key, std::move(r));
    dynamodb::validate(in);
    const std::size_t bytes = dynamodb::item_size(in.item);
    what.request.item = std::move(in.item);
    dynamodb::call_options options;
    detail::merged_write me(what);
    const bool written = co_await is_written_with_others(self, me, key, bytes, options);
    if (written) co_return;
    in.item = std::move(what.request.item);
    std::optional<failure> why = co_await put(self, in, what.times, what.offset, options, false);
    if (why) throw_failure(*std::move(why));
}

asio::awaitable<void> dynamodb_backend::core::discard(std::shared_ptr<core> self, std::string key) {
    detail::validate_key(key);
    detail::gathered_write what;
    what.request.is_put = false;
    what.request.item = key_item(self->config.attributes, key);
    dynamodb::call_options options;
    detail::merged_write me(what);
    const bool written = co_await is_written_with_others(self, me, key, 0, options);
    if (written) co_return;
    std::optional<failure> why = co_await remove(self, std::move(what.request.item), options);
    if (why) throw_failure(*std::move(why));
}

asio::awaitable<void> dynamodb_backend::core::settle_clock(std::shared_ptr<core> self,
                                                           std::string key) {
    load_call call(*self, key, false);
    const dynamodb::call_options standard;
    [[maybe_unused]] const auto ignored = co_await self->client.shared_core()->call(call, standard);
}

asio::awaitable<std::optional<failure>>
dynamodb_backend::core::correct_times(std::shared_ptr<core> self, dynamodb::put_item_input& in,
                                      const record& times, std::chrono::microseconds offset) {
    const record_attributes& names = self->config.attributes;
    if (self->clock_in_doubt()) {
        std::string key = in.item.at(names.key).as<std::string>();
        co_await settle_clock(self, std::move(key));
    }
    const auto better = self->clock_offset();
    if (same_for_records(offset, better)) co_return std::nullopt;
    record mended = times;
    mended.written = detail::by_table_clock(times.written, better);
    dynamodb::attribute_values values;
    values.emplace(":old", in.item.at(names.update_ts));
    detail::set_times(names, in.item, mended);
    in.condition.expression = "#u = :old";
    in.names = self->names("u");
    in.values = std::move(values);
    std::optional<failure> why = co_await send(self, in);
    // Somebody has written since, or this is the second of two attempts.
    if (why && why->code == errc::conditional_check_failed) why.reset();
    co_return why;
}

asio::awaitable<bool> dynamodb_backend::core::store_newer(std::shared_ptr<core> self,
                                                          std::string key, record r) {
    const record_attributes& names = self->config.attributes;
    record times{.value = {}, .written = r.written, .lifetime = r.lifetime};
    const auto offset = self->clock_offset();
    dynamodb::put_item_input in = self->put_request(key, std::move(r));
    in.values.emplace(":u", in.item.at(names.update_ts));
    in.condition.expression = "attribute_not_exists(#k) OR attribute_not_exists(#u) OR #u <= :u";
    in.names = self->names("ku");
    // Sent twice it meets its own timestamp, which satisfies the condition.
    std::optional<failure> why = co_await send(self, in);
    if (!why) {
        why = co_await correct_times(self, in, times, offset);
        if (why) throw_failure(*std::move(why));
        co_return true;
    }
    const bool refused = why->code == errc::conditional_check_failed;
    if (refused && self->clock_in_doubt()) co_await settle_clock(self, key);
    if (refused && !same_for_records(offset, self->clock_offset())) {
        // It was compared by the wrong clock.
        times.written = detail::by_table_clock(times.written, self->clock_offset());
        detail::set_times(names, in.item, times);
        in.values.insert_or_assign(":u", in.item.at(names.update_ts));
        why = co_await send(self, in);
    }
    if (!why) co_return true;
    if (why->code == errc::conditional_check_failed) co_return false;
    throw_failure(*std::move(why));
}

asio::awaitable<bool> dynamodb_backend::core::erase(std::shared_ptr<core> self, std::string key) {
    detail::validate_key(key);
    dynamodb::delete_item_input in;
    in.table_name = self->config.table_name;
    in.key = key_item(self->config.attributes, std::move(key));
    // Cheaper than asking for the old item, which would travel back whole.
    in.condition.expression = "attribute_exists(#k)";
    in.names = self->names("k");
    in.return_capacity = self->consumed.wanted();
    const dynamodb::call_options idempotent{.replay = dynamodb::replay::safe};
    const auto done = co_await self->client.attempt(std::move(in), idempotent);
    if (done) self->consumed.add_write(done->consumed_capacity);
    if (done) co_return true;
    // The item most likely went with an attempt of ours whose answer was lost.
    if (done.error().code == errc::conditional_check_failed)
        co_return done.error().info->outcome_unknown;
    throw_failure(done.error());
}

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

template CODYNAMO_API std::shared_ptr<detail::backend_interface>
    detail::erase_backend(dynamodb_backend);

} // namespace codynamo
