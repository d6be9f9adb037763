// SPDX-License-Identifier: BSL-1.0
// A record as a memory keeps it: one block with its key and bytes behind it, shared and immutable.
#pragma once

#include "cache/heap_bytes.hpp"

#include <codynamo/record.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace codynamo::detail {

class memory_node;
using node_ptr = boost::intrusive_ptr<memory_node>;

/// Immutable, so that a reader copies its bytes without holding a lock; the last to let go of it
/// frees it.
class memory_node {
public:
    /// Null when the key is of 4 GiB or more. Throws std::bad_alloc.
    [[nodiscard]] static node_ptr make(std::string_view key, std::string_view value,
                                       timestamp written, ttl lifetime);
    memory_node(const memory_node&) = delete;
    memory_node& operator=(const memory_node&) = delete;

    [[nodiscard]] std::string_view key() const noexcept { return {text(), key_size_}; }
    [[nodiscard]] std::string_view value() const noexcept {
        return {text() + key_size_, value_size_};
    }
    [[nodiscard]] timestamp written() const noexcept { return written_; }
    [[nodiscard]] ttl lifetime() const noexcept { return lifetime_; }
    [[nodiscard]] bool expires() const noexcept { return lifetime_ != for_ever; }
    [[nodiscard]] bool fresh(timestamp now) const noexcept {
        return !expires() || is_fresh(times(), now);
    }
    /// Of a node that expires: when.
    [[nodiscard]] timestamp deadline() const noexcept {
        return lifetime_ < for_ever ? timestamp::min()
                                    : expires_at(times()).value_or(timestamp::max());
    }
    /// What it counts for against the bound in bytes.
    [[nodiscard]] std::size_t weight() const noexcept { return weight_of(key_size_, value_size_); }
    [[nodiscard]] static std::size_t weight_of(std::size_t key, std::size_t value) noexcept {
        return key + value + overhead_bytes;
    }
    /// What this block takes from the heap.
    [[nodiscard]] std::size_t block_bytes() const noexcept {
        return heap_bytes(sizeof(memory_node) + key_size_ + value_size_);
    }

    /// What an entry takes beyond key and value, about: this block's head and what the heap adds
    /// to it, the entry, its places in the table, and what the policy remembers.
    static constexpr std::size_t overhead_bytes = 96;

private:
    friend class released_nodes;
    memory_node(std::string_view key, std::string_view value, timestamp written,
                ttl lifetime) noexcept;

    [[nodiscard]] const char* text() const noexcept {
        return reinterpret_cast<const char*>(this + 1);
    }
    [[nodiscard]] record times() const noexcept {
        return {.value = {}, .written = written_, .lifetime = lifetime_, .source = {}};
    }
    friend void intrusive_ptr_add_ref(memory_node* node) noexcept {
        node->owners_.fetch_add(1, std::memory_order_relaxed);
    }
    friend void intrusive_ptr_release(memory_node* node) noexcept {
        if (node->drop_owner()) ::operator delete(end_lifetime(node));
    }
    /// Whether it was the last one.
    [[nodiscard]] bool drop_owner() noexcept {
        return owners_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }
    /// The block that it was in.
    [[nodiscard]] static void* end_lifetime(memory_node* node) noexcept;

    std::atomic<std::uint32_t> owners_{0};
    std::uint32_t key_size_;
    std::size_t value_size_;
    timestamp written_;
    ttl lifetime_;
};

/// A list of nodes that are freed with it: declared before the guard of a lock it frees them after
/// the lock, because freeing many or large ones takes long. Takes no memory of its own.
class released_nodes {
public:
    released_nodes() = default;
    released_nodes(const released_nodes&) = delete;
    released_nodes& operator=(const released_nodes&) = delete;
    ~released_nodes();

    /// One that has other owners is left to them.
    void take(node_ptr node) noexcept;

private:
    struct block {
        block* next;
    };
    block* first_ = nullptr;
};

} // namespace codynamo::detail
