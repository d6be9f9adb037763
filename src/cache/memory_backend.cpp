// SPDX-License-Identifier: BSL-1.0
// Records go in and out of the store's nodes here, with the clock, and never under a lock.
#include "cache/memory_store.hpp"

#include <codynamo/memory_backend.hpp>

#include <type_traits>
#include <utility>

namespace codynamo {

namespace asio = boost::asio;
using detail::memory_node;
using detail::memory_store;
using detail::node_ptr;

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
    switch (config.eviction) {
    case memory_eviction::w_tinylfu:
    case memory_eviction::s3_fifo:
    case memory_eviction::lru:
        return config;
    }
    throw error(errc::invalid_argument, "memory_backend_config::eviction: " +
                                            std::to_string(static_cast<int>(config.eviction)) +
                                            "; w_tinylfu, s3_fifo or lru is needed");
}

void fill(record& out, const memory_node& from) {
    out.value.assign(from.value());
    out.written = from.written();
    out.lifetime = from.lifetime();
    out.source = source_name;
}

} // namespace

class memory_backend::core {
public:
    explicit core(memory_backend_config config)
        : env_(std::move(config.env)),
          store_(config.max_bytes, config.max_entries, config.eviction, *env_.random) {}

    /// Null when there is none, or when it has expired: then it is dropped.
    node_ptr find(std::string_view key) {
        memory_store::found found = store_.find(key);
        if (!found.node) {
            note_miss();
            return nullptr;
        }
        if (!usable(found)) return nullptr;
        return std::move(found.node);
    }

    bool load(std::string_view key, record& out) {
        const memory_store::found_or_copied found = store_.find(key, out);
        if (!found.copied) {
            if (!found.node) {
                note_miss();
                return false;
            }
            if (!usable(found)) return false;
            fill(out, *found.node);
            return true;
        }
        if (out.lifetime != for_ever && !is_fresh(out, env_.time->now())) {
            (void)find(key); // drops it
            return false;
        }
        out.source = source_name;
        if (store_.note(found)) store_.maintain(env_.time->now());
        return true;
    }

    bool put(std::string_view key, const record& r, memory_store::condition when) {
        if (!store_.fits(key.size(), r.value.size()))
            return store_.put_too_heavy(key, r.written, env_.time->now(), when);
        node_ptr node = memory_node::make(key, r.value, r.written, r.lifetime);
        if (!node) return true; // no such key can be kept, so nothing is there
        return store_.put(std::move(node), env_.time->now(), when);
    }

    bool touch(std::string_view key, timestamp now, ttl lifetime) {
        // Copying the bytes takes time, so it happens without the lock, until nobody came between.
        for (;;) {
            const node_ptr old = store_.find(key).node;
            if (!old || !old->fresh(now)) {
                note_miss();
                return false;
            }
            node_ptr renewed = memory_node::make(key, old->value(), now, lifetime);
            if (store_.put(std::move(renewed), env_.time->now(), memory_store::condition::if_same,
                           old.get()))
                return true;
        }
    }

    bool erase(std::string_view key) { return store_.erase(key, env_.time->now()); }

    memory_store& store() noexcept { return store_; }

private:
    /// Drops it when it has expired; notes the use when not.
    bool usable(const memory_store::found& found) {
        // Reading the clock takes as long as finding, and what never expires does not need it.
        if (found.node->expires()) {
            const timestamp now = env_.time->now();
            if (!found.node->fresh(now)) {
                store_.drop(*found.node, now);
                return false;
            }
        }
        if (store_.note(found)) store_.maintain(env_.time->now());
        return true;
    }
    void note_miss() {
        if (store_.note_miss()) store_.maintain(env_.time->now());
    }

    environment env_;
    memory_store store_;
};

namespace {

template <class Core>
asio::awaitable<std::optional<record>> load_from(std::shared_ptr<Core> core, std::string key,
                                                 bool with_value) {
    const node_ptr found = core->find(key);
    if (!found) co_return std::nullopt;
    record out;
    if (with_value) {
        fill(out, *found);
    } else {
        out.written = found->written();
        out.lifetime = found->lifetime();
        out.source = source_name;
    }
    co_return out;
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
    return when_awaited([core = core_, key = std::move(key), r = std::move(r)] {
        core->put(key, r, memory_store::condition::always);
    });
}

asio::awaitable<bool> memory_backend::erase(std::string key) {
    return when_awaited([core = core_, key = std::move(key)] { return core->erase(key); });
}

bool memory_backend::load_now(std::string_view key, record& out) {
    return core_->load(key, out);
}

void memory_backend::store_now(std::string_view key, const record& r) {
    core_->put(key, r, memory_store::condition::always);
}

asio::awaitable<bool> memory_backend::touch(std::string key, timestamp now, ttl lifetime) {
    return when_awaited([core = core_, key = std::move(key), now, lifetime] {
        return core->touch(key, now, lifetime);
    });
}

asio::awaitable<bool> memory_backend::store_newer(std::string key, record r) {
    return when_awaited([core = core_, key = std::move(key), r = std::move(r)] {
        return core->put(key, r, memory_store::condition::if_newer);
    });
}

asio::awaitable<clear_progress> memory_backend::clear_all(clear_options options) {
    return when_awaited([core = core_, options = std::move(options)] {
        const std::size_t gone = core->store().clear();
        const clear_progress done{.scanned = gone, .deleted = gone, .kept = 0};
        if (options.progress) options.progress(done);
        return done;
    });
}

asio::awaitable<clear_progress> memory_backend::clear_expired(clear_options options,
                                                              timestamp now) {
    return when_awaited([core = core_, options = std::move(options), now] {
        memory_store::sweep sweep;
        bool more = true;
        while (more) {
            more = core->store().drop_expired(sweep, now, sweep_slice);
            if (options.progress) options.progress(sweep.done);
        }
        return sweep.done;
    });
}

memory_stats memory_backend::stats() const {
    return core_->store().stats();
}

template CODYNAMO_API std::shared_ptr<detail::backend_interface>
    detail::erase_backend(memory_backend);

} // namespace codynamo
