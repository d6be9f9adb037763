// SPDX-License-Identifier: BSL-1.0
// The store against a simple model: it may have let go of things, but it never has anything else.
#include "cache/memory_store.hpp"
#include "support/catch.hpp"

#include <codynamo/testing/seeded_random.hpp>

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::detail;
using namespace std::chrono_literals;

namespace {

constexpr memory_eviction all_policies[] = {memory_eviction::w_tinylfu, memory_eviction::s3_fifo,
                                            memory_eviction::lru};

struct world {
    world(std::size_t bytes, std::size_t entries, memory_eviction eviction)
        : max_bytes(bytes), max_entries(entries), store(bytes, entries, eviction, random) {}

    node_ptr find(const std::string& key) {
        auto found = store.find(key);
        if (found.node && !found.node->fresh(now)) {
            store.drop(*found.node, now);
            return nullptr;
        }
        if (found.node ? store.note(found) : store.note_miss()) store.maintain(now);
        return found.node;
    }
    void put(const std::string& key, const std::string& value, ttl lifetime) {
        store.put(memory_node::make(key, value, now, lifetime), now);
        const bool fits = key.size() + value.size() + memory_node::overhead_bytes <= max_bytes;
        if (fits)
            model[key] = {value, lifetime == for_ever ? timestamp::max() : now + lifetime};
        else
            model.erase(key);
    }
    /// What the store has is what the model has, and its books are right.
    void check() {
        std::size_t entries = 0;
        std::size_t bytes = 0;
        for (int i = 0; i != keys; ++i) {
            const node_ptr found = store.find(std::to_string(i)).node;
            if (!found) continue;
            ++entries;
            bytes += found->weight();
            REQUIRE(model.contains(std::to_string(i)));
            REQUIRE(found->value() == model[std::to_string(i)].first);
        }
        const memory_stats stats = store.stats();
        REQUIRE(stats.entries == entries);
        REQUIRE(stats.bytes == bytes);
        REQUIRE(entries <= max_entries);
        REQUIRE(bytes <= max_bytes);
    }

