// SPDX-License-Identifier: BSL-1.0
#include "cache/eviction_policy.hpp"
#include "cache/frequency_sketch.hpp"
#include "cache/keyed_hash.hpp"
#include "cache/s3_fifo_policy.hpp"
#include "cache/w_tinylfu_policy.hpp"
#include "cache/window_tuner.hpp"
#include "support/catch.hpp"

#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::detail;

namespace {

std::uint32_t hash_of(std::size_t number) {
    return static_cast<std::uint32_t>(siphash({1, 2}, std::to_string(number)) >> 32);
}

/// A policy with a table of its own; entries by their keys, all of one weight.
template <class Policy>
struct driven {
    template <class... More>
    explicit driven(std::size_t entries, More... more)
        : capacity(entries), policy(table, memory_load{entries, std::size_t{1} << 40}, more...) {}

    bool access(const std::string& key) {
        const auto at = ids.find(key);
        if (at != ids.end()) {
            policy.on_use(at->second);
            return true;
        }
        REQUIRE(table.shard(0).reserve());
        policy.reserve({ids.size() + 1, 100 * (ids.size() + 1)});
        const std::uint64_t hash = siphash({1, 2}, key);
        const auto made = table.shard(0).insert(static_cast<std::uint32_t>(hash >> 32),
                                                memory_node::make(key, "v", {}, for_ever));
        const entry_id id = memory_table::id_of(0, made);
        ids.emplace(key, id);
        policy.on_insert(id);
        while (ids.size() > capacity)
            remove(std::string(table[policy.victim(id)].node->key()));
        return false;
    }
    void remove(const std::string& key) {
        const entry_id id = ids.at(key);
        policy.on_remove(id);
        (void)table.shard(0).remove(memory_table::index_of(id));
        ids.erase(key);
    }
    std::string held() const {
        return std::accumulate(ids.begin(), ids.end(), std::string(),
                               [](std::string a, const auto& b) { return a + b.first; });
    }

    std::size_t capacity;
    memory_table table;
    Policy policy;
    std::map<std::string, entry_id> ids;
};

struct plain_node {
    std::uint16_t newer = 0;
    std::uint16_t older = 0;
    std::uint8_t segment = 0;
};
struct plain_links {
    using id = std::uint16_t;
    static constexpr id none = 0xffff;
    std::vector<plain_node>* nodes;
    plain_node& operator[](id at) const { return (*nodes)[at]; }
    [[nodiscard]] std::size_t weight(id) const { return 1; }
};

std::string number(int i) {
    return "n" + std::to_string(i);
}

} // namespace

