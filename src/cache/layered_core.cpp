// SPDX-License-Identifier: BSL-1.0
// One key through the layers.
#include "cache/layered_core.hpp"

#include "cache/failures.hpp"

#include <boost/asio/this_coro.hpp>

#include <new>

namespace codynamo {

namespace asio = boost::asio;

layered_backend::core::core(std::vector<any_backend> given, layered_backend_config config)
    : layers_(std::move(given)), env_(std::move(config.env)),
      epochs_(detail::draw_hash_seed(*env_.random)) {
    if (layers_.empty())
        throw error(errc::invalid_argument, "layered_backend: 0 layers; at least 1 is needed");
}

void layered_backend::core::log_failure(std::size_t layer, std::string_view doing) const {
    if (!env_.log.wants(log_level::warning)) return;
    env_.log.write(log_level::warning, "layered_backend: layer " + std::to_string(layer) +
                                           " failed while " + std::string(doing) + ": " +
                                           detail::words_of_current_exception());
}

bool layered_backend::core::load_now(std::string_view key, record& out) const {
    return uppers() == 0 ? lowest().load_now(key, out) : load_now_above(0, key, out);
}

bool layered_backend::core::load_now_above(std::size_t layer, std::string_view key,
                                           record& out) const {
    try {
        return layers_[layer].load_now(key, out) && fresh(out);
    } catch (...) {
        if (detail::is_cancellation()) throw;
        log_failure(layer, "reading");
        return false;
    }
}

asio::awaitable<std::optional<record>>
layered_backend::core::ask_upper(std::size_t layer, const std::string& key, bool with_value) {
    std::optional<record> found;
    try {
        if (with_value)
            found = co_await layers_[layer].load(key);
        else
            found = co_await layers_[layer].peek(key);
    } catch (...) {
        if (detail::is_cancellation()) throw;
        log_failure(layer, "reading");
    }
    if (found && !fresh(*found)) found.reset();
    co_return found;
}

asio::awaitable<void> layered_backend::core::copy_up(std::size_t below, const std::string& key,
                                                     const record& r, epoch since, copying what) {
    const std::size_t stripe = epochs_.stripe_of(key);
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    // Until its own copies are up, a write leaves older ones behind.
    bool untrue = what == copying::written;
    bool doubtful = false;
    for (std::size_t layer = below; layer-- > 0 && epochs_.now(stripe) == since;) {
        untrue = true;
        try {
            const bool stored = co_await layers_[layer].store_newer(key, r);
            if (what == copying::written && !stored) {
                // Another process wrote meanwhile, or by another clock an old copy seems newer:
                // only the lowest layer knows which of the two is the truth.
                doubtful = true;
                break;
            }
        } catch (...) {
            log_failure(layer, "storing a copy");
            doubtful = doubtful || what == copying::written;
        }
    }
    if (doubtful || (untrue && epochs_.now(stripe) != since)) co_await drop_copies(key);
    co_await asio::this_coro::throw_if_cancelled(throwing);
}

asio::awaitable<void> layered_backend::core::drop_copies(const std::string& key) {
    try {
        return drop_copies_once(key);
    } catch (const std::bad_alloc&) { // for its frame: may be there a moment later
        return drop_copies_once(key);
    }
}

asio::awaitable<void> layered_backend::core::drop_copies_once(const std::string& key) {
    for (std::size_t layer = uppers(); layer-- > 0;) {
        for (int left = 2; left > 0; --left) {
            try {
                co_await layers_[layer].erase(key);
                break;
            } catch (const std::bad_alloc&) { // as above
                if (left == 1) log_failure(layer, "dropping a copy");
            } catch (...) {
                log_failure(layer, "dropping a copy");
                break;
            }
        }
    }
}

asio::awaitable<void> layered_backend::core::settle(const std::string& key, const record* written,
                                                    epoch before, epoch after) {
    // Somebody else's write in between: which of the two came last is the lowest layer's secret.
    const bool alone = after == before + 1;
    if (written == nullptr || !alone) return drop_copies(key);
    try {
        return copy_up(uppers(), key, *written, after, copying::written);
    } catch (const std::bad_alloc&) { // for its frame
        return drop_copies(key);
    }
}

asio::awaitable<std::optional<record>> layered_backend::core::load(shared self, std::string key) {
    const epoch since = self->epochs_.now(self->epochs_.stripe_of(key));
    for (std::size_t layer = 0; layer != self->uppers(); ++layer) {
        std::optional<record> found(std::in_place);
        const bool at_hand = self->load_now_above(layer, key, *found);
        if (!at_hand) found = co_await self->ask_upper(layer, key, true);
        if (!found) continue;
        if (layer > 0) co_await self->copy_up(layer, key, *found, since, copying::found);
        co_return found;
    }
    std::optional<record> found = co_await self->lowest().load(key);
    if (found && self->uppers() > 0 && self->fresh(*found))
        co_await self->copy_up(self->uppers(), key, *found, since, copying::found);
    co_return found;
}

asio::awaitable<std::optional<record>> layered_backend::core::peek(shared self, std::string key) {
    for (std::size_t layer = 0; layer != self->uppers(); ++layer) {
        std::optional<record> found = co_await self->ask_upper(layer, key, false);
        if (found) co_return found;
    }
    co_return co_await self->lowest().peek(std::move(key));
}

asio::awaitable<void> layered_backend::core::store(shared self, std::string key, record r) {
    const std::size_t stripe = self->epochs_.stripe_of(key);
    const epoch before = self->epochs_.advance(stripe);
    std::exception_ptr failed;
    try {
        co_await self->lowest().store(key, r);
    } catch (...) {
        failed = std::current_exception();
    }
    const epoch after = self->epochs_.advance(stripe);
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await self->settle(key, failed ? nullptr : &r, before, after);
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (failed) std::rethrow_exception(failed);
}

asio::awaitable<bool> layered_backend::core::store_newer(shared self, std::string key, record r) {
    const std::size_t stripe = self->epochs_.stripe_of(key);
    const epoch before = self->epochs_.advance(stripe);
    std::exception_ptr failed;
    bool stored = false;
    try {
        stored = co_await self->lowest().store_newer(key, r);
    } catch (...) {
        failed = std::current_exception();
    }
    const epoch after = self->epochs_.advance(stripe);
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await self->settle(key, stored ? &r : nullptr, before, after);
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (failed) std::rethrow_exception(failed);
    co_return stored;
}

asio::awaitable<bool> layered_backend::core::remove(shared self, std::string key, bool ask) {
    const std::size_t stripe = self->epochs_.stripe_of(key);
    self->epochs_.advance(stripe);
    std::exception_ptr failed;
    bool was_there = false;
    try {
        if (ask)
            was_there = co_await self->lowest().erase(key);
        else
            co_await self->lowest().discard(key);
    } catch (...) {
        failed = std::current_exception();
    }
    self->epochs_.advance(stripe);
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await self->drop_copies(key);
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (failed) std::rethrow_exception(failed);
    co_return was_there;
}

asio::awaitable<bool> layered_backend::core::touch(shared self, std::string key, timestamp now,
                                                   ttl lifetime) {
    const std::size_t stripe = self->epochs_.stripe_of(key);
    self->epochs_.advance(stripe);
    std::exception_ptr failed;
    bool touched = false;
    try {
        touched = co_await self->lowest().touch(key, now, lifetime);
    } catch (...) {
        failed = std::current_exception();
    }
    self->epochs_.advance(stripe);
    // Copies are not touched but dropped: an old one with a new time would look like the truth.
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await self->drop_copies(key);
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (failed) std::rethrow_exception(failed);
    co_return touched;
}

} // namespace codynamo
