// SPDX-License-Identifier: BSL-1.0
// A small memory under many threads; made for ThreadSanitizer. What is found under a key was stored
// under it. A run that hit nothing, or evicted nothing, fails: it stressed nothing.
#include "support/catch.hpp"
#include "support/run.hpp"

#include <codynamo/memory_backend.hpp>
#include <codynamo/testing/manual_clock.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace codynamo;
using namespace std::chrono_literals;

namespace {

struct counts {
    std::atomic<int> hits{0};
    std::atomic<int> wrong{0};
};

/// One thread's part of every operation there is.
void use(memory_backend memory, testing::manual_clock& clock, unsigned thread, counts& seen) {
    std::uint32_t state = thread + 1;
    record out;
    for (int i = 0; i != 8'000; ++i) {
        state = state * 1664525 + 1013904223;
        const std::string key = std::to_string((state >> 20) % 300);
        if (memory.load_now(key, out)) {
            ++seen.hits;
            if (out.value.substr(0, key.size() + 1) != key + ":") ++seen.wrong;
        } else {
            const ttl lifetime = state % 3 == 0 ? ttl(2s) : for_ever;
            const std::string value = key + ":" + std::string((state >> 8) % 900, 'v');
            memory.store_now(key, {value, clock.now(), lifetime, {}});
        }
        if (i % 31 == 0) (void)test_support::run(memory.erase(key));
        if (i % 37 == 0) (void)test_support::run(memory.touch(key, clock.now(), 1h));
        if (i % 41 == 0)
            (void)test_support::run(
                memory.store_newer(key, {key + ":", clock.now(), for_ever, {}}));
        if (i % 101 == 0) clock.advance(100ms);
        if (i % 1999 == 0) (void)test_support::run(memory.clear_expired({}, clock.now()));
        if (i == 4'000 && thread == 0) (void)test_support::run(memory.clear_all({}));
    }
}

} // namespace

TEST_CASE("a memory serves many threads, whichever policy it has") {
    const auto eviction =
        GENERATE(memory_eviction::w_tinylfu, memory_eviction::s3_fifo, memory_eviction::lru);
    const auto clock = std::make_shared<testing::manual_clock>();
    memory_backend_config config;
    config.max_entries = 100;
    config.max_bytes = 40'000;
    config.eviction = eviction;
    config.env.time = clock;
    memory_backend memory(std::move(config));
    counts seen;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t != 4; ++t)
        threads.emplace_back([&, t] { use(memory, *clock, t, seen); });
    for (std::thread& one : threads)
        one.join();
    CHECK(seen.wrong == 0);
    CHECK(seen.hits > 1000);
    CHECK(memory.stats().evicted > 100);
    CHECK(memory.stats().entries <= 100);
    CHECK(memory.stats().bytes <= 40'000);
    (void)test_support::run(memory.clear_all({}));
    CHECK(memory.stats().bytes == 0);
}
