// SPDX-License-Identifier: BSL-1.0
#include "policies/references.hpp"

#include "policies/number_lists.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

namespace bench {
namespace {

class lru final : public reference_policy {
public:
    lru(std::size_t keys, std::size_t capacity) : lists_(keys, 1), capacity_(capacity) {}
    bool access(key_number key) override {
        const bool hit = lists_.of(key) != 0;
        lists_.move(key, 1);
        if (lists_.size(1) > capacity_) lists_.move(lists_.oldest(1), 0);
        return hit;
    }

private:
    number_lists lists_;
    std::size_t capacity_;
};

class sieve final : public reference_policy {
public:
    sieve(std::size_t keys, std::size_t capacity)
        : lists_(keys, 1), visited_(keys), capacity_(capacity) {}
    bool access(key_number key) override {
        if (lists_.of(key) != 0) {
            visited_[key] = true;
            return true;
        }
        if (lists_.size(1) >= capacity_) evict();
        lists_.move(key, 1);
        visited_[key] = false;
        return false;
    }

private:
    void evict() {
        key_number at = hand_ == number_lists::none ? lists_.oldest(1) : hand_;
        while (visited_[at]) {
            visited_[at] = false;
            at = lists_.newer(at) == number_lists::none ? lists_.oldest(1) : lists_.newer(at);
        }
        hand_ = lists_.newer(at);
        lists_.move(at, 0);
    }

    number_lists lists_;
    std::vector<bool> visited_;
    std::size_t capacity_;
    key_number hand_ = number_lists::none;
};

class s3_fifo final : public reference_policy {
public:
    s3_fifo(std::size_t keys, std::size_t capacity)
        : lists_(keys, 3), uses_(keys), capacity_(capacity),
          small_(std::max<std::size_t>(1, capacity / 10)) {}
    bool access(key_number key) override {
        const std::uint8_t in = lists_.of(key);
        if (in == small || in == main) {
            if (uses_[key] < 3) ++uses_[key];
            return true;
        }
        while (lists_.size(small) + lists_.size(main) >= capacity_)
            evict();
        uses_[key] = 0;
        // The ghost may have been pushed out meanwhile, but it was there when the key was asked
        // for.
        lists_.move(key, in == ghost ? main : small);
        return false;
    }

private:
    enum : std::uint8_t { small = 1, main = 2, ghost = 3 };
    void evict() {
        while (lists_.size(small) > small_ || (lists_.size(main) == 0 && lists_.size(small) > 0)) {
            const key_number oldest = lists_.oldest(small);
            if (uses_[oldest] < 2) {
                lists_.move(oldest, ghost);
                if (lists_.size(ghost) > capacity_ - small_ && lists_.size(ghost) > 1)
                    lists_.move(lists_.oldest(ghost), 0);
                return;
            }
            uses_[oldest] = 0;
            lists_.move(oldest, main);
        }
        while (uses_[lists_.oldest(main)] > 0) {
            --uses_[lists_.oldest(main)];
            lists_.move(lists_.oldest(main), main);
        }
        lists_.move(lists_.oldest(main), 0);
    }

    number_lists lists_;
    std::vector<std::uint8_t> uses_;
    std::size_t capacity_;
    std::size_t small_;
};

class arc final : public reference_policy {
public:
    arc(std::size_t keys, std::size_t capacity) : lists_(keys, 4), capacity_(capacity) {}
    bool access(key_number key) override {
        const std::uint8_t in = lists_.of(key);
        if (in == once_ghost || in == often_ghost) {
            adapt(in == once_ghost);
            replace(in == often_ghost);
        } else if (in == 0) {
            make_room();
        }
        lists_.move(key, in == 0 ? once : often);
        return in == once || in == often;
    }

private:
    enum : std::uint8_t { once = 1, often = 2, once_ghost = 3, often_ghost = 4 };
    void adapt(bool more_once) {
        const auto a = static_cast<double>(lists_.size(once_ghost));
        const auto b = static_cast<double>(lists_.size(often_ghost));
        target_ = more_once ? std::min<double>(static_cast<double>(capacity_),
                                               target_ + std::max(1.0, b / a))
                            : std::max(0.0, target_ - std::max(1.0, a / b));
    }
    void replace(bool for_often_ghost) {
        const auto held = static_cast<double>(lists_.size(once));
        const bool from_once = held > 0 && (held > target_ || (for_often_ghost && held == target_));
        if (from_once || lists_.size(often) == 0)
            lists_.move(lists_.oldest(once), once_ghost);
        else
            lists_.move(lists_.oldest(often), often_ghost);
    }
    void make_room() {
        const std::size_t all = lists_.size(once) + lists_.size(often) + lists_.size(once_ghost) +
                                lists_.size(often_ghost);
        if (lists_.size(once) + lists_.size(once_ghost) == capacity_) {
            if (lists_.size(once) == capacity_) return lists_.move(lists_.oldest(once), 0);
            lists_.move(lists_.oldest(once_ghost), 0);
            replace(false);
        } else if (all >= capacity_) {
            if (all == 2 * capacity_) lists_.move(lists_.oldest(often_ghost), 0);
            replace(false);
        }
    }

    number_lists lists_;
    std::size_t capacity_;
    double target_ = 0;
};

class optimum final : public reference_policy {
public:
    optimum(const key_trace& trace, std::size_t capacity)
        : next_(trace.keys.size()), held_(trace.distinct, never), capacity_(capacity) {
        std::vector<std::size_t> later(trace.distinct, never);
        for (std::size_t i = trace.keys.size(); i-- != 0;)
            next_[i] = std::exchange(later[trace.keys[i]], i);
    }
    bool access(key_number key) override {
        const std::size_t next = next_[now_++];
        const bool hit = held_[key] != never;
        if (hit) order_.erase({held_[key], key});
        held_[key] = next;
        if (next == never) return hit; // of no use any more
        order_.emplace(next, key);
        if (order_.size() > capacity_) {
            const auto last = std::prev(order_.end());
            held_[last->second] = never;
            order_.erase(last);
        }
        return hit;
    }

private:
    static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
    std::vector<std::size_t> next_; ///< when the key of each moment is used again
    std::vector<std::size_t> held_; ///< when a held key is used again
    std::set<std::pair<std::size_t, key_number>> order_;
    std::size_t capacity_;
    std::size_t now_ = 0;
};

} // namespace

std::unique_ptr<reference_policy> make_w_tinylfu(std::size_t keys, std::size_t capacity,
                                                 double share);

std::unique_ptr<reference_policy> make_reference(std::string_view name, const key_trace& trace,
                                                 std::size_t capacity) {
    const std::size_t keys = trace.distinct;
    if (name == "lru") return std::make_unique<lru>(keys, capacity);
    if (name == "sieve") return std::make_unique<sieve>(keys, capacity);
    if (name == "s3-fifo") return std::make_unique<s3_fifo>(keys, capacity);
    if (name == "arc") return std::make_unique<arc>(keys, capacity);
    if (name == "w-tinylfu-1") return make_w_tinylfu(keys, capacity, 0.01);
    if (name == "w-tinylfu-20") return make_w_tinylfu(keys, capacity, 0.2);
    if (name == "optimum") return std::make_unique<optimum>(trace, capacity);
    throw std::invalid_argument("policy: '" + std::string(name) + "' is not known");
}

} // namespace bench
