// SPDX-License-Identifier: BSL-1.0
// Keys, freshness, statistics and batches: the part of the cache that never sees a value.
#include "cache/failures.hpp"
#include "cache/keyed_hash.hpp"
#include "cache/text_in_messages.hpp"
#include "cache/utf8.hpp"

#include <codynamo/detail/cache_core.hpp>

#include <boost/core/demangle.hpp>

#include <unordered_map>
#include <utility>

namespace codynamo::detail {

namespace asio = boost::asio;
using boost::system::in_place_error;

namespace {

constexpr std::size_t max_key_bytes = 2048;

/// Which of the keys are asked for the first time.
struct distinct_keys {
    std::vector<std::size_t> firsts; ///< positions of the first occurrences
    std::vector<std::size_t> place;  ///< for each position, the place of its key in `firsts`
};

/// With a keyed hash: callers may have let others choose the keys.
template <class Entries, class Key>
distinct_keys find_distinct(const Entries& entries, Key key_of, const hash_seed& seed) {
    distinct_keys distinct;
    distinct.place.reserve(entries.size());
    std::unordered_map<std::string_view, std::size_t, keyed_hash> seen(entries.size(),
                                                                       keyed_hash{seed});
    for (std::size_t i = 0; i != entries.size(); ++i) {
        const auto [at, fresh] = seen.try_emplace(key_of(entries[i]), distinct.firsts.size());
        if (fresh) distinct.firsts.push_back(i);
        distinct.place.push_back(at->second);
    }
    return distinct;
}

std::optional<failure> key_failure(std::string_view key) {
    try {
        cache_core::check_key(key);
        return std::nullopt;
    } catch (const error& e) {
        return e.as_failure();
    }
}

/// Why every entry of a batch is refused, if it is.
std::optional<failure> lifetime_failure(const lifespan& lifetime) {
    try {
        static_cast<void>(lifetime.get());
        return std::nullopt;
    } catch (const error& e) {
        return e.as_failure();
    }
}

} // namespace

cache_core::cache_core(any_backend backend, cache_config config)
    : backend_(std::move(backend)), config_(std::move(config)),
      seed_(draw_hash_seed(*config_.env.random)) {}

cache_stats cache_core::stats() const noexcept {
    return {.hits = hits_.total(),
            .misses = misses_.total(),
            .expired = expired_.total(),
            .sets = sets_.total(),
            .erased = erased_.total(),
            .errors = errors_.total(),
            .undecodable = undecodable_.total()};
}

void cache_core::check_key(std::string_view key) {
    if (key.empty() || key.size() > max_key_bytes)
        throw error(errc::invalid_argument, "key: " + std::to_string(key.size()) + " bytes; 1 to " +
                                                std::to_string(max_key_bytes) + " are allowed");
    if (!is_utf8(key))
        throw error(errc::invalid_argument,
                    "key: " + std::to_string(key.size()) + " bytes that are not valid UTF-8");
}

std::optional<record> cache_core::find_now(std::string_view key) const {
    check_key(key);
    std::optional<record> found(std::in_place);
    if (!backend_.load_now(key, *found)) found.reset();
    return found;
}

bool cache_core::has_fresh(const std::optional<record>& found) noexcept {
    if (found && (found->lifetime == for_ever || is_fresh(*found, now()))) return true;
    add(misses_);
    if (found) add(expired_);
    return false;
}

record cache_core::stamp(std::string bytes, ttl lifetime) const {
    return {.value = std::move(bytes), .written = now(), .lifetime = lifetime, .source = {}};
}

void cache_core::count_failure() noexcept {
    if (!is_cancellation()) add(errors_);
}

thrown cache_core::counted_failure() noexcept {
    thrown what{std::current_exception()};
    if (what.why != cancelled().why) count_failure();
    return what;
}

failure cache_core::caught() {
    return failure_or_cancellation();
}

void cache_core::rethrow_policy_failure(errc code) {
    throw error(code, words_of_current_exception());
}

void cache_core::on_undecodable(std::string_view key, const std::type_info& type) {
    add(undecodable_);
    if (config_.on_undecodable == undecodable::error)
        throw error(errc::deserialize_failed,
                    "key '" + shown(key) + "': " + words_of_current_exception());
    add(misses_);
    if (config_.env.log.wants(log_level::warning))
        config_.env.log.write(log_level::warning, "cache: a value that cannot be read as " +
                                                      boost::core::demangle(type.name()) +
                                                      " is a miss: " + kind_of_current_exception());
}

void cache_core::count_outcomes(const std::vector<result<void>>& outcomes,
                                counter& successes) noexcept {
    std::uint64_t failed = 0;
    for (const auto& outcome : outcomes)
        failed += outcome.has_error() ? 1 : 0;
    add(errors_, failed);
    add(successes, outcomes.size() - failed);
}

asio::awaitable<void> cache_core::store(shared self, std::string key, result<std::string> bytes,
                                        lifespan lifetime) {
    try {
        check_key(key);
        record r = self->stamp(std::move(bytes).value(), lifetime.get());
        co_await self->backend_.store(std::move(key), std::move(r));
        add(self->sets_);
    } catch (...) {
        self->count_failure();
        throw;
    }
}

asio::awaitable<result<void>> cache_core::try_store(shared self, std::string key,
                                                    result<std::string> bytes, lifespan lifetime) {
    try {
        co_await store(self, std::move(key), std::move(bytes), lifetime);
        co_return result<void>();
    } catch (...) {
        co_return result<void>(in_place_error, caught());
    }
}

asio::awaitable<bool> cache_core::erase(shared self, std::string key) {
    try {
        check_key(key);
        const bool was_there = co_await self->backend_.erase(std::move(key));
        add(self->erased_);
        co_return was_there;
    } catch (...) {
        self->count_failure();
        throw;
    }
}

asio::awaitable<void> cache_core::discard(shared self, std::string key) {
    try {
        check_key(key);
        co_await self->backend_.discard(std::move(key));
        add(self->erased_);
    } catch (...) {
        self->count_failure();
        throw;
    }
}

asio::awaitable<bool> cache_core::contains(shared self, std::string key) {
    try {
        check_key(key);
        std::optional<record> found = co_await self->backend_.peek(std::move(key));
        const bool there = self->has_fresh(found);
        if (there) self->count_hit();
        co_return there;
    } catch (...) {
        self->count_failure();
        throw;
    }
}

asio::awaitable<bool> cache_core::touch(shared self, std::string key, lifespan lifetime) {
    try {
        check_key(key);
        co_return co_await self->backend_.touch(std::move(key), self->now(), lifetime.get());
    } catch (...) {
        self->count_failure();
        throw;
    }
}

asio::awaitable<loaded_keys> cache_core::load_many(shared self,
                                                   const std::vector<std::string>& keys) {
    const auto same = [](const std::string& key) -> std::string_view { return key; };
    distinct_keys distinct = find_distinct(keys, same, self->seed_);
    loaded_keys loaded;
    loaded.place = std::move(distinct.place);
    loaded.found.resize(distinct.firsts.size(), result<std::optional<record>>(std::nullopt));

    std::vector<std::string> asked;
    std::vector<std::size_t> asked_at;
    for (std::size_t at = 0; at != distinct.firsts.size(); ++at) {
        const std::string& key = keys[distinct.firsts[at]];
        if (std::optional<failure> bad = key_failure(key)) {
            loaded.found[at] = result<std::optional<record>>(in_place_error, std::move(*bad));
        } else {
            asked.push_back(key);
            asked_at.push_back(at);
        }
    }
    try {
        std::vector<result<std::optional<record>>> answers;
        if (!asked.empty()) answers = co_await self->backend_.load_many(std::move(asked));
        for (std::size_t i = 0; i != answers.size(); ++i)
            loaded.found[asked_at[i]] = std::move(answers[i]);
    } catch (...) {
        const failure everyones = failure_or_cancellation();
        for (const std::size_t at : asked_at)
            loaded.found[at] = result<std::optional<record>>(in_place_error, everyones);
    }
    for (const std::size_t at : loaded.place) {
        auto& found = loaded.found[at];
        if (found.has_error())
            add(self->errors_);
        else if (!self->has_fresh(*found))
            found->reset();
    }
    co_return loaded;
}

asio::awaitable<std::vector<result<void>>>
cache_core::store_many(shared self, std::vector<serialized_entry> entries, lifespan lifetime) {
    const std::optional<failure> bad_lifetime = lifetime_failure(lifetime);
    for (serialized_entry& e : entries) {
        if (std::optional<failure> bad = key_failure(e.key))
            e.bytes = result<std::string>(in_place_error, std::move(*bad));
        else if (bad_lifetime && e.bytes.has_value())
            e.bytes = result<std::string>(in_place_error, *bad_lifetime);
    }
    const auto key = [](const serialized_entry& e) -> std::string_view { return e.key; };
    const distinct_keys distinct = find_distinct(entries, key, self->seed_);
    std::vector<std::size_t> last(distinct.firsts.size());
    for (std::size_t i = 0; i != entries.size(); ++i)
        last[distinct.place[i]] = i;

    std::vector<result<void>> winners(last.size());
    std::vector<keyed_record> records;
    std::vector<std::size_t> records_at;
    for (std::size_t at = 0; at != last.size(); ++at) {
        serialized_entry& e = entries[last[at]];
        if (e.bytes.has_error()) continue;
        records.emplace_back(std::move(e.key), self->stamp(std::move(*e.bytes), lifetime.get()));
        records_at.push_back(at);
    }
    try {
        std::vector<result<void>> answers;
        if (!records.empty()) answers = co_await self->backend_.store_many(std::move(records));
        for (std::size_t i = 0; i != answers.size(); ++i)
            winners[records_at[i]] = std::move(answers[i]);
    } catch (...) {
        const failure everyones = failure_or_cancellation();
        for (const std::size_t at : records_at)
            winners[at] = result<void>(in_place_error, everyones);
    }
    std::vector<result<void>> outcomes;
    outcomes.reserve(entries.size());
    for (std::size_t i = 0; i != entries.size(); ++i) {
        const auto& own = entries[i].bytes;
        const auto& last_own = entries[last[distinct.place[i]]].bytes;
        if (own.has_error())
            outcomes.emplace_back(in_place_error, own.error());
        else if (last_own.has_error())
            outcomes.emplace_back(in_place_error, last_own.error());
        else
            outcomes.push_back(winners[distinct.place[i]]);
    }
    self->count_outcomes(outcomes, self->sets_);
    co_return outcomes;
}

asio::awaitable<std::vector<result<void>>> cache_core::erase_many(shared self,
                                                                  std::vector<std::string> keys) {
    const auto same = [](const std::string& key) -> std::string_view { return key; };
    const distinct_keys distinct = find_distinct(keys, same, self->seed_);
    std::vector<result<void>> of_distinct(distinct.firsts.size());
    std::vector<std::string> asked;
    std::vector<std::size_t> asked_at;
    for (std::size_t at = 0; at != distinct.firsts.size(); ++at) {
        std::string& key = keys[distinct.firsts[at]];
        if (std::optional<failure> bad = key_failure(key)) {
            of_distinct[at] = result<void>(in_place_error, std::move(*bad));
        } else {
            asked.push_back(std::move(key));
            asked_at.push_back(at);
        }
    }
    try {
        std::vector<result<void>> answers;
        if (!asked.empty()) answers = co_await self->backend_.erase_many(std::move(asked));
        for (std::size_t i = 0; i != answers.size(); ++i)
            of_distinct[asked_at[i]] = std::move(answers[i]);
    } catch (...) {
        const failure everyones = failure_or_cancellation();
        for (const std::size_t at : asked_at)
            of_distinct[at] = result<void>(in_place_error, everyones);
    }
    std::vector<result<void>> outcomes;
    outcomes.reserve(distinct.place.size());
    for (const std::size_t at : distinct.place)
        outcomes.push_back(of_distinct[at]);
    self->count_outcomes(outcomes, self->erased_);
    co_return outcomes;
}

asio::awaitable<clear_progress> cache_core::clear_all(shared self, clear_options options) {
    try {
        co_return co_await self->backend_.clear_all(std::move(options));
    } catch (...) {
        self->count_failure();
        throw;
    }
}

asio::awaitable<clear_progress> cache_core::clear_expired(shared self, clear_options options) {
    try {
        co_return co_await self->backend_.clear_expired(std::move(options), self->now());
    } catch (...) {
        self->count_failure();
        throw;
    }
}

asio::awaitable<void> cache_core::close(shared self) {
    co_await self->backend_.close();
}

} // namespace codynamo::detail
