// SPDX-License-Identifier: BSL-1.0
// Each allocation of what a cache keeps and writes fails once: std::bad_alloc comes out, nothing
// leaks, what was there before is whole, and the next try succeeds. And that this would be noticed.
#include "allocation_checks.hpp"
#include "cache/memory_store.hpp"
#include "support/catch.hpp"

#include <codynamo/json_serializer.hpp>
#include <codynamo/record.hpp>
#include <codynamo/testing/seeded_random.hpp>

#include <boost/json/value.hpp>

#include <memory>
#include <new>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::test;
using namespace std::chrono_literals;

TEST_CASE("the JSON serializer survives every failing allocation") {
    const json_serializer<boost::json::value> policy;
    const std::string text = R"({"a":[1,2.5,"a text that is too long for a small string",)"
                             R"({"deep":[[[null,true]]]}],"b":"\u00e4\u00f6\u00fc and so on"})";
    const boost::json::value value = policy.deserialize(text);
    check(
        "parse JSON", 3, [&] { return policy.deserialize(text); }, nothing_to_keep);
    check(
        "write JSON", 1, [&] { return policy.serialize(value); }, nothing_to_keep);
}

TEST_CASE("the memory store survives every failing allocation with its books right") {
    const timestamp now{1h};
    const auto eviction =
        GENERATE(memory_eviction::w_tinylfu, memory_eviction::s3_fifo, memory_eviction::lru);
    testing::seeded_random random(1);
    const auto whole = [&](const detail::memory_store& store) {
        std::size_t bytes = 0;
        std::size_t entries = 0;
        for (char c = 'a'; c <= 'z'; ++c) {
            const auto found = store.find(long_text(c)).node;
            if (!found) continue;
            ++entries;
            bytes += found->weight();
        }
        const memory_stats stats = store.stats();
        return stats.entries == entries && stats.bytes == bytes && entries <= 20;
    };
    const auto use = [&](detail::memory_store& store) {
        for (char c = 'a'; c <= 'z'; ++c) {
            store.put(detail::memory_node::make(long_text(c), long_text(c), now,
                                                c % 3 == 0 ? ttl(1ms) : ttl(1h)),
                      now);
        }
        store.erase(long_text('z'), now);
        for (const char c : {'x', 'y', 'y'})
            if (const auto found = store.find(long_text(c)); found.node) (void)store.note(found);
        store.maintain(now + 2s);
        detail::memory_store::sweep sweep;
        while (store.drop_expired(sweep, now + 10ms, 3)) {
        }
    };
    bool books_right = true;
    check(
        "use a memory store", 10,
        [&] {
            detail::memory_store store(1 << 20, 20, eviction, random);
            try {
                use(store);
            } catch (const std::bad_alloc&) {
                books_right = books_right && whole(store);
                throw;
            }
            books_right = books_right && whole(store);
            return 0;
        },
        [&] { return books_right; });
    // What has failed can be done again on the same store.
    for (std::size_t n = 1;; ++n) {
        detail::memory_store store(1 << 20, 20, eviction, random);
        bool happened = false;
        {
            const test::failing_allocation one(n);
            try {
                use(store);
            } catch (const std::bad_alloc&) {
            }
            happened = one.happened();
        }
        use(store);
        CHECK(whole(store));
        if (!happened) break;
    }
}

TEST_CASE("the injection itself notices what swallows a failure, leaks, or is not whole") {
    const auto swallows = [] {
        try {
            return std::string(100, 'x');
        } catch (const std::bad_alloc&) {
            return std::string();
        }
    };
    CHECK(fail_each_allocation(swallows, nothing_to_keep) == 0);
    std::vector<std::unique_ptr<std::string>> kept;
    kept.reserve(10);
    const auto leaks = [&] {
        kept.push_back(std::make_unique<std::string>("x"));
        return std::string(100, 'x');
    };
    CHECK(fail_each_allocation(leaks, nothing_to_keep) == 0);
    const auto fine = [] { return std::string(100, 'x'); };
    CHECK(fail_each_allocation(fine, [] { return false; }) == 0);
    CHECK(fail_each_allocation(fine, nothing_to_keep) == 2);
}
