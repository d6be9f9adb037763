// SPDX-License-Identifier: BSL-1.0
// Batch writes, shared by set_many, erase_many and the clears.
#pragma once

#include <codynamo/dynamodb/operations.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace codynamo::detail {

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