TEST_CASE("SipHash-1-3 gives what its authors' code gives") {
    const hash_seed seed{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
    CHECK(siphash(seed, "") == 0xabac0158050fc4dcU);
    std::set<std::uint64_t> seen;
    std::string text;
    for (int i = 0; i != 40; ++i, text += '\0')
        seen.insert(siphash(seed, text));
    CHECK(seen.size() == 40); // lengths count
}

TEST_CASE("keys that meet under one seed are spread under another") {
    std::vector<std::string> meeting;
    for (int i = 0; meeting.size() != 200; ++i)
        if ((siphash({1, 1}, std::to_string(i)) >> 32 & 255) == 7)
            meeting.push_back(std::to_string(i));
    std::set<std::uint64_t> places;
    for (const std::string& key : meeting)
        places.insert(siphash({2, 1}, key) >> 32 & 255);
    CHECK(places.size() > 100); // 138 expected of 256
}

TEST_CASE("a sketch counts to 15 and never too little") {
    frequency_sketch sketch;
    CHECK(sketch.estimate(hash_of(1)) == 0);
    sketch.count(hash_of(1)); // no room yet: nothing happens
    sketch.reserve(1000);
    sketch.set_period(1'000'000);
    for (unsigned key = 0; key != 1000; ++key)
        for (unsigned i = 0; i != key % 20; ++i)
            sketch.count(hash_of(key));
    unsigned exact = 0;
    for (unsigned key = 0; key != 1000; ++key) {
        const unsigned counted = std::min(key % 20, 15U);
        REQUIRE(sketch.estimate(hash_of(key)) >= counted);
        exact += sketch.estimate(hash_of(key)) == counted ? 1U : 0U;
    }
    CHECK(exact > 950);
}

TEST_CASE("a sketch halves its counters when its period is over") {
    frequency_sketch sketch;
    sketch.reserve(100);
    sketch.set_period(12);
    for (int i = 0; i != 11; ++i)
        sketch.count(hash_of(1));
    CHECK(sketch.estimate(hash_of(1)) == 11);
    sketch.count(hash_of(2));
    CHECK(sketch.estimate(hash_of(1)) == 5);
    CHECK(sketch.estimate(hash_of(2)) == 0);
}

TEST_CASE("a sketch keeps what it counted when it grows") {
    frequency_sketch sketch;
    sketch.reserve(10);
    const std::size_t before = sketch.words();
    for (std::size_t key = 0; key != 10; ++key)
        for (std::size_t i = 0; i != key; ++i)
            sketch.count(hash_of(key));
    sketch.reserve(10'000);
    CHECK(sketch.words() > before);
    for (std::size_t key = 0; key != 10; ++key)
        CHECK(sketch.estimate(hash_of(key)) >= key);
    sketch.clear();
    CHECK(sketch.estimate(hash_of(9)) == 0);
}

TEST_CASE("each policy holds as much as it may and hits what it holds") {
    for (const std::size_t capacity : {1U, 2U, 3U, 7U, 50U}) {
        for (const auto which :
             {memory_eviction::w_tinylfu, memory_eviction::s3_fifo, memory_eviction::lru}) {
            struct made {
                made(const memory_table& table, memory_load bound, memory_eviction e)
                    : it(make_eviction_policy(e, table, bound, 1)) {}
                void reserve(memory_load held) { it->reserve(held); }
                void on_insert(entry_id e) { it->on_insert(e); }
                void on_use(entry_id e) { it->on_use(e); }
                void on_remove(entry_id e) { it->on_remove(e); }
                entry_id victim(entry_id spared) { return it->victim(spared); }
                std::unique_ptr<eviction_policy> it;
            };
            driven<made> m(capacity, which);
            CHECK(m.policy.victim(no_entry) == no_entry);
            std::uint32_t state = 1;
            for (int i = 0; i != 3000; ++i) {
                state = state * 1664525 + 1013904223;
                const std::string key = number(static_cast<int>(state >> 24) % 120);
                const bool held = m.ids.contains(key);
                REQUIRE(m.access(key) == held);
                REQUIRE(m.ids.contains(key)); // what came last is there
                if (i % 17 == 0) m.remove(key);
            }
            CHECK(m.ids.size() + 1 >= std::min<std::size_t>(capacity, 100));
        }
    }
}

TEST_CASE("W-TinyLFU keeps what is used often through a scan") {
    driven<w_tinylfu_policy> m(100, std::uint64_t{1});
    for (int round = 0; round != 5; ++round)
        for (int i = 0; i != 80; ++i)
            m.access(number(i));
    for (int i = 1000; i != 3000; ++i)
        m.access(number(i));
    int kept = 0;
    for (int i = 0; i != 80; ++i)
        kept += m.ids.contains(number(i)) ? 1 : 0;
    CHECK(kept > 70);
}

TEST_CASE("W-TinyLFU hits in a loop that is longer than the memory") {
    driven<w_tinylfu_policy> m(100, std::uint64_t{1});
    int hits = 0;
    for (int i = 0; i != 20'000; ++i)
        hits += m.access(number(i % 200)) ? 1 : 0;
    CHECK(hits > 8'000); // the optimum is half of them
}

TEST_CASE("W-TinyLFU's window grows where recency counts and shrinks where frequency does") {
    driven<w_tinylfu_policy> m(200, std::uint64_t{1});
    CHECK(m.policy.window() == window_tuner::windows[0]);
    for (int i = 0; i != 40'000; ++i) // each key is used a few times in a short while, then never
        m.access(number(i / 4 + i * 7 % 120));
    CHECK(m.policy.window() >= 0.5);
    CHECK(m.policy.window_load().entries > 90);
    for (int i = 0; i != 200'000; ++i)
        m.access(number(100'000 + i % 400));
    CHECK(m.policy.window() <= 0.15);
    CHECK(m.policy.window_load().entries < 40);
}

TEST_CASE("the loser of a contest leaves, but for luck") {
    std::vector<plain_node> nodes(3);
    window_segments<plain_links> segments(plain_links{&nodes}, {2, 100}, 0.01);
    for (std::uint16_t id = 0; id != 3; ++id)
        segments.insert(id);
    REQUIRE(segments.over());
    struct row {
        unsigned candidate, resident;
        bool luck;
        std::uint16_t leaves;
    };
    for (const row& r : {row{3, 2, false, 0}, row{2, 2, false, 1}, row{5, 9, true, 1},
                         row{7, 15, false, 1}, row{7, 15, true, 0}}) {
        INFO(r.candidate << " against " << r.resident);
        const auto uses = [&](std::uint16_t id) { return id == 1 ? r.candidate : r.resident; };
        CHECK(segments.victim(
                  uses, [&] { return r.luck; }, 0xffff) == r.leaves);
    }
}

TEST_CASE("a tuner follows so many keys at most, and few entries do not make it follow fewer") {
    frequency_sketch sketch;
    sketch.reserve(1000);
    window_tuner large({1'000'000, std::size_t{1} << 40});
    for (std::size_t i = 0; i != 100'000; ++i) {
        large.reserve();
        (void)large.use(hash_of(i), 100, sketch);
    }
    CHECK(large.sampling() >= 6); // 100,000 keys into 1024 places
    CHECK(large.sampling() <= 8);
    window_tuner small({5, std::size_t{1} << 40});
    for (std::size_t i = 0; i != 100'000; ++i) {
        small.reserve();
        (void)small.use(hash_of(i), 100, sketch);
    }
    CHECK(small.sampling() == 0);
    small.clear();
    CHECK_FALSE(small.use(hash_of(1), 100, sketch));
}

TEST_CASE("a tuner follows more keys again when entries have become larger") {
    frequency_sketch sketch;
    sketch.reserve(1000);
    window_tuner tuner({1'000'000, std::size_t{64} << 20});
    for (std::size_t i = 0; i != 200'000; ++i) {
        tuner.reserve();
        (void)tuner.use(hash_of(i), 100, sketch);
    }
    CHECK(tuner.sampling() >= 7);
    for (std::size_t i = 0; i != 200'000; ++i) { // about 1000 fit
        tuner.reserve();
        (void)tuner.use(hash_of(i % 2000), 65'000, sketch);
    }
    CHECK(tuner.sampling() <= 3);
    CHECK(tuner.followed_keys() >= window_tuner::fewest_keys);
    for (std::size_t i = 0; i != 200'000; ++i) {
        tuner.reserve();
        (void)tuner.use(hash_of(i), 100, sketch);
    }
    CHECK(tuner.sampling() >= 7);
    tuner.clear();
    CHECK(tuner.sampling() == 0);
}

TEST_CASE("the key that is used is followed, however small the simulations are") {
    frequency_sketch sketch;
    sketch.reserve(1000);
    for (const std::size_t entries : {1U, 2U, 3U, 10U, 5000U}) {
        window_tuner tuner({entries, 10'000});
        std::uint32_t state = 1;
        bool is_followed = true;
        for (int i = 0; i != 50'000; ++i) {
            state = state * 1664525 + 1013904223;
            tuner.reserve();
            const std::size_t sizes[] = {96, 1096, 9096, 9990, 10'000, 10'001};
            sketch.count(hash_of(state >> 24));
            const std::size_t size = sizes[(state >> 16 & 255) % 6];
            (void)tuner.use(hash_of(state >> 24), size, sketch);
            is_followed = is_followed && (size > 10'000 || tuner.followed_keys() != 0);
            if (i % 10'000 == 0) tuner.clear();
        }
        CHECK(is_followed);
        CHECK(tuner.followed_keys() <= 4 * std::min<std::size_t>(entries, 10'000 / 96));
        tuner.clear();
        CHECK(tuner.followed_keys() == 0);
    }
}

TEST_CASE("S3-FIFO lets go first of what was not used again") {
    driven<s3_fifo_policy> m(10);
    for (const char* key : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"})
        m.access(key);
    for (const char* key : {"a", "a", "c", "c"})
        m.access(key);
    for (const char* key : {"k", "l", "m"})
        m.access(key);
    CHECK(m.held() == "acfghijklm");
    m.access("b"); // a ghost: straight into the main queue
    CHECK(m.held() == "abcghijklm");
    for (int i = 0; i != 50; ++i)
        m.access(number(i));
    CHECK(m.ids.contains("b"));
}

TEST_CASE("ghosts are remembered for so long and once") {
    ghost_queue ghosts;
    CHECK_FALSE(ghosts.take(1, 10));
    ghosts.reserve(64);
    for (std::uint32_t i = 0; i != 20; ++i)
        ghosts.add(hash_of(i));
    CHECK_FALSE(ghosts.take(hash_of(5), 10));
    CHECK(ghosts.take(hash_of(15), 10));
    CHECK_FALSE(ghosts.take(hash_of(15), 10));
    ghosts.reserve(1000);
    CHECK(ghosts.take(hash_of(16), 10));
    ghosts.clear();
    CHECK_FALSE(ghosts.take(hash_of(17), 10));
}
