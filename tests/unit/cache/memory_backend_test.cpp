// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/run.hpp"
#include "unit/cache/backends.hpp"

#include <codynamo/memory_backend.hpp>
#include <codynamo/testing/contract.hpp>

#include <atomic>
#include <thread>

using namespace codynamo;
using namespace codynamo::test_support;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t overhead = 96;

struct memory : frozen {
    explicit memory(std::size_t max_bytes = 1 << 20, std::size_t max_entries = 1000,
                    memory_eviction eviction = memory_eviction::w_tinylfu)
        : it(memory_backend_config{.max_bytes = max_bytes,
                                   .max_entries = max_entries,
                                   .eviction = eviction,
                                   .env = env()}) {}

    void put(const std::string& key, record r) { run(it.store(key, std::move(r))); }
    void put(const std::string& key, std::size_t bytes = 1) {
        put(key, made(std::string(bytes, 'v')));
    }
    std::optional<record> get(const std::string& key) { return run(it.load(key)); }
    /// Which of the single-letter keys are there. Looking is a use, in the order given.
    std::string held(std::string_view letters) {
        std::string found;
        for (const char c : letters)
            if (get(std::string(1, c))) found += c;
        return found;
    }

    memory_backend it;
};

} // namespace

TEST_CASE("memory keeps the backend contract") {
    const std::vector<std::string> none;
    const auto broken = run(testing::check_backend({.make = [] { return memory_backend(); }}));
    CHECK(broken == none);
}

TEST_CASE("the least recently used entry makes room for more entries than allowed") {
    memory m(1 << 20, 3, memory_eviction::lru);
    for (const char* key : {"a", "b", "c"})
        m.put(key);
    CHECK(m.get("a"));
    m.put("d");
    CHECK_FALSE(m.get("b"));
    CHECK(m.it.stats().evicted == 1);
    record out;
    CHECK(m.it.load_now("c", out)); // a use as well
    m.put("e");
    CHECK(m.held("abcde") == "cde");
    CHECK(m.it.stats().entries == 3);
}

TEST_CASE("storing again is a use and does not evict") {
    memory m(1 << 20, 2, memory_eviction::lru);
    m.put("a");
    m.put("b");
    m.put("a");
    CHECK(m.it.stats().evicted == 0);
    m.put("c");
    CHECK(m.held("abc") == "ac");
}

TEST_CASE("bytes are counted and bounded") {
    memory m(3 * (overhead + 1 + 100), 1000, memory_eviction::lru);
    for (const char* key : {"a", "b", "c"})
        m.put(key, 100);
    CHECK(m.it.stats().bytes == 3 * (overhead + 101));
    CHECK(m.it.stats().entries == 3);
    m.put("d", 100);
    CHECK(m.held("abcd") == "bcd");
    m.put("e", 250);
    CHECK(m.held("bcde") == "de");
    m.put("e", 1);
    CHECK(m.it.stats().bytes == overhead + 101 + overhead + 2);
    run(m.it.erase("d"));
    run(m.it.erase("e"));
    CHECK(m.it.stats().bytes == 0);
    CHECK(m.it.stats().entries == 0);
}

TEST_CASE("a record larger than the bound is not kept, and what was there goes") {
    memory m(overhead + 1 + 100);
    m.put("a", 100);
    CHECK(m.get("a"));
    m.put("a", 101);
    CHECK_FALSE(m.get("a"));
    m.put("b", 100);
    m.put("c", 101);
    CHECK(m.get("b"));
    CHECK_FALSE(m.get("c"));
    CHECK(m.it.stats().evicted == 0);
}

