// SPDX-License-Identifier: BSL-1.0
// A record from the table: alone, with others, or when its turn has come.
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

} // namespace

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

asio::awaitable<void> dynamodb_backend::core::settle_clock(std::shared_ptr<core> self,
                                                           std::string key) {
    load_call call(*self, key, false);
    const dynamodb::call_options standard;
    [[maybe_unused]] const auto ignored = co_await self->client.shared_core()->call(call, standard);
}

} // namespace codynamo
