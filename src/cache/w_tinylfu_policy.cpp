// SPDX-License-Identifier: BSL-1.0
#include "cache/w_tinylfu_policy.hpp"

#include <algorithm>

namespace codynamo::detail {

namespace {

/// The sketch ages after as many uses as this for each entry that fits. The usual 10 forgets what
/// is used rarely but for ever; where longer memory hurts, the window grows.
constexpr std::size_t uses_per_entry = 16;

/// Uses that are simulated for each entry that comes, at most: where hardly anything is missed no
/// window is better than another, and hits are what is to be cheap.
constexpr int simulated_per_insert = 16;

} // namespace

w_tinylfu_policy::w_tinylfu_policy(const memory_table& table, const memory_load& bound,
                                   std::uint64_t seed)
    : links_{&table}, bound_(bound), segments_(links_, bound, window_tuner::windows[0]),
      tuner_(bound), luck_(seed | 1) {}

void w_tinylfu_policy::reserve(const memory_load& held) {
    sketch_.reserve(held.entries);
    tuner_.reserve();
    const std::size_t mean =
        std::max<std::size_t>(1, held.bytes / std::max<std::size_t>(1, held.entries));
    const std::size_t fit = std::min(bound_.entries, bound_.bytes / mean);
    sketch_.set_period(uses_per_entry * std::max(fit, held.entries));
}

void w_tinylfu_policy::count(entry_id entry) noexcept {
    const std::uint32_t hash = links_[entry].hash;
    sketch_.count(hash);
    if (to_simulate_ == 0) return;
    --to_simulate_;
    if (const auto window = tuner_.use(hash, links_.weight(entry), sketch_))
        segments_.set_window(*window);
}

void w_tinylfu_policy::on_insert(entry_id entry) noexcept {
    to_simulate_ = std::min(to_simulate_ + simulated_per_insert, 64 * simulated_per_insert);
    count(entry);
    segments_.insert(entry);
}

void w_tinylfu_policy::on_use(entry_id entry) noexcept {
    count(entry);
    segments_.use(entry);
}

void w_tinylfu_policy::on_reweigh(entry_id entry, std::size_t before, std::size_t after) noexcept {
    segments_.reweigh(entry, before, after);
}

entry_id w_tinylfu_policy::victim(entry_id spared) noexcept {
    const auto uses = [this](entry_id entry) { return sketch_.estimate(links_[entry].hash); };
    const auto lucky = [this] {
        luck_ ^= luck_ << 13;
        luck_ ^= luck_ >> 7;
        luck_ ^= luck_ << 17;
        return luck_ >> 57 == 0; // one of 128
    };
    return segments_.victim(uses, lucky, spared);
}

void w_tinylfu_policy::clear() noexcept {
    segments_.clear();
    sketch_.clear();
    tuner_.clear();
}

} // namespace codynamo::detail
