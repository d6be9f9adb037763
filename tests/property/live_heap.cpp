// SPDX-License-Identifier: BSL-1.0
// operator new and delete of this program, which count. All forms: AddressSanitizer has its own of
// those that are left out, and they do not call these.
#include "property/live_heap.hpp"

#include <atomic>
#include <cstdlib>
#include <malloc.h>
#include <new>

namespace codynamo::property {
namespace {

std::atomic<std::size_t> live{0};
std::atomic<std::size_t> largest{0};

std::size_t size_of(void* block) noexcept {
    constexpr std::size_t head = 8;
    return ::malloc_usable_size(block) + head;
}

void* counted(void* block) {
    if (block == nullptr) throw std::bad_alloc();
    const std::size_t size = size_of(block);
    live += size;
    if (size > largest) largest = size; // by one thread in these tests
    return block;
}

void release(void* block) noexcept {
    if (block == nullptr) return;
    live -= size_of(block);
    std::free(block);
}

} // namespace

std::size_t live_heap() noexcept {
    return live;
}

std::size_t take_largest_block() noexcept {
    return largest.exchange(0);
}

} // namespace codynamo::property

void* operator new(std::size_t size) {
    return codynamo::property::counted(std::malloc(size));
}

void* operator new(std::size_t size, std::align_val_t alignment) {
    const auto step = static_cast<std::size_t>(alignment);
    return codynamo::property::counted(std::aligned_alloc(step, (size + step - 1) / step * step));
}

void operator delete(void* block) noexcept {
    codynamo::property::release(block);
}

void operator delete(void* block, std::size_t /*size*/) noexcept {
    codynamo::property::release(block);
}

void operator delete(void* block, std::align_val_t /*alignment*/) noexcept {
    codynamo::property::release(block);
}

void operator delete(void* block, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
    codynamo::property::release(block);
}

void* operator new[](std::size_t size) {
    return operator new(size);
}

void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    try {
        return operator new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept {
    return operator new(size, tag);
}

void operator delete[](void* block) noexcept {
    codynamo::property::release(block);
}

void operator delete[](void* block, std::size_t /*size*/) noexcept {
    codynamo::property::release(block);
}

void operator delete(void* block, const std::nothrow_t& /*tag*/) noexcept {
    codynamo::property::release(block);
}

void operator delete[](void* block, const std::nothrow_t& /*tag*/) noexcept {
    codynamo::property::release(block);
}
