// SPDX-License-Identifier: BSL-1.0
// Keys that collide under the standard library's hash are keys like others here.
#include "cache/key_list.hpp"
#include "cache/keyed_hash.hpp"
#include "cache/write_epochs.hpp"
#include "support/catch.hpp"
#include "support/run.hpp"
#include "unit/cache/backends.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/memory_backend.hpp>
#include <codynamo/testing/seeded_random.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

using namespace codynamo;
using namespace codynamo::detail;

namespace {

/// MurmurHash64A as libstdc++ has it: one step takes 8 bytes.
constexpr std::uint64_t murmur_factor = 0xc6a4a7935bd1e995U;
constexpr std::uint64_t murmur_seed = 0xc70f6907U;

std::uint64_t shifted(std::uint64_t word) {
    return word ^ word >> 47;
}
std::uint64_t scattered(std::uint64_t word) {
    return shifted(word * murmur_factor) * murmur_factor;
}
std::uint64_t unscattered(std::uint64_t word) {
    std::uint64_t inverse = murmur_factor; // Newton's iteration doubles the bits that are right
    for (int i = 0; i != 6; ++i)
        inverse *= 2 - murmur_factor * inverse;
    return shifted(word * inverse) * inverse;
}
std::uint64_t after(std::uint64_t state, std::uint64_t word) {
    return (state ^ scattered(word)) * murmur_factor;
}

/// Printable words x1, y1, x2, y2: both pairs bring `state` to the same one, which is returned.
std::uint64_t find_pairs(std::uint64_t state, std::mt19937_64& random, std::string (&pairs)[2]) {
    const auto printable = [](const char c) { return c > ' ' && c <= '~'; };
    for (;;) {
        char words[4][9] = {};
        std::uint64_t numbers[4] = {};
        for (int i = 0; i != 3; ++i) {
            for (int at = 0; at != 8; ++at)
                words[i][at] = static_cast<char>('!' + random() % 94);
            std::memcpy(&numbers[i], words[i], 8);
        }
        const std::uint64_t met = after(after(state, numbers[0]), numbers[1]);
        numbers[3] = unscattered(scattered(numbers[1]) ^ after(state, numbers[0]) ^
                                 after(state, numbers[2]));
        std::memcpy(words[3], &numbers[3], 8);
        if (numbers[0] == numbers[2] || !std::all_of(words[3], words[3] + 8, printable)) continue;
        pairs[0] = std::string(words[0]) + words[1];
        pairs[1] = std::string(words[2]) + words[3];
        return met;
    }
}

/// 2^n keys of 16 n bytes with the same hash by libstdc++.
std::vector<std::string> colliding_keys(std::size_t n) {
    std::mt19937_64 random(1);
    std::uint64_t state = murmur_seed ^ 16 * n * murmur_factor;
    std::vector<std::string> keys(1);
    for (std::size_t i = 0; i != n; ++i) {
        std::string pairs[2];
        state = find_pairs(state, random, pairs);
        std::vector<std::string> longer;
        for (const std::string& key : keys)
            for (const std::string& pair : pairs)
                longer.push_back(key + pair);
        keys.swap(longer);
    }
    return keys;
}

} // namespace

TEST_CASE("keys that collide under the standard hash do not under a keyed one") {
    const std::vector<std::string> keys = colliding_keys(12);
    const std::hash<std::string_view> standard;
    for (const std::string& key : keys)
        REQUIRE(standard(key) == standard(keys[0])); // by libstdc++ on 64 bits
    testing::seeded_random random(1);
    for (int i = 0; i != 3; ++i) {
        const keyed_hash hash{draw_hash_seed(random)};
        std::unordered_set<std::string_view, keyed_hash> kept(keys.size(), hash);
        kept.insert(keys.begin(), keys.end());
        std::size_t fullest = 0;
        for (std::size_t bucket = 0; bucket != kept.bucket_count(); ++bucket)
            fullest = std::max(fullest, kept.bucket_size(bucket));
        CHECK(fullest < 12);
        std::vector<std::size_t> stripes(write_epochs::stripes);
        const auto epochs = std::make_unique<write_epochs>(hash.seed);
        for (const std::string& key : keys)
            ++stripes[epochs->stripe_of(key)];
        CHECK(*std::max_element(stripes.begin(), stripes.end()) < 12);
    }
}

TEST_CASE("a seed decides which keys share a stripe") {
    testing::seeded_random random(1);
    const auto one = std::make_unique<write_epochs>(draw_hash_seed(random));
    const auto other = std::make_unique<write_epochs>(draw_hash_seed(random));
    int same = 0;
    for (int i = 0; i != 1000; ++i)
        same += one->stripe_of(std::to_string(i)) == other->stripe_of(std::to_string(i)) ? 1 : 0;
    CHECK(same < 10);
}

TEST_CASE("a list of a batch's keys finds each, in whatever order they came") {
    std::vector<std::string> keys = colliding_keys(6);
    for (int i = 0; keys.size() != key_list::most; ++i)
        keys.push_back(std::to_string(i));
    keys[70].clear();
    std::shuffle(keys.begin(), keys.end(), std::mt19937_64(5));
    key_list list;
    CHECK_FALSE(list.find("1"));
    for (std::size_t i = 0; i != keys.size(); ++i) {
        CHECK_FALSE(list.find(keys[i]));
        CHECK(list.add(keys[i]) == i);
        CHECK(list.add(keys[i / 2]) == i / 2);
    }
    CHECK(list.size() == keys.size());
    for (std::size_t i = 0; i != keys.size(); ++i) {
        CHECK(list.find(keys[i]) == i);
        CHECK(list[i] == keys[i]);
    }
    CHECK_FALSE(list.find("none"));
}

TEST_CASE("batches of keys that collide under the standard hash are answered as others") {
    std::vector<std::string> keys = colliding_keys(10);
    cache<int> numbers{memory_backend()};
    std::vector<std::pair<std::string, int>> entries;
    for (std::size_t i = 0; i != keys.size(); ++i)
        entries.emplace_back(keys[i], static_cast<int>(i));
    for (const auto& outcome : test_support::run(numbers.set_many(entries)))
        REQUIRE(outcome.has_value());
    keys.insert(keys.end(), {keys[3], "none", keys[3]});
    const auto found = test_support::run(numbers.get_many(keys));
    REQUIRE(found.size() == keys.size());
    for (std::size_t i = 0; i != entries.size(); ++i)
        REQUIRE(found[i].value() == static_cast<int>(i));
    CHECK(found[entries.size()].value() == 3);
    CHECK_FALSE(found[entries.size() + 1].value().has_value());
    CHECK(found[entries.size() + 2].value() == 3);
}
