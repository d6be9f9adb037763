// SPDX-License-Identifier: BSL-1.0
// Records in this process, bounded in bytes and in number.
#pragma once

#include <codynamo/backend.hpp>
#include <codynamo/detail/backend_model.hpp>
#include <codynamo/export.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace codynamo {

/// Which records make room when a memory is full.
enum class memory_eviction {
    /// W-TinyLFU: those used less often of late than what would take their place. New ones have a
    /// window in which they need not compete; it is as large as hits most, found by small
    /// simulations of the alternatives beside the memory. The most hits over all kinds of use.
    w_tinylfu,
    /// S3-FIFO: those not used again soon after they came. Reads change nothing but a counter; for
    /// values that are used in bursts. Poor in loops longer than the memory.
    s3_fifo,
    /// The one unused for longest. Poor in scans and loops; good where only recency counts.
    lru,
};

struct memory_backend_config {
    /// Most bytes, counted as key + value + 96 per entry; > 0. A record larger than that is not
    /// kept, and what was there goes. What the memory takes from the heap, the allocator's own
    /// overhead included (as glibc's), is at most 1.05 times as much and 200 KiB, whatever was
    /// stored before. Where 96 bytes are too few for that, which may be for entries of less than
    /// about 50 bytes, up to a tenth fewer of them are kept.
    std::size_t max_bytes = 64 * 1024 * 1024;
    /// Most entries; > 0. More than 268 million count as that many.
    std::size_t max_entries = 1'000'000;
    memory_eviction eviction = memory_eviction::w_tinylfu;
    /// Of `random`, numbers are drawn once: the key of the table's hash, so that nobody can choose
    /// keys that slow it down or that look much used, and the seed of the policy.
    environment env{};
};

/// What a memory_backend holds, a snapshot.
struct memory_stats {
    std::size_t entries = 0;   ///< records held, expired ones that nobody met yet included
    std::size_t bytes = 0;     ///< what they count for against max_bytes
    std::uint64_t evicted = 0; ///< records that had to make room since the start
};

/// Records in memory. What was stored last is there, unless it is larger than the bound; which
/// other records are is up to the policy. An expired record is dropped when a read meets it, or by
/// the operations after it expired, a few at a time. A handle: copies share the records.
/// Thread-safe; no operation ever suspends. Reads in several threads seldom wait for each other; a
/// read's use may go uncounted when they are many.
class CODYNAMO_API memory_backend {
public:
    /// Throws errc::invalid_argument naming the field.
    explicit memory_backend(memory_backend_config config = memory_backend_config());
    /// Moving copies: a handle that was moved from is as good as before.
    memory_backend(const memory_backend&) = default;
    memory_backend& operator=(const memory_backend&) = default;
    ~memory_backend() = default;

    [[nodiscard]] boost::asio::awaitable<std::optional<record>> load(std::string key);
    [[nodiscard]] boost::asio::awaitable<void> store(std::string key, record r);
    [[nodiscard]] boost::asio::awaitable<bool> erase(std::string key);

    /// A lookup without a coroutine: true when `out` was filled; else what is in it is anything.
    [[nodiscard]] bool load_now(std::string_view key, record& out);
    /// As store, without a coroutine.
    void store_now(std::string_view key, const record& r);
    /// The record's times, without its value.
    [[nodiscard]] boost::asio::awaitable<std::optional<record>> peek(std::string key);
    [[nodiscard]] boost::asio::awaitable<bool> touch(std::string key, timestamp now, ttl lifetime);
    [[nodiscard]] boost::asio::awaitable<bool> store_newer(std::string key, record r);
    [[nodiscard]] boost::asio::awaitable<clear_progress> clear_all(clear_options options);
    [[nodiscard]] boost::asio::awaitable<clear_progress> clear_expired(clear_options options,
                                                                       timestamp now);

    [[nodiscard]] memory_stats stats() const;

private:
    class core;
    std::shared_ptr<core> core_;
};

namespace detail {
template <>
inline constexpr bool throws_only_errors<memory_backend> = true;
extern template CODYNAMO_API std::shared_ptr<backend_interface> erase_backend(memory_backend);
} // namespace detail

} // namespace codynamo
