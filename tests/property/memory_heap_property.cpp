// SPDX-License-Identifier: BSL-1.0
// What a memory takes from the heap, whatever its history.
#include "cache/memory_store.hpp"
#include "property/check.hpp"
#include "property/live_heap.hpp"

#include <codynamo/memory_backend.hpp>
#include <codynamo/testing/seeded_random.hpp>

#include <optional>
#include <ostream>
#include <random>

using namespace codynamo;
using namespace codynamo::detail;
using namespace std::chrono_literals;

namespace {

constexpr memory_eviction all_policies[] = {memory_eviction::w_tinylfu, memory_eviction::s3_fifo,
                                            memory_eviction::lru};

/// A memory whose heap is looked at after every change. Remembers nothing that takes memory.
class watched_memory {
public:
    watched_memory(std::size_t bytes, std::size_t entries, memory_eviction eviction)
        : max_bytes(bytes), before_(property::live_heap()), random_(7) {
        store.emplace(bytes, entries, eviction, random_);
    }
    void set(std::uint64_t key, std::size_t size, ttl lifetime = for_ever) {
        std::string text = "key" + std::to_string(key);
        std::string value(size, 'v');
        store->put(memory_node::make(text, value, now, lifetime), now);
        std::string().swap(text);
        std::string().swap(value);
        most = std::max(most, heap());
    }
    /// Whether it is there.
    bool get(std::uint64_t key) {
        const auto found = store->find("key" + std::to_string(key));
        if (found.node && store->note(found)) store->maintain(now);
        return found.node != nullptr;
    }
    [[nodiscard]] std::size_t heap() const { return property::live_heap() - before_; }
    [[nodiscard]] std::size_t bound() const { return max_bytes + max_bytes / 20 + 200 * 1024; }

    std::size_t max_bytes;
    std::size_t most = 0;
    timestamp now{1000h};

private:
    std::size_t before_;
    testing::seeded_random random_;

public:
    std::optional<memory_store> store;
};

struct memory_bounds {
    std::size_t bytes = 0;
    std::size_t entries = 0;
};
std::ostream& operator<<(std::ostream& out, const memory_bounds& of) {
    return out << of.bytes << " bytes, " << of.entries << " entries";
}

constexpr std::size_t most_phases = 12;

/// The largest that is kept under any key of these tests.
constexpr std::size_t largest_value(std::size_t max_bytes) {
    constexpr std::size_t longest_key = 24;
    return max_bytes - memory_node::overhead_bytes - longest_key;
}

/// Many operations of one kind.
struct phase {
    enum kind { fill, flood, reuse, read, erase, expire, clear };
    kind what = fill;
    std::size_t count = 0;
    std::size_t size = 0; ///< of values, at most; in thousandths of the largest
    bool same_size = false;
};
std::ostream& operator<<(std::ostream& out, const phase& of) {
    constexpr const char* words[] = {"fill", "flood", "reuse", "read", "erase", "expire", "clear"};
    return out << words[of.what] << " " << of.count << " of " << of.size
               << (of.same_size ? "" : " at most");
}

rc::Gen<memory_bounds> any_bounds() {
    return rc::gen::map(
        rc::gen::pair(rc::gen::weightedElement<std::size_t>(
                          {{4, 10'000}, {4, 300'000}, {4, 1'000'000}, {2, 16 << 20}}),
                      rc::gen::element<std::size_t>(1'000'000, 100)),
        [](const auto& of) {
            return memory_bounds{of.first, of.second};
        });
}

rc::Gen<phase> any_phase() {
    using enum phase::kind;
    return rc::gen::map(
        rc::gen::tuple(
            rc::gen::weightedElement<phase::kind>({{8, fill},
                                                   {2, flood},
                                                   {3, reuse},
                                                   {3, read},
                                                   {3, erase},
                                                   {1, expire},
                                                   {1, clear}}),
            rc::gen::inRange<std::size_t>(0, 60),
            rc::gen::weightedOneOf<std::size_t>({{4, rc::gen::just<std::size_t>(0)},
                                                 {4, rc::gen::inRange<std::size_t>(0, 10)},
                                                 {1, rc::gen::inRange<std::size_t>(0, 400)},
                                                 {2, rc::gen::just<std::size_t>(1000)}}),
            rc::gen::arbitrary<bool>()),
        [](const auto& of) {
            const std::size_t size = std::get<2>(of);
            // Small ones are what it takes many of to fill a memory.
            const std::size_t count = std::get<1>(of) * (size == 0 ? 40 : size < 10 ? 6 : 1);
            return phase{std::get<0>(of), count, size, std::get<3>(of)};
        });
}

/// Of the empty values that a memory holds, as many as make its table and policy wide.
std::size_t flood_of(std::size_t max_bytes) {
    return max_bytes / 128;
}

std::size_t apply(watched_memory& m, const phase& of, std::mt19937_64& random,
                  std::uint64_t& next) {
    if (of.what == phase::clear) m.store->clear();
    if (of.what == phase::expire) m.now += 1h;
    for (std::size_t i = 0; of.what == phase::flood && i != flood_of(m.max_bytes); ++i) {
        m.set(++next, 0);
        RC_ASSERT(m.most <= m.bound());
    }
    for (std::size_t i = 0; i != of.count; ++i) {
        const std::size_t most = largest_value(m.max_bytes) * of.size / 1000;
        const std::size_t size = of.same_size || most == 0 ? most : random() % most;
        const std::uint64_t old = next - random() % (next / 2 + 1);
        switch (of.what) {
        case phase::flood: // and then
        case phase::fill:
            m.set(++next, size, i % 3 == 0 ? ttl(10min) : for_ever);
            break;
        case phase::reuse:
            m.set(old, size);
            break;
        case phase::read:
            (void)m.get(old);
            break;
        case phase::erase:
            (void)m.store->erase("key" + std::to_string(old), m.now);
            break;
        case phase::expire:
            m.store->maintain(m.now);
            break;
        case phase::clear:
            break;
        }
        RC_ASSERT(m.store->stats().bytes <= m.max_bytes);
        RC_ASSERT(m.most <= m.bound());
    }
    return of.count;
}

} // namespace

