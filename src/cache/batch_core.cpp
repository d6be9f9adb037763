// SPDX-License-Identifier: BSL-1.0
#include "cache/batch_core.hpp"

#include <algorithm>

namespace codynamo::detail {

bool batch_core::goes_alone() noexcept {
    // Who has been gathered is not to be overtaken.
    if (under_way_ >= limits_.crossover || items_ != 0) return false;
    ++under_way_;
    return true;
}

batch_core::arrival batch_core::arrive(time_point now, std::size_t bytes) noexcept {
    return goes_alone() ? arrival::alone : gather(now, bytes);
}

batch_core::arrival batch_core::gather(time_point now, std::size_t bytes) noexcept {
    if (items_ == 0) oldest_ = now;
    ++items_;
    bytes_ += bytes;
    return items_ >= limits_.most_items ? arrival::flush : arrival::wait;
}

bool batch_core::fits(std::size_t bytes) const noexcept {
    return limits_.most_bytes == 0 || bytes_ + bytes <= limits_.most_bytes;
}

bool batch_core::has_room(std::size_t bytes) const noexcept {
    return items_ == 0 || (items_ < limits_.most_items && fits(bytes));
}

bool batch_core::can_grow(std::size_t bytes) const noexcept {
    return bytes == 0 || fits(bytes);
}

void batch_core::left() noexcept {
    // Its bytes stay counted: too early a departure does no harm.
    if (--items_ == 0) bytes_ = 0;
}

void batch_core::depart() noexcept {
    items_ = 0;
    bytes_ = 0;
    ++under_way_;
}

bool batch_core::ended() noexcept {
    --under_way_;
    return items_ != 0;
}

bool batch_core::tick(time_point now) const noexcept {
    const auto at = due();
    return at && now >= *at;
}

std::optional<batch_core::time_point> batch_core::due() const noexcept {
    if (items_ == 0) return std::nullopt;
    return oldest_ + limits_.max_delay;
}

void batch_core::shrink(std::size_t items) noexcept {
    limits_.most_items = std::max<std::size_t>(1, std::min(limits_.most_items, items / 2));
}

} // namespace codynamo::detail