    static constexpr int keys = 150;
    testing::seeded_random random{3};
    std::size_t max_bytes;
    std::size_t max_entries;
    memory_store store;
    timestamp now{1000h};
    std::map<std::string, std::pair<std::string, timestamp>> model;
};

void random_step(world& w, std::mt19937_64& random) {
    const std::string key = std::to_string(random() % world::keys);
    const auto what = random() % 100;
    if (what < 50) {
        const node_ptr found = w.find(key);
        if (found) {
            REQUIRE(w.model.contains(key));
            REQUIRE(found->value() == w.model[key].first);
            REQUIRE(w.now < w.model[key].second);
        }
    } else if (what < 85) {
        const ttl lifetimes[] = {for_ever, 1s, 30s, 1h, -1s};
        const std::size_t size = random() % 10 == 0 ? random() % 3000 : random() % 200;
        const std::string value(size, static_cast<char>('a' + random() % 26));
        const ttl lifetime = lifetimes[random() % 5];
        w.put(key, value, lifetime);
        const bool fits = key.size() + size + memory_node::overhead_bytes <= w.max_bytes;
        // It may have expired at once, and been dropped by the maintenance that follows.
        if (fits && lifetime != ttl(-1s)) REQUIRE(w.store.find(key).node);
        if (!fits) REQUIRE_FALSE(w.store.find(key).node);
    } else if (what < 92) {
        const bool there = w.store.find(key).node != nullptr;
        REQUIRE(w.store.erase(key, w.now) == there);
        w.model.erase(key);
    } else {
        w.now += std::chrono::milliseconds(random() % 20'000);
        w.store.maintain(w.now);
    }
}

} // namespace

TEST_CASE("a memory store is a subset of the model, with its books right") {
    for (const memory_eviction eviction : all_policies) {
        for (const auto& [bytes, entries] : {std::pair<std::size_t, std::size_t>{5'000, 1000},
                                             {1 << 20, 1},
                                             {1 << 20, 2},
                                             {1 << 20, 40},
                                             {150, 1000},
                                             {20'000, 60},
                                             {1 << 24, 1000}}) {
            INFO(bytes << " bytes, " << entries << " entries");
            world w(bytes, entries, eviction);
            std::mt19937_64 random(bytes + entries);
            for (int i = 0; i != 6000; ++i) {
                random_step(w, random);
                if (i % 300 == 0) w.check();
                if (i == 4000) {
                    const std::size_t held = w.store.stats().entries;
                    REQUIRE(w.store.clear() == held);
                    w.model.clear();
                }
            }
            w.check();
        }
    }
}

TEST_CASE("values of very different sizes set again and again leave a memory whole") {
    for (const memory_eviction eviction : all_policies) {
        world w(10'000, 1'000'000, eviction);
        const std::pair<int, std::size_t> sets[] = {{1, 0},    {0, 1000}, {1, 0},   {1, 9000},
                                                    {1, 1000}, {0, 9000}, {1, 1000}};
        for (int i = 0; i != 2000; ++i)
            for (const auto& [key, size] : sets)
                w.put(std::to_string(key), std::string(size, 'v'), for_ever);
        w.check();
    }
}

TEST_CASE("what was stored last is there, whatever its key, its size and the policy") {
    for (const memory_eviction eviction : all_policies) {
        for (const std::size_t bytes : {1'000U, 2'500U, 10'000U, 100'000U}) {
            INFO("policy " << static_cast<int>(eviction) << ", " << bytes << " bytes");
            world w(bytes, 1'000'000, eviction);
            std::mt19937_64 random(bytes);
            for (int i = 0; i != 5'000; ++i) {
                const std::string key = std::to_string(random() % 20);
                if (random() % 2 == 0) (void)w.find(key);
                w.put(key, std::string(random() % (bytes - 100), 'v'), for_ever);
                REQUIRE(w.store.find(key).node);
            }
            for (const char key : {'C', 'B', 'E', 'B', 'A', 'B', 'C', 'E'}) { // S3-FIFO lost the E
                const bool was_there = w.find({key}) != nullptr;
                w.put({key}, std::string(300, 'v'), for_ever);
                if (!was_there) (void)w.find({key});
                REQUIRE(w.store.find(std::string(1, key)).node);
            }
        }
    }
}

TEST_CASE("nothing is lost from a memory that has room") {
    for (const memory_eviction eviction : all_policies) {
        testing::seeded_random seed(1);
        memory_store store(std::size_t{1} << 30, 100'000, eviction, seed);
        for (int i = 0; i != 20'000; ++i)
            store.put(memory_node::make(std::to_string(i), "v", {}, for_ever), {});
        for (int i = 0; i < 20'000; i += 3)
            REQUIRE(store.erase(std::to_string(i), {}));
        for (int i = 0; i != 20'000; ++i)
            REQUIRE((store.find(std::to_string(i)).node != nullptr) == (i % 3 != 0));
        CHECK(store.stats().evicted == 0);
    }
}

TEST_CASE("what expires is dropped by the operations after it, a few at a time") {
    world w(1 << 24, 10'000, memory_eviction::w_tinylfu);
    for (int i = 0; i != 1000; ++i)
        w.store.put(memory_node::make("short" + std::to_string(i), "v", w.now, 1s), w.now);
    w.now += 5s;
    CHECK(w.store.stats().entries == 1000);
    w.store.maintain(w.now);
    const std::size_t left = w.store.stats().entries;
    CHECK(left < 1000);
    CHECK(left >= 1000 - 64);
    for (int i = 0; i != 50; ++i)
        w.store.put(memory_node::make("k", "v", w.now, for_ever), w.now);
    CHECK(w.store.stats().entries == 1);
    CHECK(w.store.stats().evicted == 0);
}

TEST_CASE("expired records are dropped by operations of every kind") {
    struct row {
        const char* words;
        std::function<void(world&)> once;
    };
    const row rows[] = {
        {"hits", [](world& w) { REQUIRE(w.find("kept")); }},
        {"misses", [](world& w) { REQUIRE_FALSE(w.find("none")); }},
        {"erases of nothing", [](world& w) { REQUIRE_FALSE(w.store.erase("none", w.now)); }},
        {"sets", [](world& w) { w.put("kept", "v", for_ever); }},
        {"refused sets",
         [](world& w) {
             REQUIRE_FALSE(w.store.put(memory_node::make("kept", "v", {}, for_ever), w.now,
                                       memory_store::condition::if_newer));
         }},
    };
    for (const row& each : rows) {
        INFO(each.words);
        world w(1 << 24, 100'000, memory_eviction::w_tinylfu);
        w.put("kept", "v", for_ever);
        for (int i = 0; i != 5'000; ++i)
            w.store.put(memory_node::make("short" + std::to_string(i), "v", w.now, 1s), w.now);
        w.now += 1h;
        // No operation drops more than 64, and each pays for one.
        std::size_t before = w.store.stats().entries;
        for (int i = 0; i != 6'000; ++i) {
            each.once(w);
            const std::size_t left = w.store.stats().entries;
            REQUIRE(left + 64 >= before);
            before = left;
        }
        CHECK(w.store.stats().entries == 1);
        CHECK(w.store.stats().evicted == 0);
    }
}

TEST_CASE("conditions of a put are judged against what is there") {
    world w(1 << 20, 10, memory_eviction::w_tinylfu);
    using enum memory_store::condition;
    const auto at = [](std::chrono::seconds when) {
        return memory_node::make("k", std::to_string(when.count()), timestamp(when), for_ever);
    };
    const node_ptr other = at(1s);
    CHECK_FALSE(w.store.put(at(1s), w.now, if_same, other.get()));
    CHECK(w.store.put(at(5s), w.now, if_newer));
    CHECK_FALSE(w.store.put(at(4s), w.now, if_newer));
    CHECK(w.store.put(at(5s), w.now, if_newer));
    const node_ptr there = w.store.find("k").node;
    CHECK(w.store.put(at(2s), w.now, if_same, there.get()));
    CHECK_FALSE(w.store.put(at(3s), w.now, if_same, there.get()));
    CHECK(w.store.find("k").node->value() == "2");
    w.store.drop(*there, w.now); // another one is there by now
    CHECK(w.store.find("k").node);
}

TEST_CASE("conditions of a put that is too heavy are judged as well") {
    world w(1'000, 10, memory_eviction::w_tinylfu);
    using enum memory_store::condition;
    const auto at = [](std::chrono::seconds written, std::size_t size) {
        return memory_node::make("k", std::string(size, 'v'), timestamp(written), for_ever);
    };
    CHECK(w.store.fits(1, 1'000 - 1 - memory_node::overhead_bytes));
    CHECK_FALSE(w.store.fits(1, 1'000 - memory_node::overhead_bytes));
    CHECK(w.store.put(at(5s, 10), w.now));
    CHECK_FALSE(w.store.put(at(4s, 1'000), w.now, if_newer));
    CHECK_FALSE(w.store.put_too_heavy("k", timestamp(4s), w.now, if_newer));
    const node_ptr other = at(5s, 10);
    CHECK_FALSE(w.store.put(at(6s, 1'000), w.now, if_same, other.get()));
    CHECK(w.store.find("k").node);
    CHECK(w.store.put_too_heavy("none", timestamp(4s), w.now, if_newer));
    CHECK(w.store.put_too_heavy("k", timestamp(5s), w.now, if_newer));
    CHECK_FALSE(w.store.find("k").node);
    CHECK(w.store.put(at(5s, 10), w.now));
    CHECK(w.store.put(at(1s, 1'000), w.now));
    CHECK_FALSE(w.store.find("k").node);
    CHECK(w.store.stats().bytes == 0);
}

TEST_CASE("small values are copied into strings that have room, others are shared") {
    world w(1 << 20, 10, memory_eviction::w_tinylfu);
    w.put("small", std::string(100, 's'), for_ever);
    w.put("large", std::string(1000, 'l'), 1h);
    record out;
    CHECK(w.store.find("small", out).node);
    out.value.reserve(2000);
    CHECK(w.store.find("small", out).copied);
    CHECK(out.value == std::string(100, 's'));
    CHECK(out.lifetime == for_ever);
    const auto large = w.store.find("large", out);
    CHECK_FALSE(large.copied);
    CHECK(large.node->value().size() == 1000);
    const auto none = w.store.find("none", out);
    CHECK_FALSE(none.copied);
    CHECK_FALSE(none.node);
}

TEST_CASE("a full read buffer says so, loses what comes, and is empty after draining") {
    const auto buffer = std::make_unique<read_buffer>();
    std::size_t accepted = 1;
    while (buffer->add({static_cast<entry_id>(accepted), 0}))
        ++accepted;
    CHECK(accepted == read_buffer::capacity);
    CHECK_FALSE(buffer->add({7, 7}));
    std::vector<entry_id> seen;
    const auto collect = [&](const read_buffer::read* reads, std::size_t count) {
        for (std::size_t i = 0; i != count; ++i)
            seen.push_back(reads[i].entry);
    };
    buffer->drain(collect);
    REQUIRE(seen.size() == read_buffer::capacity);
    CHECK(seen.front() == 1);
    CHECK(seen.back() == read_buffer::capacity);
    buffer->drain(collect);
    CHECK(seen.size() == read_buffer::capacity);
    CHECK(buffer->add({0, 0}));
}
