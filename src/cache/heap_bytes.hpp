// SPDX-License-Identifier: BSL-1.0
// What a block takes from the heap, so that a bound on memory holds for what is really taken.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace codynamo::detail {

/// By the rules of glibc's allocator, at most: a head of 8 bytes, steps of 16 and no less than 32;
/// from 128 KiB on whole pages. Zero for a block of none.
[[nodiscard]] constexpr std::size_t heap_bytes(std::size_t asked) noexcept {
    constexpr std::size_t mapped = 128 * 1024;
    constexpr std::size_t page = 4096;
    if (asked == 0) return 0;
    if (asked + 8 >= mapped) return (asked + 16 + page - 1) / page * page;
    return std::max<std::size_t>(32, (asked + 8 + 15) / 16 * 16);
}

template <class T>
[[nodiscard]] std::size_t heap_bytes_of(const std::vector<T>& of) noexcept {
    return heap_bytes(of.capacity() * sizeof(T));
}

} // namespace codynamo::detail
