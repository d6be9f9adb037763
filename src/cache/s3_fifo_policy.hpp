// SPDX-License-Identifier: BSL-1.0
// S3-FIFO (Yang et al., 2023): a small queue that everything enters, a main queue for what was used
// there, and the hashes of what left the small queue unused.
#pragma once

#include "cache/eviction_policy.hpp"

#include <vector>

namespace codynamo::detail {

/// Hashes of the last so many that were added: a table of buckets of four, the oldest of which
/// gives way, so it forgets a few too early.
class ghost_queue {
public:
    /// Room for about so many; those that find none are forgotten. Throws std::bad_alloc and has
    /// changed nothing then.
    void reserve(std::size_t length);
    void add(std::uint32_t hash) noexcept;
    /// Whether it is among the last `length`; it is forgotten.
    [[nodiscard]] bool take(std::uint32_t hash, std::size_t length) noexcept;
    void clear() noexcept;
    [[nodiscard]] std::size_t heap_bytes() const noexcept { return heap_bytes_of(ghosts_); }

private:
    struct ghost {
        std::uint32_t hash = 0;
        std::uint32_t when = 0; ///< 0 is none
    };
    static constexpr std::size_t ways = 4;
    [[nodiscard]] ghost* bucket(std::uint32_t hash) noexcept;
    void put(const ghost& one) noexcept;

    std::vector<ghost> ghosts_;
    std::uint32_t now_ = 0;
};

class s3_fifo_policy final : public eviction_policy {
public:
    s3_fifo_policy(const memory_table& table, const memory_load& bound) noexcept;

    void reserve(const memory_load& held) override { ghosts_.reserve(held.entries); }
    void on_insert(entry_id entry) noexcept override;
    void on_use(entry_id entry) noexcept override;
    void on_reweigh(entry_id entry, std::size_t before, std::size_t after) noexcept override;
    void on_remove(entry_id entry) noexcept override { list_of(entry).remove(links_, entry); }
    [[nodiscard]] entry_id victim(entry_id spared) noexcept override;
    void clear() noexcept override;
    [[nodiscard]] std::size_t heap_bytes() const noexcept override { return ghosts_.heap_bytes(); }

private:
    enum queue : std::uint8_t { small, main };
    [[nodiscard]] entry_list<table_links>& list_of(entry_id entry) noexcept {
        return queues_[links_[entry].segment];
    }
    void put(entry_id entry, queue to) noexcept;
    [[nodiscard]] entry_id main_victim(entry_id spared) noexcept;

    table_links links_;
    memory_load small_bound_;
    entry_list<table_links> queues_[2];
    ghost_queue ghosts_;
};

} // namespace codynamo::detail
