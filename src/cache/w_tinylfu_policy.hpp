// SPDX-License-Identifier: BSL-1.0
// W-TinyLFU: an entry stays if it is used more often than the one it would push out; new ones get
// a window to prove it in, which is as large as pays.
#pragma once

#include "cache/eviction_policy.hpp"
#include "cache/frequency_sketch.hpp"
#include "cache/window_segments.hpp"
#include "cache/window_tuner.hpp"

namespace codynamo::detail {

class w_tinylfu_policy final : public eviction_policy {
public:
    /// `seed`: of the luck that lets a loser in now and then.
    w_tinylfu_policy(const memory_table& table, const memory_load& bound, std::uint64_t seed);

    void reserve(const memory_load& held) override;
    void on_insert(entry_id entry) noexcept override;
    void on_use(entry_id entry) noexcept override;
    void on_reweigh(entry_id entry, std::size_t before, std::size_t after) noexcept override;
    void on_remove(entry_id entry) noexcept override { segments_.remove(entry); }
    [[nodiscard]] entry_id victim(entry_id spared) noexcept override;
    void clear() noexcept override;
    [[nodiscard]] std::size_t heap_bytes() const noexcept override {
        return sketch_.heap_bytes() + tuner_.heap_bytes();
    }
    void prefetch(std::uint32_t hash) const noexcept override { sketch_.prefetch(hash); }

    /// The window's share of the memory.
    [[nodiscard]] double window() const noexcept { return segments_.window(); }
    [[nodiscard]] memory_load window_load() const noexcept { return segments_.window_load(); }

private:
    void count(entry_id entry) noexcept;

    table_links links_;
    memory_load bound_;
    frequency_sketch sketch_;
    window_segments<table_links> segments_;
    window_tuner tuner_;
    std::uint64_t luck_;
    int to_simulate_ = 0; ///< uses; each entry that comes adds some
};

} // namespace codynamo::detail
