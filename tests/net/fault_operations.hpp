// SPDX-License-Identifier: BSL-1.0
// The operations that faults are tried on: what is asked, what the right answer is.
#pragma once

#include <codynamo/dynamodb/client.hpp>
#include <codynamo/error.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::test {

/// What came of a call: a failure, or the answer as text.
struct call_result {
    std::optional<failure> why;
    std::string text;
};

struct fault_operation {
    const char* name; ///< as in X-Amz-Target, with " if" behind a conditional one
    /// Whether it may be sent again when nobody knows whether it took effect.
    bool replay_safe;
    std::string good_body;
    std::string right; ///< the text of the right answer
    boost::asio::awaitable<call_result> (*call)(dynamodb::client on);
};

/// GetItem comes first.
const std::vector<fault_operation>& fault_operations();

/// The right answer to a request, whole.
std::string good_answer(const std::string& request);

/// The text that call_result has for an answer of the operation.
std::string decoded_text(const fault_operation& one, std::string_view body);

} // namespace codynamo::test
