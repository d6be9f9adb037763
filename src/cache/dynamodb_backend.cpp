// SPDX-License-Identifier: BSL-1.0
// Single-record operations on the table.
#include "cache/dynamodb_backend_core.hpp"
#include "cache/empty_handle.hpp"
#include "cache/merged.hpp"
#include "cache/record_item.hpp"
#include "dynamodb/client_core.hpp"
#include "dynamodb/codec.hpp"

#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

namespace codynamo {

namespace asio = boost::asio;
using detail::key_item;

namespace {

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
    return aws::clock_skew::same_for_records(a, b);
}

} // namespace

asio::awaitable<dynamodb_backend> dynamodb_backend::open(dynamodb_backend_config config) {
    dynamodb_backend opened(std::make_shared<core>(std::move(config)));
    if (opened.core_->config.create) co_await opened.ensure_table();
    co_return opened;
}

asio::awaitable<std::optional<record>> dynamodb_backend::load(std::string key) {
    if (!core_) return detail::answer_empty<std::optional<record>>();
    if (core_->batching && core_->batching->reads) return core::load_merged(core_, std::move(key));
    return core::load_alone(core_, std::move(key), true);
}

asio::awaitable<std::optional<record>> dynamodb_backend::peek(std::string key) {
    if (!core_) return detail::answer_empty<std::optional<record>>();
    return core::load_alone(core_, std::move(key), false);
}

asio::awaitable<void> dynamodb_backend::store(std::string key, record r) {
    if (!core_) return detail::answer_empty<void>();
    return core::store(core_, std::move(key), std::move(r));
}

asio::awaitable<void> dynamodb_backend::discard(std::string key) {
    if (!core_) return detail::answer_empty<void>();
    return core::discard(core_, std::move(key));
}

asio::awaitable<bool> dynamodb_backend::store_newer(std::string key, record r) {
    if (!core_) return detail::answer_empty<bool>();
    return core::store_newer(core_, std::move(key), std::move(r));
}

asio::awaitable<bool> dynamodb_backend::erase(std::string key) {
    if (!core_) return detail::answer_empty<bool>();
    return core::erase(core_, std::move(key));
}

asio::awaitable<bool> dynamodb_backend::touch(std::string key, timestamp now, ttl lifetime) {
    if (!core_) return detail::answer_empty<bool>();
    return core::touch(core_, std::move(key), now, lifetime);
}

asio::awaitable<void> dynamodb_backend::ensure_table() {
    if (!core_) return detail::answer_empty<void>();
    return core::ensure_table(core_);
}

asio::awaitable<bool> dynamodb_backend::delete_table() {
    if (!core_) return detail::answer_empty<bool>();
    return core::delete_table(core_);
}

dynamodb::client dynamodb_backend::client() const {
    if (!core_) throw_failure(detail::empty_handle());
    return core_->client;
}

const dynamodb_backend_config& dynamodb_backend::config() const noexcept {
    static const dynamodb_backend_config none;
    return core_ ? core_->config : none;
}

batching_stats dynamodb_backend::batching() const noexcept {
    return core_ && core_->batching ? core_->batching->stats() : batching_stats();
}

consumed_units dynamodb_backend::consumed() const noexcept {
    return core_ ? core_->consumed.total() : consumed_units();
}

asio::awaitable<void> dynamodb_backend::close() {
    if (!core_) return detail::close_empty();
    return core_->client.close();
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

template CODYNAMO_API std::shared_ptr<detail::backend_interface>
    detail::erase_backend(dynamodb_backend);

} // namespace codynamo
