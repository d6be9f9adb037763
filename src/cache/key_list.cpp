// SPDX-License-Identifier: BSL-1.0
#include "cache/key_list.hpp"

#include <algorithm>

namespace codynamo::detail {

std::size_t key_list::rank_of(std::string_view key) const noexcept {
    const auto end = order_.begin() + static_cast<std::ptrdiff_t>(size());
    const auto found = std::lower_bound(
        order_.begin(), end, key,
        [this](std::uint8_t place, std::string_view wanted) { return (*this)[place] < wanted; });
    return static_cast<std::size_t>(found - order_.begin());
}

bool key_list::is_at(std::size_t rank, std::string_view key) const noexcept {
    return rank != size() && (*this)[order_[rank]] == key;
}

std::optional<std::size_t> key_list::find(std::string_view key) const noexcept {
    const std::size_t rank = rank_of(key);
    if (!is_at(rank, key)) return std::nullopt;
    return order_[rank];
}

std::size_t key_list::add(std::string_view key) {
    const std::size_t rank = rank_of(key);
    if (is_at(rank, key)) return order_[rank];
    const std::size_t place = size();
    ends_.reserve(most);
    text_ += key;
    ends_.push_back(static_cast<std::uint32_t>(text_.size()));
    std::copy_backward(&order_[rank], &order_[place], &order_[place] + 1);
    order_[rank] = static_cast<std::uint8_t>(place);
    return place;
}

} // namespace codynamo::detail
