// SPDX-License-Identifier: BSL-1.0
// The insides of a client: runs the request machine over the transport.
#pragma once

#include "dynamodb/request_fsm.hpp"

#include <codynamo/aws/sigv4.hpp>
#include <codynamo/dynamodb/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <string_view>

namespace codynamo::dynamodb {

/// What a call sends and what it makes of the answer.
class operation_call {
public:
    /// `target` is the value of X-Amz-Target, of static storage duration.
    operation_call(std::string_view target, bool replay_safe) noexcept
        : target_(target), replay_safe_(replay_safe) {}
    virtual ~operation_call() = default;

    /// Appends the JSON document; called once per attempt.
    virtual void encode(std::string& body) const = 0;
    /// Throws errc::bad_response. Called at most once with success.
    virtual void decode(std::string_view body) = 0;

    [[nodiscard]] std::string_view target() const noexcept { return target_; }
    [[nodiscard]] bool replay_safe() const noexcept { return replay_safe_; }

private:
    std::string_view target_;
    bool replay_safe_;
};

/// "DynamoDB_20120810." and the operation's name, put together at compile time.
template <operation_input Input>
struct target_of {
    static constexpr std::string_view version = "DynamoDB_20120810.";
    static constexpr auto text = [] {
        std::array<char, version.size() + Input::operation.size()> joined{};
        std::ranges::copy(version, joined.begin());
        std::ranges::copy(Input::operation, joined.begin() + version.size());
        return joined;
    }();
    static constexpr std::string_view value{text.data(), text.size()};
};

class client::core {
public:
    explicit core(client_config config);

    /// Runs `what` to its end: nullopt when its decode() has seen the answer. `what` must outlive
    /// the call. Throws nothing but cancellation.
    [[nodiscard]] boost::asio::awaitable<std::optional<failure>> call(operation_call& what,
                                                                      call_options options);

    [[nodiscard]] boost::asio::awaitable<void> close();
    [[nodiscard]] const aws::endpoint& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] const environment& env() const noexcept { return config_.env; }
    [[nodiscard]] const client_config& config() const noexcept { return config_; }
    [[nodiscard]] net::transport_stats stats() const { return config_.transport->stats(); }

private:
    class attempt_exchange;
    void log_attempt(const operation_call& what, const attempt_outcome& outcome) const;

    client_config config_;
    aws::endpoint endpoint_;
    aws::json_request_signer signer_;
    aws::retry_quota quota_;
    std::atomic<bool> closed_{false};
};

} // namespace codynamo::dynamodb
