// SPDX-License-Identifier: BSL-1.0
#include "cache/timer_wheel.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>

using namespace codynamo;
using namespace codynamo::detail;
using namespace std::chrono_literals;

namespace {

constexpr auto lateness = std::chrono::microseconds(1 << 20);

struct wheel {
    entry_id add(timestamp written, ttl lifetime, timestamp now) {
        REQUIRE(table.shard(0).reserve());
        const entry_id id = memory_table::id_of(
            0, table.shard(0).insert(0, memory_node::make("k", "v", written, lifetime)));
        it.schedule(id, now);
        return id;
    }
    /// All that is due, `budget` at a time.
    std::vector<entry_id> due(timestamp now, int budget = 1'000'000) {
        std::vector<entry_id> found;
        for (;;) {
            int left = budget;
            const entry_id one = it.next_due(now, left);
            if (one != no_entry)
                found.push_back(one);
            else if (left != 0)
                return found;
        }
    }

    memory_table table;
    timer_wheel it{table};
};

const timestamp start = timestamp(std::chrono::hours(24 * 365 * 56)) + 123'456us;

} // namespace

TEST_CASE("an entry is due after its deadline and at most a tick late") {
    for (const ttl lifetime :
         {ttl(1us), ttl(1ms), ttl(1s), ttl(63s), ttl(65s), ttl(67s), ttl(1h), ttl(71min), ttl(75h),
          ttl(80h), ttl(24h * 100), ttl(24h * 202), ttl(24h * 1000)}) {
        INFO(lifetime.count());
        wheel w;
        const entry_id id = w.add(start, lifetime, start);
        CHECK(w.due(start).empty());
        CHECK(w.due(start + lifetime / 2).empty());
        CHECK(w.due(start + lifetime - 1us).empty());
        CHECK(w.it.size() == 1);
        CHECK(w.due(start + lifetime + lateness) == std::vector<entry_id>{id});
        CHECK(w.it.size() == 0);
    }
}

TEST_CASE("what has expired, never will, or is out of all bounds finds its place") {
    wheel w;
    const entry_id negative = w.add(start, -1s, start);
    const entry_id past = w.add(start - 10h, 1h, start);
    const entry_id ages = w.add(start, ttl::max(), start);
    const entry_id early = w.add(timestamp::min(), 1us, start);
    CHECK(w.it.size() == 4);
    auto found = w.due(start + lateness);
    std::sort(found.begin(), found.end());
    CHECK(found == std::vector<entry_id>{negative, past, early});
    CHECK(w.due(start + std::chrono::hours(24 * 365 * 100)).empty());
    w.it.cancel(ages);
    w.it.cancel(ages);
    CHECK(w.it.size() == 0);
}

TEST_CASE("an entry is due in its time after the clock has gone back") {
    for (const auto back : {2s, 65s, 7200s, 24 * 3600s, 400 * 24 * 3600s}) {
        INFO(back.count() << " s back");
        wheel w;
        const timestamp ahead = start + back;
        std::map<entry_id, timestamp> waiting;
        for (const ttl lifetime : {ttl(1s), ttl(70s), ttl(2h), ttl(90h), ttl(24h * 300)}) {
            waiting[w.add(ahead, lifetime, ahead)] = ahead + lifetime;
            waiting[w.add(ahead - lifetime, 1s + lifetime + lifetime, ahead)] =
                ahead + 1s + lifetime;
        }
        CHECK(w.due(ahead).empty());
        waiting[w.add(start, 5s, start)] = start + 5s;
        CHECK(w.due(start).empty());
        timestamp now = start;
        while (!waiting.empty()) {
            const auto next =
                std::min_element(waiting.begin(), waiting.end(),
                                 [](const auto& a, const auto& b) { return a.second < b.second; });
            now = std::max(now, next->second - 1us);
            for (const entry_id id : w.due(now, 3)) {
                REQUIRE(waiting.contains(id));
                REQUIRE(waiting[id] <= now);
                waiting.erase(id);
            }
            for (const auto& [id, when] : waiting)
                REQUIRE(when + lateness > now);
            now += 1us + lateness;
        }
        CHECK(w.it.size() == 0);
    }
}

