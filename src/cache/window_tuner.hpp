// SPDX-License-Identifier: BSL-1.0
// Which window would hit most: small simulations, each with a window of its own, run beside the
// memory on a sample of its keys.
#pragma once

#include "cache/frequency_sketch.hpp"
#include "cache/window_segments.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace codynamo::detail {

/// The simulations hold hashes and weights, not values, and share the memory's sketch. Of the keys
/// only so many are followed that their number stays small; the bounds shrink alike (Waldspurger
/// et al.: Cache Modeling and Optimization using Miniature Simulations, 2017). The share of keys
/// that is followed falls when their number is at its bound, and rises again when few are left
/// because entries have become larger. What they hit counts less and less with time. The share of
/// the best one is the new window.
class window_tuner {
public:
    static constexpr std::array<double, 4> windows{0.01, 0.15, 0.5, 0.95};
    /// Keys that are followed, in all simulations together.
    static constexpr std::size_t most_keys = 1024;
    /// Fewer than this are a poor sample: more keys are followed after as many more uses.
    static constexpr std::size_t fewest_keys = most_keys / 8;

    explicit window_tuner(memory_load bound);

    /// Room for one more key, unless there is enough. Throws std::bad_alloc and has changed nothing
    /// then.
    void reserve();
    /// A key is used; the window to have from now on, when that is another one.
    [[nodiscard]] std::optional<double> use(std::uint32_t hash, std::size_t weight,
                                            const frequency_sketch& sketch) noexcept;
    void clear() noexcept;
    [[nodiscard]] double window() const noexcept { return windows[best_]; }
    /// One of 2^sampling() keys is followed.
    [[nodiscard]] unsigned sampling() const noexcept { return sampling_; }
    /// What it takes from the heap beyond itself.
    [[nodiscard]] std::size_t heap_bytes() const noexcept;
    /// In all simulations together.
    [[nodiscard]] std::size_t followed_keys() const noexcept { return followed_; }

private:
    using slot = std::uint16_t;
    static constexpr slot no_slot = 0xffff;
    struct link {
        slot newer = no_slot;
        slot older = no_slot;
        std::uint8_t segment = 0;
        bool here = false;
    };
    /// A followed key: held by at least one simulation, or free.
    struct followed {
        std::uint32_t hash = 0;
        std::uint32_t weight = 0;
        slot next = no_slot; ///< of the same chain, or of the free ones
        std::uint8_t holders = 0;
        std::array<link, windows.size()> links;
    };
    /// The entries of one simulation.
    struct view {
        using id = slot;
        static constexpr id none = no_slot;
        std::vector<followed>* keys;
        std::size_t number;

        link& operator[](id at) const noexcept { return (*keys)[at].links[number]; }
        [[nodiscard]] std::size_t weight(id at) const noexcept { return (*keys)[at].weight; }
    };
    struct simulation {
        window_segments<view> segments;
        double hits = 0;
    };

    [[nodiscard]] bool samples(std::uint32_t hash) const noexcept;
    [[nodiscard]] slot& chain(std::uint32_t hash) noexcept;
    [[nodiscard]] slot find_or_add(std::uint32_t hash, std::size_t weight) noexcept;
    void reweigh(slot at, std::size_t weight) noexcept;
    void simulate(std::size_t number, slot at, const frequency_sketch& sketch) noexcept;
    void leave(std::size_t number, slot at) noexcept;
    void forget(slot at) noexcept;
    void adjust_sampling() noexcept;
    void set_sampling(unsigned sampling) noexcept;
    [[nodiscard]] memory_load scaled_bound() const noexcept;
    [[nodiscard]] std::optional<double> judge() noexcept;

    memory_load bound_;
    std::unique_ptr<std::vector<followed>> keys_; ///< its address is in the views
    std::vector<slot> chains_;
    slot free_ = no_slot;
    std::size_t followed_ = 0; ///< keys that are not free
    std::vector<simulation> simulations_;
    unsigned sampling_ = 0;
    std::size_t uses_while_few_ = 0;
    std::size_t since_judged_ = 0;
    std::size_t best_ = 0;
    std::uint32_t luck_ = 1;
};

} // namespace codynamo::detail
