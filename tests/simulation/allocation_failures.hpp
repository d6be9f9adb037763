// SPDX-License-Identifier: BSL-1.0
// Counts this program's allocations and makes chosen ones fail. Its operator new is everybody's.
#pragma once

#include <cstddef>
#include <new>

namespace codynamo::test {

/// Blocks of operator new that this thread has allocated and not freed; it must free its own.
[[nodiscard]] std::size_t live_allocations() noexcept;

/// While it lives the n-th allocation of this thread, counted from 1, throws std::bad_alloc, or
/// gives null if it was asked not to throw.
class failing_allocation {
public:
    /// Whether an allocation of so many bytes counts.
    using filter = bool (*)(void* context, std::size_t bytes) noexcept;

    explicit failing_allocation(std::size_t n) noexcept;
    enum class extent { one, all_from_there };

    /// Of those allocations only for which `counts` says so, which must not allocate; with
    /// all_from_there the later ones fail as well.
    failing_allocation(std::size_t n, filter counts, void* context,
                       extent how_many = extent::one) noexcept;
    failing_allocation(const failing_allocation&) = delete;
    failing_allocation& operator=(const failing_allocation&) = delete;
    ~failing_allocation();
    /// Whether it has come to that.
    [[nodiscard]] bool happened() const noexcept;
    /// Whether it threw, so that somebody must have seen it.
    [[nodiscard]] bool threw() const noexcept;
};

/// Runs `what` with its first, second, third … allocation failing, until none does; after each,
/// `good` says whether everything is whole. The number of allocations; 0 when something leaked or
/// was not whole, or std::bad_alloc was swallowed.
template <class What, class Good>
[[nodiscard]] std::size_t fail_each_allocation(What what, Good good) {
    static_cast<void>(what()); // what is made once and kept is made now
    for (std::size_t n = 1;; ++n) {
        const std::size_t before = live_allocations();
        bool caught = false;
        bool threw = false;
        bool happened = false;
        {
            const failing_allocation one(n);
            try {
                static_cast<void>(what());
            } catch (const std::bad_alloc&) {
                caught = true;
            }
            happened = one.happened();
            threw = one.threw();
        }
        if (live_allocations() != before || caught != threw || !good()) return 0;
        if (!happened) return n;
    }
}

} // namespace codynamo::test