TEST_CASE("an expired record is dropped when a read meets it") {
    memory m;
    m.put("a", m.made("v", 1s));
    m.put("b", m.made("v", 1s));
    m.clock->advance(999'999us);
    CHECK(m.get("a"));
    m.clock->advance(1us);
    CHECK(m.it.stats().entries == 2);
    CHECK_FALSE(m.get("a"));
    CHECK(m.it.stats().entries == 1);
    record out;
    CHECK_FALSE(m.it.load_now("b", out));
    CHECK(m.it.stats().bytes == 0);
}

TEST_CASE("a record from memory says so, and is handed out as a copy") {
    memory m;
    m.put("a", m.made("v", 5s));
    record out;
    REQUIRE(m.it.load_now("a", out));
    CHECK(out.source == "memory");
    out.value = "changed";
    CHECK(m.get("a")->value == "v");
    const auto peeked = run(m.it.peek("a"));
    REQUIRE(peeked);
    CHECK(peeked->value.empty());
    CHECK(peeked->lifetime == 5s);
}

TEST_CASE("clearing expired records leaves the others and tells its progress") {
    memory m(64 << 20, 100'000);
    for (int i = 0; i != 20'000; ++i)
        m.put(std::to_string(i), m.made("v", i % 4 == 0 ? ttl(1s) : ttl(1h)));
    m.clock->advance(1s);
    std::vector<clear_progress> told;
    clear_options options;
    options.progress = [&](const clear_progress& p) {
        told.push_back(p);
        CHECK(m.it.stats().entries > 0); // the lock is not held
    };
    const clear_progress done = run(m.it.clear_expired(options, m.clock->now()));
    CHECK(done.scanned == 20'000);
    CHECK(done.deleted == 5'000);
    CHECK(done.kept == 15'000);
    CHECK(told.size() > 1);
    CHECK(told.back().deleted == 5'000);
    CHECK(m.it.stats().entries == 15'000);
}

TEST_CASE("a sweep survives that the table grows under it") {
    memory m(64 << 20, 1'000'000);
    for (int i = 0; i != 10'000; ++i)
        m.put(std::to_string(i), m.made("v", i % 2 == 0 ? ttl(1s) : ttl(1h)));
    m.clock->advance(1s);
    clear_options options;
    bool once = true;
    options.progress = [&](const clear_progress&) {
        for (int i = 0; once && i != 30'000; ++i)
            m.put("new " + std::to_string(i), m.made("v", 1h));
        once = false;
    };
    const clear_progress done = run(m.it.clear_expired(options, m.clock->now()));
    CHECK(done.deleted == 5'000);
    CHECK(done.kept == 35'000);
    CHECK(done.scanned == 40'000);
}

TEST_CASE("a memory of no size is refused, naming the field") {
    const auto names = [](const char* field) {
        return Catch::Predicate<error>([field](const error& e) {
            return e.code() == make_error_code(errc::invalid_argument) &&
                   e.info().message.find(field) != std::string::npos;
        });
    };
    CHECK_THROWS_MATCHES(memory_backend({.max_bytes = 0, .env = {}}), error, names("max_bytes"));
    CHECK_THROWS_MATCHES(memory_backend({.max_entries = 0, .env = {}}), error,
                         names("max_entries"));
}

TEST_CASE("an operation owns the memory it works on") {
    auto m = std::make_unique<memory_backend>();
    auto storing = m->store("a", {.value = "v", .written = {}, .lifetime = for_ever, .source = {}});
    auto loading = m->load("a");
    m.reset();
    run(std::move(storing));
    CHECK(run(std::move(loading))->value == "v");
}

TEST_CASE("threads may share a memory") {
    memory m(200 * (overhead + 10), 100);
    std::atomic<std::size_t> hits = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t != 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i != 5'000; ++i) {
                const std::string key = std::to_string((i * 7 + t) % 150);
                record out;
                if (m.it.load_now(key, out))
                    hits += out.value == "of " + key ? 1 : 1'000'000;
                else
                    run(m.it.store(key, m.made("of " + key)));
                if (i % 50 == 0) run(m.it.erase(key));
                if (i % 70 == 0) run(m.it.touch(key, m.clock->now(), 1h));
                if (i == 2500) run(m.it.clear_expired({}, m.clock->now()));
            }
        });
    for (std::thread& t : threads)
        t.join();
    CHECK(hits > 0);
    CHECK(hits < 1'000'000);
    CHECK(m.it.stats().entries <= 100);
    run(m.it.clear_all({}));
    CHECK(m.it.stats().bytes == 0);
}
