// SPDX-License-Identifier: BSL-1.0
// The clauses of the backend contract, one coroutine each. Included by contract.hpp only.
#pragma once

#include <codynamo/testing/contract.hpp>

#include <boost/asio/error.hpp>

#include <array>
#include <chrono>
#include <optional>

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 inlines the frame's operator new but not its delete, and takes them for strangers.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace codynamo::testing {

namespace detail {

template <class T>
using awaitable = boost::asio::awaitable<T>;
using namespace std::chrono_literals;

/// What a clause works with: a backend, names for keys, and where to complain.
class backend_trial {
public:
    backend_trial(const backend_contract& contract, std::vector<std::string>& broken)
        : it(contract.make()), now(contract.now), prefix_(contract.key_prefix), broken_(broken) {}

    [[nodiscard]] std::string key(std::string_view name) const {
        return prefix_ + std::string(name);
    }
    [[nodiscard]] record made(std::string value, ttl lifetime = for_ever, ttl age = 0s) const {
        return {
            .value = std::move(value), .written = now - age, .lifetime = lifetime, .source = {}};
    }
    void expect(bool kept, std::string_view clause) {
        if (!kept) broken_.emplace_back(clause);
    }
    static bool same(const std::optional<record>& found, const record& expected) {
        return found && found->value == expected.value && same_times(found, expected);
    }
    static bool same_times(const std::optional<record>& found, const record& expected) {
        return found && found->written == expected.written && found->lifetime == expected.lifetime;
    }