TEST_CASE("a memory takes 1.05 times its bound and 200 KiB at most, whatever its history") {
    for (const memory_eviction eviction : all_policies) {
        INFO("policy " << static_cast<int>(eviction));
        property::check(any_bounds(), any_phase(), 10'000,
                        [&](const memory_bounds& bounds, const std::vector<phase>& phases) {
                            watched_memory m(bounds.bytes, bounds.entries, eviction);
                            std::mt19937_64 random(phases.size());
                            std::uint64_t next = 0;
                            std::size_t steps = 0;
                            for (std::size_t i = 0; i != phases.size() && i != most_phases; ++i)
                                steps += apply(m, phases[i], random, next);
                            return steps;
                        });
    }
}

TEST_CASE("a memory of small entries that becomes one of large ones gives their room back") {
    constexpr std::size_t bytes = 4 << 20;
    for (const memory_eviction eviction : all_policies) {
        INFO("policy " << static_cast<int>(eviction));
        watched_memory m(bytes, 1'000'000, eviction);
        std::uint64_t last = 0;
        for (const std::size_t size : {0U, 20'000U, 9U, 100U, 20'000U, 400'000U, 1U}) {
            INFO(size << " bytes each");
            for (std::size_t i = 0; i != 2 * (bytes / (size + 100)); ++i)
                m.set(++last, size);
            CHECK(m.most <= m.bound());
            // The room is used: by the values, but for very small ones and what others left.
            CHECK(m.store->stats().bytes >= bytes / 10 * 8);
        }
        for (; last != 0; --last)
            (void)m.store->erase("key" + std::to_string(last), m.now);
        CHECK(m.store->stats().entries == 0);
        for (std::uint64_t i = 0; i != 500; ++i) // some in each shard
            m.set(i, 0);
        CHECK(m.heap() < 200 * 1024);
    }
}

TEST_CASE("a record that fills a memory takes the room of the small ones before it") {
    constexpr std::size_t bytes = 16 << 20;
    for (const memory_eviction eviction : all_policies) {
        for (const bool replaces : {false, true}) {
            INFO("policy " << static_cast<int>(eviction)
                           << (replaces ? ", replaces" : ", inserts"));
            watched_memory m(bytes, 10'000'000, eviction);
            constexpr std::uint64_t small = bytes / 50;
            for (std::uint64_t i = 0; i != small; ++i)
                m.set(i, 0);
            const std::uint64_t large = replaces ? small - 1 : small;
            m.set(large, largest_value(bytes) - 200);
            CHECK(m.most <= m.bound());
            m.set(small + 1, 0);
            CHECK(m.get(large));
            CHECK(m.store->stats().entries == 2);
            CHECK(m.heap() <= m.bound());
        }
    }
}

TEST_CASE("a record too large for a memory is refused without a copy, and what was there goes") {
    memory_backend memory({.max_bytes = 10'000});
    const record small{.value = "v", .written = timestamp(2h), .lifetime = for_ever, .source = {}};
    const record large{.value = std::string(1 << 20, 'v'),
                       .written = timestamp(1h),
                       .lifetime = for_ever,
                       .source = {}};
    memory.store_now("k", small);
    (void)property::take_largest_block();
    memory.store_now("other", large);
    CHECK(memory.stats().entries == 1);
    memory.store_now("k", large);
    CHECK(memory.stats().entries == 0);
    CHECK(property::take_largest_block() < large.value.size());
}

TEST_CASE("released nodes are freed when their list is, unless a reader has them") {
    std::string value(1000, 'v');
    node_ptr read_by_another;
    const std::size_t before = property::live_heap();
    {
        const auto make = [&] { return memory_node::make("k", value, timestamp(), for_ever); };
        released_nodes released;
        for (int i = 0; i != 100; ++i)
            released.take(make());
        read_by_another = make();
        released.take(read_by_another);
        CHECK(property::live_heap() >= before + 101 * value.size());
    }
    CHECK(property::live_heap() < before + 2 * value.size());
    CHECK(read_by_another->value() == value);
    read_by_another.reset();
    CHECK(property::live_heap() == before);
}
