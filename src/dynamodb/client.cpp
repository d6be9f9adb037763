// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/client_core.hpp"
#include "dynamodb/codec.hpp"
#include "dynamodb/replayed_write.hpp"
#include "dynamodb/response_checks.hpp"

#include <codynamo/dynamodb/client.hpp>

#include <utility>

namespace codynamo::dynamodb {

namespace asio = boost::asio;

namespace {

template <class Input, class... Others>
concept one_of = (std::same_as<Input, Others> || ...);

template <class Input>
concept reading = one_of<Input, get_item_input, batch_get_item_input, query_input, scan_input,
                         transact_get_items_input, describe_table_input, list_tables_input,
                         describe_time_to_live_input>;

/// The first table of the request that is named by an ARN.
template <class Input>
std::string_view table_arn_of(const Input& in) noexcept {
    if constexpr (requires { in.table_name; }) {
        return arn_or_nothing(in.table_name);
    } else if constexpr (requires { in.request_items; }) {
        for (const auto& [name, of_table] : in.request_items)
            if (const auto arn = arn_or_nothing(name); !arn.empty()) return arn;
    } else if constexpr (requires { in.items; }) {
        for (const auto& one : in.items)
            if (const auto arn = arn_or_nothing(one.table_name); !arn.empty()) return arn;
    }
    return {};
}

template <operation_input Input>
class typed_call final : public operation_call {
public:
    explicit typed_call(const Input& in)
        : operation_call(target_of<Input>::value,
                         {.replay_safe = is_replay_safe(in),
                          .writes = !reading<Input>,
                          .hedgeable = std::same_as<Input, get_item_input>}),
          in_(in) {}

    void encode(std::string& body) const override { dynamodb::encode(in_, body); }
    void decode(std::string_view body) override {
        out_ = {};
        dynamodb::decode(body, out_);
        check_answer(in_, out_);
    }
    [[nodiscard]] std::string_view table_arn() const noexcept override { return table_arn_of(in_); }
    [[nodiscard]] std::unique_ptr<operation_call> twin() const override {
        return std::make_unique<typed_call>(in_);
    }
    void take_answer(operation_call& twin) override {
        out_ = std::move(static_cast<typed_call&>(twin).out_);
    }
    [[nodiscard]] typename Input::output take() { return std::move(out_); }

private:
    const Input& in_;
    typename Input::output out_;
};

template <class Input>
void complete(Input&, random_source&) {}

/// A token makes the transaction idempotent, so that it may be retried.
void complete(transact_write_items_input& in, random_source& random) {
    if (!in.client_request_token.empty()) return;
    constexpr std::string_view digits = "0123456789abcdef";
    for (int word = 0; word < 2; ++word) {
        for (std::uint64_t bits = random.next(), i = 0; i < 16; ++i, bits >>= 4) {
            in.client_request_token += digits[bits & 15];
        }
    }
}

/// Without the old item nobody could tell whose success it met.
void complete(put_item_input& in, random_source&) {
    if (in.version_attribute.empty()) return;
    in.condition.return_item = return_values_on_condition_check_failure::all_old;
}

template <class Output>
asio::awaitable<Output> value_of(asio::awaitable<result<Output>> attempted) {
    result<Output> r = co_await std::move(attempted);
    if (!r) throw_failure(r.error());
    co_return std::move(*r);
}

template <operation_input Input>
asio::awaitable<result<typename Input::output>> run(std::shared_ptr<client::core> core, Input in,
                                                    call_options options) {
    if (!core) co_return make_failure(errc::closed, "the client is empty: it was moved from");
    complete(in, *core->env().random);
    std::optional<failure> invalid;
    try {
        validate(in);
    } catch (const error& why) {
        invalid = why.as_failure();
    }
    if (invalid) co_return *std::move(invalid);
    typed_call<Input> call(in);
    std::optional<failure> why = co_await core->call(call, options);
    if (!why) co_return call.take();
    if (met_its_own_success(in, *why)) co_return typename Input::output();
    co_return *std::move(why);
}

asio::awaitable<void> close_and_keep(std::shared_ptr<client::core> core) {
    if (core) co_await core->close();
}

} // namespace

client::client(client_config config) : core_(std::make_shared<core>(std::move(config))) {}

template <operation_input Input>
asio::awaitable<result<typename Input::output>> client::attempt(Input in, call_options options) {
    return run(core_, std::move(in), options);
}

#define CODYNAMO_DEFINE_OPERATION(name)                                                            \
    template asio::awaitable<result<name##_output>> client::attempt(name##_input, call_options);   \
    asio::awaitable<name##_output> client::name(name##_input in, call_options options) {           \
        return value_of(attempt(std::move(in), options));                                          \
    }
CODYNAMO_FOR_EACH_OPERATION(CODYNAMO_DEFINE_OPERATION)
#undef CODYNAMO_DEFINE_OPERATION

const aws::endpoint& client::endpoint() const noexcept {
    return core_->endpoint();
}

net::transport_stats client::stats() const {
    return core_ ? core_->stats() : net::transport_stats();
}

asio::awaitable<void> client::close() {
    return close_and_keep(core_);
}

} // namespace codynamo::dynamodb