TEST_CASE("what was due before the clock went back is gone a minute after it is due again") {
    wheel w;
    const entry_id id = w.add(start, 10s, start + 1h);
    CHECK(w.due(start).empty());
    CHECK(w.due(start + 10s - 1us).empty());
    CHECK(w.due(start + 10s + 68s) == std::vector<entry_id>{id});
}

TEST_CASE("after a clock that was far behind, what is due is found in a few steps") {
    constexpr int few = 5'000; // buckets of all levels, and moves of the entries
    for (const timestamp behind : {timestamp::min(), timestamp(), start - 24h * 1000}) {
        INFO(behind.time_since_epoch().count());
        wheel w;
        std::vector<entry_id> due;
        std::vector<entry_id> waiting;
        for (const ttl lifetime : {ttl(1s), ttl(65s), ttl(71min), ttl(75h), ttl(24h * 150)}) {
            due.push_back(w.add(start - lifetime, lifetime, start));
            due.push_back(w.add(start, lifetime, start));
            waiting.push_back(w.add(start, 24h * 400 + lifetime, start));
        }
        CHECK(w.due(behind).empty());
        due.push_back(w.add(start, 1h, behind));
        const timestamp now = start + 24h * 151;
        std::vector<entry_id> expired;
        int budget = few;
        for (entry_id id; (id = w.it.next_due(now, budget)) != no_entry;)
            expired.push_back(id);
        CHECK(budget > 0);
        std::sort(expired.begin(), expired.end());
        std::sort(due.begin(), due.end());
        CHECK(expired == due);
        CHECK(w.it.size() == waiting.size());
        expired = w.due(start + 24h * 1000);
        std::sort(expired.begin(), expired.end());
        CHECK(expired == waiting);
    }
}

TEST_CASE("a call looks at no more than its budget, and the next goes on there") {
    wheel w;
    for (int i = 0; i != 500; ++i)
        w.add(start, std::chrono::seconds(i % 5 == 0 ? 3 : 100), start);
    const auto all = w.due(start + 200s, 7);
    CHECK(all.size() == 500);
    int none = 0;
    CHECK(w.it.next_due(start + 300s, none) == no_entry);
}

TEST_CASE(
    "random deadlines come due in their time by a clock that goes both ways, each once, unless "
    "they are cancelled") {
    std::mt19937_64 random(7);
    wheel w;
    std::map<entry_id, timestamp> waiting;
    timestamp now = start;
    for (int i = 0; i != 20'000; ++i) {
        const auto scale = std::uniform_int_distribution<int>(0, 44)(random);
        const ttl lifetime(1 + static_cast<std::int64_t>(random() >> (63 - scale)));
        if (i % 3 != 0) waiting[w.add(now, lifetime, now)] = now + lifetime;
        if (i % 11 == 0 && !waiting.empty()) {
            w.it.cancel(waiting.begin()->first);
            (void)w.table.shard(0).remove(memory_table::index_of(waiting.begin()->first));
            waiting.erase(waiting.begin());
        }
        const auto passed = std::chrono::microseconds(random() >> (63 - std::min(scale, 33)) >> 2);
        now += random() % 8 == 0 ? -passed : passed;
        for (const entry_id id : w.due(now, 1 + i % 40)) {
            REQUIRE(waiting.contains(id));
            REQUIRE(waiting[id] <= now);
            waiting.erase(id);
            (void)w.table.shard(0).remove(memory_table::index_of(id));
        }
        REQUIRE(w.it.size() == waiting.size());
        if (i % 500 == 0)
            for (const auto& [id, when] : waiting)
                REQUIRE(when + lateness > now);
    }
}
