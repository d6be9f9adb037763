// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/client_core.hpp"
#include "dynamodb/codec.hpp"

#include <codynamo/dynamodb/client.hpp>

#include <utility>

namespace codynamo::dynamodb {

namespace asio = boost::asio;

namespace {

template <operation_input Input>
class typed_call final : public operation_call {
public:
    explicit typed_call(const Input& in)
        : operation_call(target_of<Input>::value, is_replay_safe(in)), in_(in) {}

    void encode(std::string& body) const override { dynamodb::encode(in_, body); }
    void decode(std::string_view body) override {
        out_ = {};
        dynamodb::decode(body, out_);
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

template <class Output>
asio::awaitable<Output> value_of(asio::awaitable<result<Output>> attempted) {
    result<Output> r = co_await std::move(attempted);
    if (!r) throw_failure(r.error());
    co_return std::move(*r);
}

template <operation_input Input>
asio::awaitable<result<typename Input::output>> run(std::shared_ptr<client::core> core, Input in,
                                                    call_options options) {
    complete(in, *core->env().random);
    std::optional<failure> invalid;
    try {
        validate(in);
    } catch (const error& why) {
        invalid = why.as_failure();
    }
    if (invalid) co_return *std::move(invalid);
    typed_call<Input> call(in);
    if (std::optional<failure> why = co_await core->call(call, options)) co_return *std::move(why);
    co_return call.take();
}

asio::awaitable<void> close_and_keep(std::shared_ptr<client::core> core) {
    co_await core->close();
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
    return core_->stats();
}

asio::awaitable<void> client::close() {
    return close_and_keep(core_);
}

} // namespace codynamo::dynamodb
