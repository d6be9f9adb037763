// SPDX-License-Identifier: BSL-1.0
// The entry that was unused for longest leaves.
#pragma once

#include "cache/eviction_policy.hpp"

namespace codynamo::detail {

class lru_policy final : public eviction_policy {
public:
    explicit lru_policy(const memory_table& table) noexcept : links_{&table} {}

    void reserve(const memory_load& /*held*/) override {}
    void on_insert(entry_id entry) noexcept override { list_.push_newest(links_, entry); }
    void on_use(entry_id entry) noexcept override { list_.make_newest(links_, entry); }
    void on_reweigh(entry_id /*entry*/, std::size_t before, std::size_t after) noexcept override {
        list_.reweigh(before, after);
    }
    void on_remove(entry_id entry) noexcept override { list_.remove(links_, entry); }
    [[nodiscard]] entry_id victim(entry_id spared) noexcept override {
        return list_.oldest_but(links_, spared);
    }
    void clear() noexcept override { list_.clear(); }
    [[nodiscard]] std::size_t heap_bytes() const noexcept override { return 0; }

private:
    table_links links_;
    entry_list<table_links> list_;
};

} // namespace codynamo::detail
