// SPDX-License-Identifier: BSL-1.0
// How often a key was used of late, roughly: a count-min sketch of 4-bit counters that ages.
#pragma once

#include "cache/heap_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace codynamo::detail {

/// Four counters of a key lie in one cache line. Each counts to 15; all are halved when so many
/// uses were counted that what is long past would drown what is new (Einziger, Friedman, Manes:
/// TinyLFU, 2017). A hash must be keyed, or strangers could fill a key's counters.
class frequency_sketch {
public:
    static constexpr unsigned most = 15;

    /// Makes it wide enough for so many entries, or smaller when it is much wider than that; what
    /// was counted stays. Throws std::bad_alloc and has changed nothing then.
    void reserve(std::size_t entries);
    /// Ages when as many uses were counted as this.
    void set_period(std::size_t uses) noexcept { period_ = uses; }

    void count(std::uint32_t hash) noexcept;
    [[nodiscard]] unsigned estimate(std::uint32_t hash) const noexcept;
    void prefetch(std::uint32_t hash) const noexcept;
    /// Forgets everything and has no room any more.
    void clear() noexcept;
    [[nodiscard]] std::size_t heap_bytes() const noexcept { return heap_bytes_of(words_); }
    [[nodiscard]] std::size_t words() const noexcept { return words_.size(); }

private:
    void age() noexcept;
    void widen(std::size_t words);
    void narrow(std::size_t words);

    std::vector<std::uint64_t> words_; ///< of 16 counters; a power of two, at least 8
    std::size_t counted_ = 0;
    std::size_t period_ = 160;
};

} // namespace codynamo::detail
