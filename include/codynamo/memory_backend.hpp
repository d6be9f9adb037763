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

struct memory_backend_config {
    /// Most bytes, counted as key + value + 256 per entry (its node, its record and the heap's own
    /// overhead); > 0. A record larger than that is not kept, and what was there goes.
    std::size_t max_bytes = 64 * 1024 * 1024;
    /// Most entries; > 0.
    std::size_t max_entries = 1'000'000;
    environment env{};
};

/// What a memory_backend holds, a snapshot.
struct memory_stats {
    std::size_t entries = 0;   ///< records held, expired ones that nobody met yet included
    std::size_t bytes = 0;     ///< what they count for against max_bytes
    std::uint64_t evicted = 0; ///< records that had to make room since the start
};

/// Records in memory; the one unused for longest makes room. An expired record is dropped when a
/// read meets it. A handle: copies share the records. Thread-safe; no operation ever suspends.
class CODYNAMO_API memory_backend {
public:
    /// Throws errc::invalid_argument naming the field.
    explicit memory_backend(memory_backend_config config = memory_backend_config());

    [[nodiscard]] boost::asio::awaitable<std::optional<record>> load(std::string key);
    [[nodiscard]] boost::asio::awaitable<void> store(std::string key, record r);
    [[nodiscard]] boost::asio::awaitable<bool> erase(std::string key);

    /// A lookup without a coroutine: true when `out` was filled.
    [[nodiscard]] bool load_now(std::string_view key, record& out);
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
extern template CODYNAMO_API std::shared_ptr<backend_interface> erase_backend(memory_backend);
}

} // namespace codynamo
