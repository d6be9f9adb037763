// SPDX-License-Identifier: BSL-1.0
// Gets and writes that may share a request with others: what each brings along, and what it gets.
#pragma once

#include "cache/gather.hpp"

#include <codynamo/dynamodb/operations.hpp>
#include <codynamo/record.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace codynamo::detail {

/// What a backend knows about its batches. Thread-safe.
struct batching_state {
    using counter = std::atomic<std::uint64_t>;

    /// False: off, or the service does not allow it.
    std::atomic<bool> reads{true}, writes{true};
    counter get_batches{0}, get_items{0}, gets_merged{0};
    counter write_batches{0}, write_items{0}, writes_merged{0};
    counter fallbacks{0};
    gather_table gathers;

    static void add(counter& to, std::size_t n = 1) noexcept {
        to.fetch_add(n, std::memory_order_relaxed);
    }
    [[nodiscard]] batching_stats stats() const noexcept;
};

class merged_read final : public merge_waiter {
public:
    /// Once, after merge_wake::answered. Throws what became of it.
    [[nodiscard]] std::optional<record> take() const;
};

/// A write, and what may have to be mended afterwards.
struct gathered_write {
    dynamodb::write_request request{};
    record times{};                     ///< of a put, by our clock, without value
    std::chrono::microseconds offset{}; ///< by which those in the request were computed
};

class merged_write final : public merge_waiter {
public:
    /// `what` must outlive the waiter; it is taken when the batch departs.
    explicit merged_write(gathered_write& what) noexcept : what_(what) {}
    [[nodiscard]] gathered_write& what() const noexcept { return what_; }
    /// After merge_wake::answered: why it failed, if it did.
    [[nodiscard]] std::optional<failure> outcome() const;

private:
    gathered_write& what_;
};

/// After a wait that ended with neither an answer nor the advice to go alone.
[[noreturn]] void throw_unanswered(const dynamodb_backend_config& config, merge_wake why,
                                   bool outcome_unknown);

} // namespace codynamo::detail
