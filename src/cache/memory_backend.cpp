// SPDX-License-Identifier: BSL-1.0
// One store under one mutex, held for a lookup or an update and never while bytes are copied.
#include "cache/memory_store.hpp"

#include <codynamo/memory_backend.hpp>

#include <mutex>
#include <type_traits>
#include <utility>

namespace codynamo {

namespace asio = boost::asio;
using detail::shared_record;

namespace {

constexpr std::string_view source_name = "memory";
constexpr std::size_t sweep_slice = 4096;

memory_backend_config validated(memory_backend_config config) {
    const auto positive = [](std::size_t value, const char* field) {
        if (value == 0)
            throw error(errc::invalid_argument, std::string(field) + ": 0; at least 1 is needed");
    };
    positive(config.max_bytes, "memory_backend_config::max_bytes");
    positive(config.max_entries, "memory_backend_config::max_entries");
    return config;
}

/// A record as it is kept: no spare capacity, which would not be counted.
shared_record keep(record&& r) {
    if (r.value.capacity() > r.value.size() + r.value.size() / 8 + 16) r.value.shrink_to_fit();
    r.source = source_name;
    return std::make_shared<const record>(std::move(r));
}

} // namespace

class memory_backend::core {
public:
    explicit core(memory_backend_config config)
        : env_(std::move(config.env)), store_(config.max_bytes, config.max_entries) {}

    shared_record find(std::string_view key) {
        const timestamp now = env_.time->now();
        const std::lock_guard guard(mutex_);
        return store_.find(key, now);
    }

    bool put(std::string&& key, record&& r, bool only_newer) {
        shared_record made = keep(std::move(r));
        shared_record old; // destroyed after the lock
        const std::lock_guard guard(mutex_);
        old = store_.look(key);
        if (only_newer && old && old->written > made->written) return false;
        store_.put(std::move(key), std::move(made));
        return true;
    }

    bool touch(std::string_view key, timestamp now, ttl lifetime) {
        shared_record old;
        // Copying the bytes takes time, so it happens without the lock, until nobody came between.
        for (;;) {
            {
                const std::lock_guard guard(mutex_);
                old = store_.look(key);
            }
            if (!old || !is_fresh(*old, now)) return false;
            record renewed = *old;
            renewed.written = now;
            renewed.lifetime = lifetime;
            shared_record made = keep(std::move(renewed));
            const std::lock_guard guard(mutex_);
            if (store_.look(key) != old) continue;
            store_.put(std::string(key), std::move(made));
            return true;
        }
    }

    bool erase(std::string_view key) {
        shared_record old; // destroyed after the lock
        const std::lock_guard guard(mutex_);
        old = store_.look(key);
        return store_.erase(key);
    }

    clear_progress clear_all() {
        const auto gone = [&] {
            const std::lock_guard guard(mutex_);
            return store_.take_all();
        }();
        return {.scanned = gone.size(), .deleted = gone.size(), .kept = 0};
    }

    bool sweep(detail::memory_store::sweep& progress, timestamp now) {
        const std::lock_guard guard(mutex_);
        return store_.drop_expired(progress, now, sweep_slice);
    }

    memory_stats stats() const {
        const std::lock_guard guard(mutex_);
        return store_.stats();
    }

private:
    environment env_;
    mutable std::mutex mutex_;
    detail::memory_store store_;
};

namespace {

template <class Core>
asio::awaitable<std::optional<record>> load_from(std::shared_ptr<Core> core, std::string key,
                                                 bool with_value) {
    const shared_record found = core->find(key);
    if (!found) co_return std::nullopt;
    if (with_value) co_return *found;
    co_return record{.value = {},
                     .written = found->written,
                     .lifetime = found->lifetime,
                     .source = found->source};
}

/// A coroutine that suspends nowhere: it owns its work and does it when awaited.
template <class Work>
asio::awaitable<std::invoke_result_t<Work&>> when_awaited(Work work) {
    co_return work();
}

} // namespace

memory_backend::memory_backend(memory_backend_config config)
    : core_(std::make_shared<core>(validated(std::move(config)))) {}

asio::awaitable<std::optional<record>> memory_backend::load(std::string key) {
    return load_from(core_, std::move(key), true);
}

asio::awaitable<std::optional<record>> memory_backend::peek(std::string key) {
    return load_from(core_, std::move(key), false);
}

asio::awaitable<void> memory_backend::store(std::string key, record r) {
    return when_awaited([core = core_, key = std::move(key), r = std::move(r)]() mutable {
        core->put(std::move(key), std::move(r), false);
    });
}

asio::awaitable<bool> memory_backend::erase(std::string key) {
    return when_awaited([core = core_, key = std::move(key)] { return core->erase(key); });
}

bool memory_backend::load_now(std::string_view key, record& out) {
    const shared_record found = core_->find(key);
    if (found) out = *found;
    return found != nullptr;
}

asio::awaitable<bool> memory_backend::touch(std::string key, timestamp now, ttl lifetime) {
    return when_awaited([core = core_, key = std::move(key), now, lifetime] {
        return core->touch(key, now, lifetime);
    });
}

asio::awaitable<bool> memory_backend::store_newer(std::string key, record r) {
    return when_awaited([core = core_, key = std::move(key), r = std::move(r)]() mutable {
        return core->put(std::move(key), std::move(r), true);
    });
}

asio::awaitable<clear_progress> memory_backend::clear_all(clear_options options) {
    return when_awaited([core = core_, options = std::move(options)] {
        const clear_progress done = core->clear_all();
        if (options.progress) options.progress(done);
        return done;
    });
}

asio::awaitable<clear_progress> memory_backend::clear_expired(clear_options options,
                                                              timestamp now) {
    return when_awaited([core = core_, options = std::move(options), now] {
        detail::memory_store::sweep sweep;
        bool more = true;
        while (more) {
            more = core->sweep(sweep, now);
            if (options.progress) options.progress(sweep.done);
        }
        return sweep.done;
    });
}

memory_stats memory_backend::stats() const {
    return core_->stats();
}

template CODYNAMO_API std::shared_ptr<detail::backend_interface>
    detail::erase_backend(memory_backend);

} // namespace codynamo
