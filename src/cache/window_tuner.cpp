// SPDX-License-Identifier: BSL-1.0
#include "cache/window_tuner.hpp"

#include "cache/heap_bytes.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace codynamo::detail {

namespace {

/// How much of what was hit counts when it is judged the next time, after as many uses of followed
/// keys as a simulation has entries: half of it is forgotten after 14 times that.
constexpr double memory_of_hits = 0.95;
constexpr std::size_t least_uses_to_judge = 50;

std::uint32_t mixed(std::uint32_t hash) noexcept {
    hash = (hash ^ hash >> 16) * 0x7feb352dU;
    hash = (hash ^ hash >> 15) * 0x846ca68bU;
    return hash ^ hash >> 16;
}

} // namespace

window_tuner::window_tuner(memory_load bound)
    : bound_(bound), keys_(std::make_unique<std::vector<followed>>()) {
    simulations_.reserve(windows.size());
    for (std::size_t i = 0; i != windows.size(); ++i)
        simulations_.push_back({{view{keys_.get(), i}, bound, windows[i]}, 0});
}

void window_tuner::reserve() {
    const std::size_t before = keys_->size();
    if (free_ != no_slot || before == most_keys) return;
    const std::size_t wanted = std::max<std::size_t>(16, 2 * before);
    std::vector<slot> chains(wanted, no_slot);
    keys_->reserve(wanted);
    keys_->resize(wanted);
    chains_.swap(chains);
    for (std::size_t i = wanted; i-- != 0;) {
        followed& one = (*keys_)[i];
        slot& head = one.holders == 0 ? free_ : chain(one.hash);
        one.next = head;
        head = static_cast<slot>(i);
    }
}

std::size_t window_tuner::heap_bytes() const noexcept {
    return detail::heap_bytes(sizeof(std::vector<followed>)) + heap_bytes_of(*keys_) +
           heap_bytes_of(chains_) + heap_bytes_of(simulations_);
}

bool window_tuner::samples(std::uint32_t hash) const noexcept {
    return (mixed(hash) & ((std::uint32_t{1} << sampling_) - 1)) == 0;
}

window_tuner::slot& window_tuner::chain(std::uint32_t hash) noexcept {
    return chains_[hash & (chains_.size() - 1)];
}

memory_load window_tuner::scaled_bound() const noexcept {
    return {std::max<std::size_t>(1, bound_.entries >> sampling_), bound_.bytes >> sampling_};
}

std::optional<double> window_tuner::use(std::uint32_t hash, std::size_t weight,
                                        const frequency_sketch& sketch) noexcept {
    if (!samples(hash) || keys_->empty()) return std::nullopt;
    weight = std::min<std::size_t>(weight, std::numeric_limits<std::uint32_t>::max());
    adjust_sampling();
    if (!samples(hash) || weight > scaled_bound().bytes) return std::nullopt;
    const slot at = find_or_add(hash, weight);
    if (at == no_slot) return std::nullopt;
    for (std::size_t i = 0; i != simulations_.size(); ++i)
        simulate(i, at, sketch);
    ++since_judged_;
    const std::size_t size = simulations_[best_].segments.load().entries;
    if (since_judged_ < std::max(least_uses_to_judge, size)) return std::nullopt;
    return judge();
}

window_tuner::slot window_tuner::find_or_add(std::uint32_t hash, std::size_t weight) noexcept {
    for (slot at = chain(hash); at != no_slot; at = (*keys_)[at].next) {
        if ((*keys_)[at].hash != hash) continue;
        if ((*keys_)[at].weight != weight) reweigh(at, weight);
        return at;
    }
    const slot at = free_;
    if (at == no_slot) return no_slot;
    followed& made = (*keys_)[at];
    free_ = made.next;
    ++followed_;
    made = {.hash = hash,
            .weight = static_cast<std::uint32_t>(weight),
            .next = chain(hash),
            .holders = 0,
            .links = {}};
    chain(hash) = at;
    return at;
}

void window_tuner::reweigh(slot at, std::size_t weight) noexcept {
    followed& key = (*keys_)[at];
    const std::size_t before = key.weight;
    key.weight = static_cast<std::uint32_t>(weight);
    for (std::size_t i = 0; i != simulations_.size(); ++i)
        if (key.links[i].here) simulations_[i].segments.reweigh(at, before, weight);
}

void window_tuner::simulate(std::size_t number, slot at, const frequency_sketch& sketch) noexcept {
    simulation& one = simulations_[number];
    link& here = (*keys_)[at].links[number];
    if (here.here) {
        one.hits += 1;
        one.segments.use(at);
    } else {
        here.here = true;
        ++(*keys_)[at].holders;
        one.segments.insert(at);
    }
    const auto uses = [&](slot key) { return sketch.estimate((*keys_)[key].hash); };
    const auto lucky = [&] { return ((luck_ = luck_ * 1'664'525 + 1'013'904'223) >> 25) == 0; };
    while (one.segments.over()) {
        // Never the key itself: it is held from the first simulation on.
        const slot gone = one.segments.victim(uses, lucky, at);
        if (gone == no_slot) return;
        leave(number, gone);
    }
}

void window_tuner::leave(std::size_t number, slot at) noexcept {
    simulations_[number].segments.remove(at);
    (*keys_)[at].links[number].here = false;
    if (--(*keys_)[at].holders == 0) forget(at);
}

void window_tuner::forget(slot at) noexcept {
    slot* step = &chain((*keys_)[at].hash);
    while (*step != at)
        step = &(*keys_)[*step].next;
    *step = (*keys_)[at].next;
    (*keys_)[at].next = free_;
    free_ = at;
    --followed_;
}

/// Halves the share of keys that is followed when there is room for no more, and doubles it when
/// few were followed for a while. The two limits are a factor of eight apart, so that one change
/// does not bring about the other.
void window_tuner::adjust_sampling() noexcept {
    while (free_ == no_slot && keys_->size() == most_keys && sampling_ < 31)
        set_sampling(sampling_ + 1);
    if (sampling_ == 0 || followed_ >= fewest_keys) {
        uses_while_few_ = 0;
    } else if (++uses_while_few_ == fewest_keys) {
        uses_while_few_ = 0;
        set_sampling(sampling_ - 1);
    }
}

void window_tuner::set_sampling(unsigned sampling) noexcept {
    sampling_ = sampling;
    for (std::size_t i = 0; i != keys_->size(); ++i) {
        const auto at = static_cast<slot>(i);
        if ((*keys_)[i].holders == 0 || samples((*keys_)[i].hash)) continue;
        for (std::size_t n = 0; n != simulations_.size(); ++n)
            if ((*keys_)[i].links[n].here) leave(n, at);
    }
    for (simulation& one : simulations_)
        one.segments.set_bound(scaled_bound());
}

std::optional<double> window_tuner::judge() noexcept {
    since_judged_ = 0;
    std::size_t best = best_;
    for (std::size_t i = 0; i != simulations_.size(); ++i)
        if (simulations_[i].hits > simulations_[best].hits) best = i;
    for (simulation& one : simulations_)
        one.hits *= memory_of_hits;
    if (best == best_) return std::nullopt;
    best_ = best;
    return windows[best];
}

void window_tuner::clear() noexcept {
    for (std::size_t i = 0; i != keys_->size(); ++i)
        for (std::size_t n = 0; n != simulations_.size(); ++n)
            if ((*keys_)[i].links[n].here) leave(n, static_cast<slot>(i));
    for (simulation& one : simulations_)
        one.hits = 0;
    since_judged_ = 0;
    uses_while_few_ = 0;
    set_sampling(0);
}

} // namespace codynamo::detail
