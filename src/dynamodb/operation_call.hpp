// SPDX-License-Identifier: BSL-1.0
// What a call sends and what it makes of the answer.
#pragma once

#include <codynamo/dynamodb/client.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace codynamo::dynamodb {

/// What may be done with an operation's request.
struct operation_traits {
    /// Sending it twice leaves the same state and answer as sending it once.
    bool replay_safe = false;
    /// It may change something, so that an unknown outcome matters.
    bool writes = true;
    /// A second one may be sent while the first one is under way; then there is a twin().
    bool hedgeable = false;
};

class operation_call {
public:
    /// `target` is the value of X-Amz-Target, of static storage duration.
    operation_call(std::string_view target, operation_traits traits) noexcept
        : target_(target), traits_(traits) {}
    virtual ~operation_call() = default;

    /// Appends the JSON document; called once for each time that it is sent.
    virtual void encode(std::string& body) const = 0;
    /// Throws errc::bad_response. Called at most once with success.
    virtual void decode(std::string_view body) = 0;
    /// The table's name when that is an ARN, else empty.
    [[nodiscard]] virtual std::string_view table_arn() const noexcept { return {}; }
    /// Another call that sends the same and has its own answer. It may borrow from this one.
    [[nodiscard]] virtual std::unique_ptr<operation_call> twin() const { return nullptr; }
    /// Takes the answer over that a twin() of this one has decoded.
    virtual void take_answer(operation_call& /*twin*/) {}

    [[nodiscard]] std::string_view target() const noexcept { return target_; }
    [[nodiscard]] const operation_traits& traits() const noexcept { return traits_; }

private:
    std::string_view target_;
    operation_traits traits_;
};

/// Empty unless `table_name` is an ARN.
[[nodiscard]] inline std::string_view arn_or_nothing(std::string_view table_name) noexcept {
    return table_name.starts_with("arn:") ? table_name : std::string_view();
}

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

} // namespace codynamo::dynamodb
