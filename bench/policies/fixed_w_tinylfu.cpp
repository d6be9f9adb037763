// SPDX-License-Identifier: BSL-1.0
// W-TinyLFU with a window that stays as it is. Written apart from the library's, to check it.
#include "policies/number_lists.hpp"
#include "policies/references.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace bench {
namespace {

std::uint64_t mixed(std::uint64_t x) {
    for (int i = 0; i != 2; ++i)
        x = (x ^ x >> 32) * 0xd6e8feb86659fd93U;
    return x ^ x >> 32;
}

/// One word of 16 counters an entry, halved after ten uses an entry.
class sketch {
public:
    explicit sketch(std::size_t capacity)
        : counters_(16 * std::bit_ceil(std::max<std::size_t>(16, capacity))),
          period_(10 * capacity) {}
    [[nodiscard]] unsigned estimate(key_number key) const {
        unsigned least = 15;
        for (const std::size_t at : places(key))
            least = std::min<unsigned>(least, counters_[at]);
        return least;
    }
    void count(key_number key) {
        bool counted = false;
        for (const std::size_t at : places(key)) {
            if (counters_[at] == 15) continue;
            ++counters_[at];
            counted = true;
        }
        if (counted && ++counted_ >= period_) age();
    }

private:
    [[nodiscard]] std::array<std::size_t, 4> places(key_number key) const {
        std::array<std::size_t, 4> found{};
        for (std::size_t i = 0; i != 4; ++i)
            found[i] = mixed(key * 4ULL + i) & (counters_.size() - 1);
        return found;
    }
    void age() {
        std::size_t odd = 0;
        for (std::uint8_t& one : counters_) {
            odd += one & 1U;
            one = static_cast<std::uint8_t>(one / 2);
        }
        counted_ = (counted_ - std::min(counted_, odd / 4)) / 2;
    }

    std::vector<std::uint8_t> counters_;
    std::size_t period_;
    std::size_t counted_ = 0;
};

class w_tinylfu final : public reference_policy {
public:
    w_tinylfu(std::size_t keys, std::size_t capacity, double share)
        : lists_(keys, 3), sketch_(capacity), capacity_(capacity),
          window_(std::max<std::size_t>(
              1, static_cast<std::size_t>(std::llround(static_cast<double>(capacity) * share)))),
          protected_((capacity - std::min(capacity, window_)) * 8 / 10) {}
    bool access(key_number key) override {
        sketch_.count(key);
        const std::uint8_t in = lists_.of(key);
        lists_.move(key, in == 0 ? window : in == window ? window : kept);
        if (lists_.size(kept) > protected_) lists_.move(lists_.oldest(kept), probation);
        if (in == 0) admit();
        return in != 0;
    }

private:
    enum : std::uint8_t { window = 1, probation = 2, kept = 3 };
    void admit() {
        if (lists_.size(window) <= window_) return;
        const key_number candidate = lists_.oldest(window);
        const key_number resident = lists_.oldest(lists_.size(probation) != 0 ? probation : kept);
        lists_.move(candidate, probation);
        if (lists_.size(window) + lists_.size(probation) + lists_.size(kept) <= capacity_) return;
        const bool wins = resident != number_lists::none &&
                          sketch_.estimate(candidate) > sketch_.estimate(resident);
        lists_.move(wins ? resident : candidate, 0);
    }

    number_lists lists_;
    sketch sketch_;
    std::size_t capacity_;
    std::size_t window_;
    std::size_t protected_;
};

} // namespace

std::unique_ptr<reference_policy> make_w_tinylfu(std::size_t keys, std::size_t capacity,
                                                 double share) {
    return std::make_unique<w_tinylfu>(keys, capacity, share);
}

} // namespace bench
