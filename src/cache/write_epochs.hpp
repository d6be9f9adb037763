// SPDX-License-Identifier: BSL-1.0
// Tells a reader whether somebody wrote while it was away, so that no copy outlives a write.
#pragma once

#include "cache/keyed_hash.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace codynamo::detail {

/// A counter for each stripe of keys, advanced before and after every write to the truth. Keys
/// that share a stripe only cost each other a copy. Thread-safe.
class write_epochs {
public:
    static constexpr std::size_t stripes = 4096;
    using number = std::uint64_t;

    /// `seed`: so that keys which share a stripe cannot be chosen.
    explicit write_epochs(hash_seed seed) noexcept : hash_{seed} {}

    [[nodiscard]] std::size_t stripe_of(std::string_view key) const noexcept {
        return hash_(key) % stripes;
    }
    [[nodiscard]] number now(std::size_t stripe) const noexcept {
        return epochs_[stripe].load(std::memory_order_seq_cst);
    }
    /// The new epoch.
    number advance(std::size_t stripe) noexcept {
        return epochs_[stripe].fetch_add(1, std::memory_order_seq_cst) + 1;
    }

private:
    keyed_hash hash_;
    std::array<std::atomic<number>, stripes> epochs_{};
};

} // namespace codynamo::detail
