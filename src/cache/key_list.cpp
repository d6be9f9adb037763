// SPDX-License-Identifier: BSL-1.0
#include "cache/key_list.hpp"

#include <functional>

namespace codynamo::detail {

std::size_t key_list::slot_of(std::string_view key) const noexcept {
    std::size_t slot = std::hash<std::string_view>()(key) % slots_.size();
    // Fewer than half of the slots are taken, so this ends.
    while (slots_[slot] != 0 && (*this)[slots_[slot] - 1U] != key)
        slot = (slot + 1) % slots_.size();
    return slot;
}

std::optional<std::size_t> key_list::find(std::string_view key) const noexcept {
    const std::uint8_t taken = slots_[slot_of(key)];
    if (taken == 0) return std::nullopt;
    return taken - 1U;
}

std::size_t key_list::add(std::string_view key) {
    std::uint8_t& slot = slots_[slot_of(key)];
    if (slot != 0) return slot - 1U;
    ends_.reserve(most);
    text_ += key;
    ends_.push_back(static_cast<std::uint32_t>(text_.size()));
    slot = static_cast<std::uint8_t>(ends_.size());
    return ends_.size() - 1;
}

} // namespace codynamo::detail
