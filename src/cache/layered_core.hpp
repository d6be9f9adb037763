// SPDX-License-Identifier: BSL-1.0
// The layers of a layered_backend, and how copies above the truth come and go.
#pragma once

#include "cache/write_epochs.hpp"

#include <codynamo/layered_backend.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo {

/// How copies stay true. A write advances its stripe's epoch before and after it changes the lowest
/// layer, then brings its own copy up. Whoever brings a copy up looks at the epoch afterwards: when
/// it is not the one under which the copy was true, somebody wrote meanwhile, and the copy is
/// dropped again. Dropping is always safe, because the next read fetches the truth.
///
/// The coroutines are static and own the core. The private ones borrow what they are given: their
/// callers await them at once.
class layered_backend::core {
public:
    using shared = std::shared_ptr<core>;
    using epoch = detail::write_epochs::number;
    template <class T>
    using awaitable = boost::asio::awaitable<T>;
    using found_records = std::vector<result<std::optional<record>>>;
    using outcomes = std::vector<result<void>>;

    core(std::vector<any_backend> given, layered_backend_config config);

    [[nodiscard]] bool load_now(std::string_view key, record& out) const;
    static awaitable<std::optional<record>> load(shared self, std::string key);
    static awaitable<std::optional<record>> peek(shared self, std::string key);
    static awaitable<void> store(shared self, std::string key, record r);
    static awaitable<bool> store_newer(shared self, std::string key, record r);
    /// Whether there was one is asked only if `ask`.
    static awaitable<bool> remove(shared self, std::string key, bool ask);
    static awaitable<bool> touch(shared self, std::string key, timestamp now, ttl lifetime);
    static awaitable<found_records> load_many(shared self, std::vector<std::string> keys);
    static awaitable<outcomes> store_many(shared self, std::vector<keyed_record> records);
    static awaitable<outcomes> erase_many(shared self, std::vector<std::string> keys);
    static awaitable<clear_progress> clear_all(shared self, clear_options options);
    static awaitable<clear_progress> clear_expired(shared self, clear_options options,
                                                   timestamp now);
    static awaitable<void> close(shared self);

private:
    /// Whether a copy is of what a read found below, and may be late, or of what this write wrote.
    enum class copying { found, written };
    struct many;

    [[nodiscard]] const any_backend& lowest() const noexcept { return layers_.back(); }
    /// Number of layers above the lowest; also the lowest layer's index.
    [[nodiscard]] std::size_t uppers() const noexcept { return layers_.size() - 1; }
    [[nodiscard]] bool fresh(const record& r) const noexcept {
        // Reading the clock takes longer than a lookup in memory.
        return r.lifetime == for_ever || is_fresh(r, env_.time->now());
    }
    /// In a catch block: logs that a layer above failed.
    void log_failure(std::size_t layer, std::string_view doing) const;

    /// What a layer above the lowest has at hand and is fresh; nothing when it fails.
    [[nodiscard]] bool load_now_above(std::size_t layer, std::string_view key, record& out) const;
    awaitable<std::optional<record>> ask_upper(std::size_t layer, const std::string& key,
                                               bool with_value);
    awaitable<void> ask_upper_many(std::size_t layer, many& question);
    /// Brings a copy into the layers above `below` as long as the epoch is `since`, and drops what
    /// may be untrue in the end. Does not throw and does not give in to a cancellation: half done,
    /// a stale copy could stay.
    awaitable<void> copy_up(std::size_t below, const std::string& key, const record& r, epoch since,
                            copying what);
    /// Throws only when there is no memory for a frame, twice. The caller has switched
    /// throw_if_cancelled off, as for settle.
    awaitable<void> drop_copies(const std::string& key);
    awaitable<void> drop_copies_once(const std::string& key);
    /// After a write of the lowest layer that took the key's epoch from `before` to `after`: what
    /// was written goes up, or when nothing certain was, the copies go away.
    awaitable<void> settle(const std::string& key, const record* written, epoch before,
                           epoch after);

    std::vector<any_backend> layers_;
    environment env_;
    detail::write_epochs epochs_;
};

} // namespace codynamo
