// SPDX-License-Identifier: BSL-1.0
// Batch writes, shared by set_many, erase_many and the clears.
#pragma once

#include <codynamo/dynamodb/operations.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace codynamo::detail {

/// As many as a BatchWriteItem may have.
inline constexpr std::size_t write_slice = 25;
/// Half of the service's 16 MB per request, because base64 and tags swell what is counted here.
inline constexpr std::size_t write_slice_bytes = 8 * 1024 * 1024;

/// Who asked for a batch of writes.
class batch_writer {
public:
    virtual ~batch_writer() = default;
    /// A write has been done; told once of each, as soon as it is known.
    virtual void settle(std::size_t write) = 0;
    /// Everything that one answer settled has been told.
    virtual void end_of_round() {}
};

/// One BatchWriteItem of at most 25 writes to distinct keys, sent again until nothing is left
/// unprocessed or `deadline` has come; without one, each request and all rounds have the configured
/// time of a call. nullopt: all have been settled. Else why the others failed. `writes` and `to`
/// must outlive it. Throws nothing but cancellation.
[[nodiscard]] boost::asio::awaitable<std::optional<failure>>
write_batch(std::shared_ptr<dynamodb_backend::core> self,
            const std::vector<dynamodb::write_request>& writes, batch_writer& to,
            std::optional<std::chrono::steady_clock::time_point> deadline);

/// A write and the place of its outcome.
struct indexed_write {
    std::size_t index;
    dynamodb::write_request request;
};

/// Writes to distinct keys, in slices of 25, several at once. `outcomes` holds those that are known
/// before; the others must be successes and become failures where the write fails. Nothing but
/// cancellation is thrown.
[[nodiscard]] boost::asio::awaitable<std::vector<result<void>>>
write_all(std::shared_ptr<dynamodb_backend::core> self, std::vector<indexed_write> writes,
          std::vector<result<void>> outcomes);

} // namespace codynamo::detail
