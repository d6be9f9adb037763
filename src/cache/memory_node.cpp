// SPDX-License-Identifier: BSL-1.0
#include "cache/memory_node.hpp"

#include <cstring>
#include <limits>
#include <new>
#include <utility>

namespace codynamo::detail {

node_ptr memory_node::make(std::string_view key, std::string_view value, timestamp written,
                           ttl lifetime) {
    if (key.size() > std::numeric_limits<std::uint32_t>::max()) return nullptr;
    void* const block = ::operator new(sizeof(memory_node) + key.size() + value.size());
    return node_ptr(new (block) memory_node(key, value, written, lifetime));
}

memory_node::memory_node(std::string_view key, std::string_view value, timestamp written,
                         ttl lifetime) noexcept
    : key_size_(static_cast<std::uint32_t>(key.size())), value_size_(value.size()),
      written_(written), lifetime_(lifetime) {
    char* const text = reinterpret_cast<char*>(this + 1);
    if (!key.empty()) std::memcpy(text, key.data(), key.size());
    if (!value.empty()) std::memcpy(text + key.size(), value.data(), value.size());
}

void* memory_node::end_lifetime(memory_node* node) noexcept {
    node->~memory_node();
    return node;
}

void released_nodes::take(node_ptr node) noexcept {
    static_assert(sizeof(block) <= sizeof(memory_node) && alignof(block) <= alignof(memory_node));
    memory_node* const released = node.detach();
    if (released != nullptr && released->drop_owner())
        first_ = new (memory_node::end_lifetime(released)) block{first_};
}

released_nodes::~released_nodes() {
    while (first_ != nullptr)
        ::operator delete(std::exchange(first_, first_->next));
}

} // namespace codynamo::detail
