// SPDX-License-Identifier: BSL-1.0
// The part of the cache that must know the type of its values. Included by cache.hpp only.
#pragma once

#include <codynamo/cache.hpp>

#include <new>
#include <typeinfo>

namespace codynamo {

template <class T, class Serializer>
    requires serializer<Serializer, T>
struct cache<T, Serializer>::state : detail::cache_core {
    state(any_backend wrapped, cache_config config, Serializer p)
        : cache_core(std::move(wrapped), std::move(config)), policy(std::move(p)) {}

    std::string encode(T&& value) const {
        try {
            return policy.serialize(std::move(value));
        } catch (const std::bad_alloc&) {
            throw;
        } catch (...) {
            rethrow_policy_failure(errc::serialize_failed);
        }
    }
    /// The bytes, or what the policy threw.
    result<std::string> serialize(T&& value) const {
        try {
            return encode(std::move(value));
        } catch (...) {
            return {boost::system::in_place_error, caught()};
        }
    }
    /// Counts a hit; or what on_undecodable says, and then there is no value.
    std::optional<T> decode(std::string_view key, std::string&& bytes) {
        std::optional<T> value;
        try {
            value.emplace(policy.deserialize(std::move(bytes)));
            count_hit();
        } catch (const std::bad_alloc&) {
            throw;
        } catch (...) {
            on_undecodable(key, typeid(T));
        }
        return value;
    }

    Serializer policy;
};

template <class T, class Serializer>
    requires serializer<Serializer, T>
boost::asio::awaitable<std::optional<T>>
cache<T, Serializer>::do_get(shared_state self, std::string key, detail::recycled) {
    detail::thrown failed;
    try {
        std::optional<record> found = self->find_now(key);
        if (!found) found = co_await self->backend().load(key);
        if (!self->has_fresh(found)) co_return std::nullopt;
        co_return self->decode(key, std::move(found->value));
    } catch (...) {
        failed = self->counted_failure();
    }
    co_return failed;
}

template <class T, class Serializer>
    requires serializer<Serializer, T>
boost::asio::awaitable<result<std::optional<T>>> cache<T, Serializer>::do_try_get(shared_state self,
                                                                                  std::string key) {
    using answer = result<std::optional<T>>;
    try {
        std::optional<record> found = self->find_now(key);
        if (!found) found = co_await self->backend().load(key);
        if (!self->has_fresh(found)) co_return answer(boost::system::in_place_value, std::nullopt);
        co_return answer(boost::system::in_place_value, self->decode(key, std::move(found->value)));
    } catch (...) {
        self->count_failure();
        co_return answer(boost::system::in_place_error, self->caught());
    }
}

template <class T, class Serializer>
    requires serializer<Serializer, T>
boost::asio::awaitable<std::optional<entry<T>>>
cache<T, Serializer>::do_get_entry(shared_state self, std::string key) {
    try {
        std::optional<record> found = self->find_now(key);
        if (!found) found = co_await self->backend().load(key);
        if (!self->has_fresh(found)) co_return std::nullopt;
        std::optional<T> value = self->decode(key, std::move(found->value));
        if (!value) co_return std::nullopt;
        const timestamp now = self->now();
        co_return std::optional<entry<T>>(entry<T>{.value = std::move(*value),
                                                   .age = age(*found, now),
                                                   .remaining = remaining(*found, now),
                                                   .written = found->written,
                                                   .source = found->source});
    } catch (...) {
        self->count_failure();
        throw;
    }
}

template <class T, class Serializer>
    requires serializer<Serializer, T>
boost::asio::awaitable<std::vector<result<std::optional<T>>>>
cache<T, Serializer>::do_get_many(shared_state self, std::vector<std::string> keys) {
    detail::loaded_keys loaded = co_await detail::cache_core::load_many(self, keys);
    std::vector<result<std::optional<T>>> answers;
    answers.reserve(loaded.place.size());
    for (std::size_t i = 0; i != keys.size(); ++i) {
        const result<std::optional<record>>& found = loaded.found[loaded.place[i]];
        if (found.has_error()) {
            answers.emplace_back(boost::system::in_place_error, found.error());
        } else if (!*found) {
            answers.emplace_back(boost::system::in_place_value, std::nullopt);
        } else {
            // Equal keys share one record, so its bytes are copied: they may be needed again.
            try {
                answers.emplace_back(boost::system::in_place_value,
                                     self->decode(keys[i], std::string((*found)->value)));
            } catch (...) {
                self->count_failure();
                answers.emplace_back(boost::system::in_place_error, self->caught());
            }
        }
    }
    co_return answers;
}

template <class T, class Serializer>
    requires serializer<Serializer, T>
boost::asio::awaitable<std::vector<result<void>>>
cache<T, Serializer>::do_set_many(shared_state self, std::vector<std::pair<std::string, T>> entries,
                                  lifespan lifetime) {
    std::vector<detail::serialized_entry> serialized;
    serialized.reserve(entries.size());
    for (auto& [key, value] : entries) {
        result<std::string> bytes = self->serialize(std::move(value));
        serialized.push_back({std::move(key), std::move(bytes)});
    }
    return detail::cache_core::store_many(std::move(self), std::move(serialized), lifetime);
}

} // namespace codynamo
