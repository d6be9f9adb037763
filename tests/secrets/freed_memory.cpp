// SPDX-License-Identifier: BSL-1.0
// operator new and delete of this program. New memory is zero, so that what is found in a block was
// written there by its owner.
#include "secrets/freed_memory.hpp"

#include "support/secrets.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <execinfo.h>
#include <malloc.h>
#include <new>
#include <string_view>
#include <unistd.h>

namespace codynamo::testing_support {
namespace {

std::atomic<std::size_t> blocks{0};
std::atomic<std::size_t> leaks{0};
std::array<void*, 40> latest;
int latest_size = 0;

constexpr std::string_view watched[] = {secrets::key,       secrets::token,
                                        secrets::bearer,    secrets::web_identity,
                                        secrets::container, secrets::metadata};

/// A third of a secret is enough: part of it may have been overwritten by what came after.
bool holds_secret(std::string_view block) noexcept {
    for (const auto secret : watched) {
        const auto third = secret.size() / 3;
        for (std::size_t at = 0; at + third <= secret.size(); at += third) {
            if (::memmem(block.data(), block.size(), secret.data() + at, third)) return true;
        }
    }
    return false;
}

void look_at(void* block) noexcept {
    blocks.fetch_add(1, std::memory_order_relaxed);
    const auto size = ::malloc_usable_size(block);
    if (!holds_secret({static_cast<const char*>(block), size})) return;
    leaks.fetch_add(1, std::memory_order_relaxed);
    latest_size = ::backtrace(latest.data(), static_cast<int>(latest.size()));
}

void* allocate(std::size_t size, std::size_t alignment) {
    const auto whole = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
    void* block = std::aligned_alloc(alignment, whole);
    if (!block) throw std::bad_alloc();
    return std::memset(block, 0, ::malloc_usable_size(block));
}

void* allocate_or_null(std::size_t size, std::size_t alignment) noexcept {
    try {
        return allocate(size, alignment);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void give_back(void* block) noexcept {
    if (block) look_at(block);
    std::free(block);
}

} // namespace

std::size_t freed_with_secret() noexcept {
    return leaks.load();
}

std::size_t freed() noexcept {
    return blocks.load();
}

void print_latest_leak() noexcept {
    ::backtrace_symbols_fd(latest.data(), latest_size, STDERR_FILENO);
}

} // namespace codynamo::testing_support

namespace support = codynamo::testing_support;

// All of them: AddressSanitizer has its own of those that are missing, and takes a block of the one
// that is given back by the other for an error.
void* operator new(std::size_t size) {
    return support::allocate(size, alignof(std::max_align_t));
}
void* operator new[](std::size_t size) {
    return support::allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return support::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return support::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return support::allocate_or_null(size, alignof(std::max_align_t));
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return support::allocate_or_null(size, alignof(std::max_align_t));
}
void operator delete(void* block) noexcept {
    support::give_back(block);
}
void operator delete[](void* block) noexcept {
    support::give_back(block);
}
void operator delete(void* block, std::size_t) noexcept {
    support::give_back(block);
}
void operator delete[](void* block, std::size_t) noexcept {
    support::give_back(block);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
    support::give_back(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
    support::give_back(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
    support::give_back(block);
}
void operator delete[](void* block, std::align_val_t) noexcept {
    support::give_back(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
    support::give_back(block);
}
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept {
    support::give_back(block);
}
