// SPDX-License-Identifier: BSL-1.0
// The seam between the cache and whatever keeps its records.
#pragma once

#include <codynamo/error.hpp>
#include <codynamo/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo {

/// A backend is three functions; everything is passed by value because it crosses a suspension.
///
///     load(key)          the record as stored, expired or not; nullopt when there is none
///     store(key, record) replaces whatever is there
///     erase(key)         true when there was something to erase
///
/// A backend is a handle: copyable, and copies share what they keep. It may be called from any
/// thread. Some copy of it lives until what it was asked for has completed. What it offers beyond
/// the three is detected by name and signature, which are those of `any_backend`: discard,
/// load_now, peek, touch, store_newer, load_many, store_many, erase_many, clear_all, clear_expired,
/// close.
///
/// Failures: an operation fails by throwing codynamo::error (or any boost::system::system_error), a
/// cancelled one by throwing boost::asio::error::operation_aborted. What else it throws, except
/// std::bad_alloc, becomes errc::backend_failed with its words in the cache, layered_backend and
/// any_backend. They throw it, but for the cache's functions named try_… or …_many, which give it
/// as an outcome, of a batch for each key. A batch answers one outcome per key, in their order;
/// another number of them is errc::bad_response. Where a backend has no batch of its own, a key
/// whose operation throws has that as its outcome.
template <class B>
concept backend = requires(B& b, std::string key, record r) {
    { b.load(std::move(key)) } -> std::same_as<boost::asio::awaitable<std::optional<record>>>;
    { b.store(std::move(key), std::move(r)) } -> std::same_as<boost::asio::awaitable<void>>;
    { b.erase(std::move(key)) } -> std::same_as<boost::asio::awaitable<bool>>;
};

/// One key with its record, for store_many.
using keyed_record = std::pair<std::string, record>;

/// What a clear has done so far.
struct clear_progress {
    std::uint64_t scanned = 0; ///< records looked at
    std::uint64_t deleted = 0; ///< records deleted
    std::uint64_t kept = 0;    ///< records left because they are valid or were rewritten meanwhile
};

/// Where an interrupted clear stopped. Opaque; given back in clear_options::resume it goes on from
/// there.
class clear_cursor {
public:
    virtual ~clear_cursor() = default;
};

struct clear_options {
    /// Parallel scan segments; 1 to 64.
    unsigned segments = 4;
    /// Called after each page with the totals so far, from the clearing coroutine; must not throw.
    std::function<void(const clear_progress&)> progress{};
    /// A pointer of the caller's: filled in while clearing, so that after an error the same options
    /// resume. May be null.
    std::shared_ptr<std::shared_ptr<clear_cursor>> resume{};
};

} // namespace codynamo
