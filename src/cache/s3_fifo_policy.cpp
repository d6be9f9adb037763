// SPDX-License-Identifier: BSL-1.0
#include "cache/s3_fifo_policy.hpp"

#include <algorithm>
#include <bit>

namespace codynamo::detail {

namespace {

constexpr std::uint8_t most_uses = 3;
/// Uses in the small queue that make an entry one of the main queue.
constexpr std::uint8_t promoting_uses = 2;
/// Entries that a search for a victim gives another round, at most.
constexpr int most_rounds = 64;

} // namespace

void ghost_queue::reserve(std::size_t length) {
    // Of powers of two the one from 3/4 on: on average as many as asked for.
    const std::size_t wanted = std::bit_ceil(std::max<std::size_t>(ways, length / 4 * 3));
    if (wanted <= ghosts_.size() && 4 * wanted > ghosts_.size()) return;
    std::vector<ghost> made(wanted <= ghosts_.size() ? 2 * wanted : wanted);
    ghosts_.swap(made);
    for (const ghost& one : made)
        if (one.when != 0) put(one);
}

/// In place of the oldest of its bucket, unless that is younger.
void ghost_queue::put(const ghost& one) noexcept {
    ghost* const first = bucket(one.hash);
    ghost* const oldest = std::min_element(
        first, first + ways, [](const ghost& a, const ghost& b) { return a.when < b.when; });
    if (oldest->when < one.when) *oldest = one;
}

ghost_queue::ghost* ghost_queue::bucket(std::uint32_t hash) noexcept {
    return &ghosts_[(hash * 0x9e3779b1U >> 4) % (ghosts_.size() / ways) * ways];
}

void ghost_queue::add(std::uint32_t hash) noexcept {
    if (ghosts_.empty()) return;
    if (++now_ == 0) {
        std::fill(ghosts_.begin(), ghosts_.end(), ghost());
        now_ = 1;
    }
    put({hash, now_});
}

bool ghost_queue::take(std::uint32_t hash, std::size_t length) noexcept {
    if (ghosts_.empty()) return false;
    ghost* const first = bucket(hash);
    ghost* const found = std::find_if(first, first + ways, [&](const ghost& one) {
        return one.when != 0 && one.hash == hash && now_ - one.when < length;
    });
    if (found == first + ways) return false;
    *found = ghost();
    return true;
}

void ghost_queue::clear() noexcept {
    std::vector<ghost>().swap(ghosts_);
    now_ = 0;
}

s3_fifo_policy::s3_fifo_policy(const memory_table& table, const memory_load& bound) noexcept
    : links_{&table}, small_bound_{std::max<std::size_t>(1, bound.entries / 10), bound.bytes / 10} {
}

void s3_fifo_policy::put(entry_id entry, queue to) noexcept {
    links_[entry].segment = to;
    queues_[to].push_newest(links_, entry);
}

void s3_fifo_policy::on_insert(entry_id entry) noexcept {
    const std::size_t held = queues_[small].load().entries + queues_[main].load().entries;
    links_[entry].uses = 0;
    put(entry, ghosts_.take(links_[entry].hash, held - held / 10) ? main : small);
}

void s3_fifo_policy::on_use(entry_id entry) noexcept {
    std::uint8_t& uses = links_[entry].uses;
    if (uses < most_uses) ++uses;
}

void s3_fifo_policy::on_reweigh(entry_id entry, std::size_t before, std::size_t after) noexcept {
    list_of(entry).reweigh(before, after);
}

entry_id s3_fifo_policy::victim(entry_id spared) noexcept {
    auto& entering = queues_[small];
    for (int i = 0; i != most_rounds; ++i) {
        if (entering.load().entries <= 1 || !entering.load().exceeds(small_bound_)) break;
        const entry_id oldest = entering.oldest_but(links_, spared);
        if (links_[oldest].uses < promoting_uses) {
            ghosts_.add(links_[oldest].hash);
            return oldest;
        }
        entering.remove(links_, oldest);
        links_[oldest].uses = 0;
        put(oldest, main);
    }
    const entry_id settled = main_victim(spared);
    return settled != no_entry ? settled : entering.oldest_but(links_, spared);
}

entry_id s3_fifo_policy::main_victim(entry_id spared) noexcept {
    for (int i = 0; i != most_rounds; ++i) {
        const entry_id oldest = queues_[main].oldest_but(links_, spared);
        if (oldest == no_entry || links_[oldest].uses == 0) return oldest;
        --links_[oldest].uses;
        queues_[main].make_newest(links_, oldest);
    }
    return queues_[main].oldest_but(links_, spared);
}

void s3_fifo_policy::clear() noexcept {
    for (auto& one : queues_)
        one.clear();
    ghosts_.clear();
}

} // namespace codynamo::detail
