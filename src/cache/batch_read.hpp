// SPDX-License-Identifier: BSL-1.0
// One BatchGetItem of distinct keys, asked again until nothing is left unprocessed. Shared by
// get_many and by gets that were merged.
#pragma once

#include "cache/key_list.hpp"

#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

namespace codynamo::detail {

/// Who asked.
class batch_reader {
public:
    virtual ~batch_reader() = default;
    /// What is known of a key; told once of each, as soon as it is known. The times are ours.
    virtual void settle(std::size_t key, result<std::optional<record>> outcome) = 0;
    /// Everything that one answer settled has been told.
    virtual void end_of_round() {}
    /// Whether a key is worth asking for, at first and again after it was left unprocessed.
    [[nodiscard]] virtual bool wants(std::size_t /*key*/) { return true; }
};

/// Asks for those of `keys` that are wanted; they are valid. Until `deadline`; without one, each
/// request and all rounds have the configured time of a call. nullopt: all that were wanted have
/// been settled. Else why those that have not been failed. `keys` and `to` must outlive it. Throws
/// nothing but cancellation.
[[nodiscard]] boost::asio::awaitable<std::optional<failure>>
read_batch(std::shared_ptr<dynamodb_backend::core> self, const key_list& keys, batch_reader& to,
           std::optional<std::chrono::steady_clock::time_point> deadline);

} // namespace codynamo::detail