    any_backend it;
    timestamp now;

private:
    std::string prefix_;
    std::vector<std::string>& broken_;
};

inline awaitable<void> clause_absent(backend_trial& t) {
    const std::string key = t.key("absent");
    co_await t.it.erase(key);
    const auto loaded = co_await t.it.load(key);
    t.expect(!loaded, "a key that was never stored loads as nullopt");
    const bool erased = co_await t.it.erase(key);
    t.expect(!erased, "erasing a key that is not there gives false");
    const auto peeked = co_await t.it.peek(key);
    t.expect(!peeked, "a key that was never stored peeks as nullopt");
    record out;
    t.expect(!t.it.load_now(key, out), "a key that was never stored is not at hand");
}

inline awaitable<void> clause_round_trip(backend_trial& t) {
    std::string all_bytes;
    for (int i = 0; i != 256; ++i)
        all_bytes += static_cast<char>(i);
    const std::array<record, 6> records = {t.made("plain"),
                                           t.made(all_bytes, 1h),
                                           t.made("", 1s + 1us),
                                           t.made(std::string(100'000, 'x'), 500ms),
                                           t.made("aged", 3650 * 24h, 1h + 1us),
                                           t.made("longest", std::chrono::hours(24 * 365 * 1000))};
    for (std::size_t i = 0; i != records.size(); ++i) {
        const std::string key = t.key("round trip " + std::to_string(i));
        co_await t.it.store(key, records[i]);
        const auto loaded = co_await t.it.load(key);
        t.expect(backend_trial::same(loaded, records[i]),
                 "what is stored loads with the same bytes and times: record " + std::to_string(i));
        const auto peeked = co_await t.it.peek(key);
        t.expect(backend_trial::same_times(peeked, records[i]),
                 "peek gives the same times as load: record " + std::to_string(i));
        record out;
        t.expect(!t.it.load_now(key, out) || backend_trial::same(out, records[i]),
                 "load_now gives what load gives: record " + std::to_string(i));
    }
}

inline awaitable<void> clause_replace_and_erase(backend_trial& t) {
    const std::string key = t.key("replaced");
    co_await t.it.store(key, t.made("first", 1h));
    const record second = t.made("second", for_ever, 10min);
    co_await t.it.store(key, second);
    const auto loaded = co_await t.it.load(key);
    t.expect(backend_trial::same(loaded, second), "store replaces bytes and times, older or not");
    const bool erased = co_await t.it.erase(key);
    t.expect(erased, "erasing what is there gives true");
    const auto gone = co_await t.it.load(key);
    t.expect(!gone, "what is erased loads as nullopt");
    const bool again = co_await t.it.erase(key);
    t.expect(!again, "erasing a second time gives false");
}

inline awaitable<void> clause_keys(backend_trial& t) {
    std::vector<std::string> keys = {
        t.key("k"),     t.key("K"),        t.key("k "),        t.key("kk"),
        t.key("k/"),    t.key("\xC3\xA9"), t.key("e\xCC\x81"), t.key("\xF0\x9F\x92\xBE"),
        t.key("\"\\\n")};
    std::string longest = t.key("long");
    longest.resize(2048, 'l');
    keys.push_back(longest);
    longest.back() = 'm';
    keys.push_back(longest);
    for (const std::string& key : keys)
        co_await t.it.store(key, t.made("of " + key));
    for (const std::string& key : keys) {
        const auto loaded = co_await t.it.load(key);
        t.expect(loaded && loaded->value == "of " + key,
                 "keys that differ in any byte are different: " + std::to_string(key.size()) +
                     " bytes");
    }
    for (const std::string& key : keys)
        co_await t.it.erase(key);
}

inline awaitable<void> clause_expired(backend_trial& t) {
    for (const ttl lifetime : {ttl(1s), ttl(-1s)}) {
        const std::string key = t.key("expired");
        const record old = t.made("old", lifetime, 1h);
        co_await t.it.store(key, old);
        const auto loaded = co_await t.it.load(key);
        t.expect(!loaded || backend_trial::same(loaded, old),
                 "an expired record loads as it was stored, or not at all");
        record out;
        t.expect(!t.it.load_now(key, out) || !is_fresh(out, t.now),
                 "load_now does not freshen a record");
        co_await t.it.erase(key);
    }
}

inline awaitable<void> clause_touch(backend_trial& t) {
    const std::string key = t.key("touched");
    co_await t.it.erase(key);
    const bool created = co_await t.it.touch(key, t.now, 1h);
    const auto ghost = co_await t.it.load(key);
    t.expect(!created && !ghost, "touching what is not there gives false and creates nothing");

    co_await t.it.store(key, t.made("old", 1s, 1h));
    const bool revived = co_await t.it.touch(key, t.now, 1h);
    const auto dead = co_await t.it.load(key);
    t.expect(!revived && (!dead || !is_fresh(*dead, t.now)),
             "touching what has expired gives false and revives nothing");

    co_await t.it.store(key, t.made("value", 1h, 10s));
    for (const ttl lifetime : {ttl(2h), for_ever, ttl(3h)}) {
        const bool touched = co_await t.it.touch(key, t.now, lifetime);
        const auto loaded = co_await t.it.load(key);
        t.expect(touched && backend_trial::same(loaded, t.made("value", lifetime)),
                 "touching restarts the life of the same bytes");
    }
    co_await t.it.erase(key);
}

inline awaitable<void> clause_store_newer(backend_trial& t) {
    const std::string key = t.key("newer");
    co_await t.it.erase(key);
    const record middle = t.made("middle", 1h, 2s);
    bool stored = co_await t.it.store_newer(key, middle);
    auto loaded = co_await t.it.load(key);
    t.expect(stored && backend_trial::same(loaded, middle), "store_newer stores where nothing is");

    stored = co_await t.it.store_newer(key, t.made("older", 1h, 3s));
    loaded = co_await t.it.load(key);
    t.expect(!stored && backend_trial::same(loaded, middle),
             "store_newer leaves a record that was written later");

    for (const ttl age : {ttl(2s), ttl(1s)}) {
        const record next = t.made("next", 1h, age);
        stored = co_await t.it.store_newer(key, next);
        loaded = co_await t.it.load(key);
        t.expect(stored && backend_trial::same(loaded, next),
                 "store_newer replaces a record that was not written later");
    }
    co_await t.it.erase(key);
}

inline awaitable<void> clause_batches(backend_trial& t) {
    const auto nothing_found = co_await t.it.load_many({});
    const auto nothing_stored = co_await t.it.store_many({});
    const auto nothing_erased = co_await t.it.erase_many({});
    t.expect(nothing_found.empty() && nothing_stored.empty() && nothing_erased.empty(),
             "an empty batch gets an empty answer");

    std::vector<keyed_record> records;
    std::vector<std::string> keys;
    for (int i = 0; i != 230; ++i) {
        keys.push_back(t.key("batch " + std::to_string(i)));
        if (i % 3 != 0) records.emplace_back(keys.back(), t.made("of " + keys.back(), 1h));
    }
    const auto stored = co_await t.it.store_many(records);
    bool all_stored = stored.size() == records.size();
    for (const auto& outcome : stored)
        all_stored = all_stored && outcome.has_value();
    t.expect(all_stored, "store_many answers for every record");

    const auto found = co_await t.it.load_many(keys);
    bool in_order = found.size() == keys.size();
    for (std::size_t i = 0; in_order && i != keys.size(); ++i) {
        const bool expected = i % 3 != 0;
        in_order = found[i].has_value() && found[i]->has_value() == expected &&
                   (!expected || (*found[i])->value == "of " + keys[i]);
    }
    t.expect(in_order, "load_many answers in the order of the keys, nullopt for what is not there");

    const auto erased = co_await t.it.erase_many(keys);
    bool all_erased = erased.size() == keys.size();
    for (const auto& outcome : erased)
        all_erased = all_erased && outcome.has_value();
    t.expect(all_erased, "erase_many succeeds for keys that are there and keys that are not");
    const auto after = co_await t.it.load_many(keys);
    bool none = after.size() == keys.size();
    for (const auto& one : after)
        none = none && one.has_value() && !one->has_value();
    t.expect(none, "what erase_many erased is gone");
}

inline awaitable<void> clause_copies(backend_trial& t) {
    const std::string key = t.key("shared");
    const any_backend copy = t.it;
    co_await copy.store(key, t.made("by a copy"));
    const auto loaded = co_await t.it.load(key);
    t.expect(loaded && loaded->value == "by a copy", "copies of a backend share what they keep");
    co_await t.it.erase(key);
}

inline bool adds_up(const clear_progress& done) {
    return done.scanned == done.deleted + done.kept;
}

inline awaitable<void> clause_clear_expired(backend_trial& t) {
    std::vector<keyed_record> records;
    for (int i = 0; i != 40; ++i) {
        const ttl lifetime = i % 2 == 0 ? ttl(1s) : ttl(3h);
        records.emplace_back(t.key("clear " + std::to_string(i)), t.made("v", lifetime, 2h));
    }
    records.emplace_back(t.key("clear for ever"), t.made("v", for_ever, 2h));
    co_await t.it.store_many(records);
    bool told = false;
    clear_options options;
    options.progress = [&](const clear_progress&) { told = true; };
    const clear_progress done = co_await t.it.clear_expired(options, t.now);
    t.expect(told, "clear_expired reports its progress");
    t.expect(adds_up(done) && done.deleted >= 20 && done.kept >= 21,
             "clear_expired counts what it scanned, deleted and kept");
    for (const auto& [key, stored] : records) {
        const auto loaded = co_await t.it.load(key);
        t.expect(loaded.has_value() == is_fresh(stored, t.now),
                 "clear_expired deletes what has expired and nothing else");
    }
}

inline awaitable<void> clause_clear_all(backend_trial& t) {
    std::vector<std::string> keys;
    for (int i = 0; i != 40; ++i) {
        keys.push_back(t.key("all " + std::to_string(i)));
        co_await t.it.store(keys.back(), t.made("v", i % 2 == 0 ? ttl(1h) : for_ever));
    }
    const clear_progress done = co_await t.it.clear_all({});
    t.expect(adds_up(done) && done.deleted >= 40, "clear_all counts what it deleted");
    const auto after = co_await t.it.load_many(keys);
    bool none = true;
    for (const auto& one : after)
        none = none && one.has_value() && !one->has_value();
    t.expect(none, "after clear_all nothing is left");
    const clear_progress again = co_await t.it.clear_all({});
    t.expect(again.deleted == 0, "clearing an empty backend deletes nothing");
}

struct backend_clause {
    const char* name;
    awaitable<void> (*check)(backend_trial&);
    bool clears;
};

inline constexpr backend_clause backend_clauses[] = {
    {"absent keys", clause_absent, false},
    {"round trips", clause_round_trip, false},
    {"replacing and erasing", clause_replace_and_erase, false},
    {"keys", clause_keys, false},
    {"expired records", clause_expired, false},
    {"touch", clause_touch, false},
    {"store_newer", clause_store_newer, false},
    {"batches", clause_batches, false},
    {"copies", clause_copies, false},
    {"clear_expired", clause_clear_expired, true},
    {"clear_all", clause_clear_all, true},
};

} // namespace detail

inline boost::asio::awaitable<std::vector<std::string>> check_backend(backend_contract contract) {
    std::vector<std::string> broken;
    for (const detail::backend_clause& clause : detail::backend_clauses) {
        if (clause.clears && !contract.clears) continue;
        detail::backend_trial trial(contract, broken);
        try {
            co_await clause.check(trial);
        } catch (const boost::system::system_error& e) {
            if (e.code() == boost::asio::error::operation_aborted) throw;
            broken.push_back(std::string(clause.name) + ": nothing fails; threw " + e.what());
        } catch (const std::exception& e) {
            broken.push_back(std::string(clause.name) + ": nothing fails; threw " + e.what());
        }
    }
    co_return broken;
}

} // namespace codynamo::testing

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
