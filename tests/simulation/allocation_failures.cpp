// SPDX-License-Identifier: BSL-1.0
#include "allocation_failures.hpp"

#include <codynamo/detail/recycled.hpp>

#include <cstdlib>

namespace {

thread_local std::size_t live = 0;
thread_local std::size_t countdown = 0; // 0: none fails
thread_local bool failed = false;
thread_local bool thrown = false;
thread_local codynamo::test::failing_allocation::filter counts = nullptr; // null: all count
thread_local bool all_from_there = false;
thread_local void* context = nullptr;

bool is_to_fail(std::size_t bytes) noexcept {
    if (countdown == 0 || (counts && !counts(context, bytes))) return false;
    if (countdown == 1 && all_from_there) return true;
    return --countdown == 0;
}

void* allocate(std::size_t size, std::size_t alignment) {
    if (is_to_fail(size)) {
        failed = thrown = true;
        throw std::bad_alloc();
    }
    void* const got =
        alignment <= alignof(std::max_align_t)
            ? std::malloc(size == 0 ? 1 : size)
            : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (!got) throw std::bad_alloc();
    ++live;
    return got;
}

/// Its caller does without.
void* allocate_quietly(std::size_t size) noexcept {
    const bool before = thrown;
    try {
        return allocate(size, 1);
    } catch (const std::bad_alloc&) {
        thrown = before;
        return nullptr;
    }
}

void release(void* what) noexcept {
    if (!what) return;
    --live;
    std::free(what);
}

} // namespace

void* operator new(std::size_t size) {
    return allocate(size, 1);
}
void* operator new[](std::size_t size) {
    return allocate(size, 1);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allocate_quietly(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return allocate_quietly(size);
}
void operator delete(void* what) noexcept {
    release(what);
}
void operator delete[](void* what) noexcept {
    release(what);
}
void operator delete(void* what, std::size_t) noexcept {
    release(what);
}
void operator delete[](void* what, std::size_t) noexcept {
    release(what);
}
void operator delete(void* what, std::align_val_t) noexcept {
    release(what);
}
void operator delete[](void* what, std::align_val_t) noexcept {
    release(what);
}
void operator delete(void* what, std::size_t, std::align_val_t) noexcept {
    release(what);
}
void operator delete[](void* what, std::size_t, std::align_val_t) noexcept {
    release(what);
}
void operator delete(void* what, const std::nothrow_t&) noexcept {
    release(what);
}
void operator delete[](void* what, const std::nothrow_t&) noexcept {
    release(what);
}

namespace codynamo::test {

std::size_t live_allocations() noexcept {
    detail::free_kept_frames();
    [[maybe_unused]] const auto made_once = detail::cancelled();
    return live;
}
failing_allocation::failing_allocation(std::size_t n) noexcept
    : failing_allocation(n, nullptr, nullptr) {}
failing_allocation::failing_allocation(std::size_t n, filter of, void* with,
                                       extent how_many) noexcept {
    failed = thrown = false;
    all_from_there = how_many == extent::all_from_there;
    counts = of;
    context = with;
    countdown = n;
}
failing_allocation::~failing_allocation() {
    countdown = 0;
}
bool failing_allocation::happened() const noexcept {
    return failed;
}
bool failing_allocation::threw() const noexcept {
    return thrown;
}

} // namespace codynamo::test
