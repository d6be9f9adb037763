// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/run.hpp"
#include "unit/cache/backends.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/memory_backend.hpp>

#include <algorithm>

using namespace codynamo;
using namespace codynamo::test_support;
using namespace std::chrono_literals;

namespace {

/// Refuses negative numbers on the way out and sevens on the way in.
struct picky {
    std::string serialize(const int& value) const {
        if (value < 0) throw std::runtime_error("negative");
        return std::to_string(value);
    }
    int deserialize(std::string_view bytes) const {
        if (bytes == "7") throw std::runtime_error("seven");
        return std::stoi(std::string(bytes));
    }
};

struct fixture : frozen {
    scripted_backend below;
    cache<int, picky> it{below, {.env = env()}};
};

/// Answers too few.
struct forgetful : minimal_backend {
    boost::asio::awaitable<std::vector<result<std::optional<record>>>>
    load_many(std::vector<std::string>) {
        co_return std::vector<result<std::optional<record>>>{};
    }
};

/// Fails as a whole.
struct refusing : minimal_backend {
    boost::asio::awaitable<std::vector<result<std::optional<record>>>>
    load_many(std::vector<std::string>) {
        throw error(errc::access_denied, "no");
        co_return std::vector<result<std::optional<record>>>{};
    }
};

/// Can be moved but not copied.
struct unique {
    std::unique_ptr<int> value;
};
struct unique_policy {
    std::string serialize(const unique& u) const { return std::to_string(*u.value); }
    unique deserialize(std::string_view bytes) const {
        return {std::make_unique<int>(std::stoi(std::string(bytes)))};
    }
};

} // namespace

TEST_CASE("many keys are answered in their order, duplicates asked once") {
    fixture t;
    run(t.it.set_many({{"a", 1}, {"b", 2}, {"c", 3}}));
    t.below.play_book().calls.clear();
    const auto found = run(t.it.get_many({"c", "a", "x", "c", "b", "a", "c"}));
    std::vector<int> values;
    for (const auto& f : found)
        values.push_back(f.value().value_or(-1));
    const std::vector<int> expected = {3, 1, -1, 3, 2, 1, 3};
    CHECK(values == expected);
    const std::vector<std::string> asked = {"load c", "load a", "load x", "load b"};
    CHECK(t.below.play_book().calls == asked);
}

TEST_CASE("an empty question gets an empty answer, and nobody is asked") {
    fixture t;
    CHECK(run(t.it.get_many({})).empty());
    CHECK(run(t.it.set_many({})).empty());
    CHECK(run(t.it.erase_many({})).empty());
    CHECK(t.below.play_book().calls.empty());
}

TEST_CASE("each key of a get_many has its own outcome") {
    fixture t;
    run(t.it.set_many({{"a", 1}, {"seven", 7}, {"b", 2}}));
    run(t.it.set("old", 3, 1s));
    t.clock->advance(1s);
    t.below.play_book().before_load = failing(errc::throttled); // of the first key that is asked
    const auto found = run(t.it.get_many({"", "a", "seven", "b", "old", "", "a"}));
    REQUIRE(found.size() == 7);
    CHECK(found[0].error().code == errc::invalid_argument);
    CHECK(found[1].error().code == errc::throttled);
    CHECK(found[2].error().code == errc::deserialize_failed);
    CHECK(found[3].value() == 2);
    CHECK_FALSE(found[4].value());
    CHECK(found[5].error().code == errc::invalid_argument);
    CHECK(found[6].error().code == errc::throttled);
}

TEST_CASE("of equal keys in a set_many the last wins") {
    fixture t;
    const auto done = run(t.it.set_many({{"a", 1}, {"b", 2}, {"a", 3}}));
    CHECK(std::all_of(done.begin(), done.end(), [](const auto& d) { return d.has_value(); }));
    CHECK(run(t.it.get("a")) == 3);
    CHECK(run(t.it.get("b")) == 2);
    const auto& calls = t.below.play_book().calls;
    CHECK(std::count(calls.begin(), calls.end(), "store a") == 1);
}

TEST_CASE("each entry of a set_many has its own outcome") {
    fixture t;
    t.below.play_book().before_store = failing(errc::timeout);
    const auto done = run(t.it.set_many({{"a", 1},
                                         {"b", -1},
                                         {"", 2},
                                         {"c", 3},
                                         {"a", 4},
                                         {"d", 5},
                                         {"d", -5},
                                         {"e", -6},
                                         {"e", 6}},
                                        10s));
    REQUIRE(done.size() == 9);
    CHECK(done[0].error().code == errc::timeout); // as the later entry of the same key
    CHECK(done[1].error().code == errc::serialize_failed);
    CHECK(done[1].error().message() == "negative");
    CHECK(done[2].error().code == errc::invalid_argument);
    CHECK(done[3].has_value());
    CHECK(done[4].error().code == errc::timeout);
    CHECK(done[5].error().code == errc::serialize_failed); // the last entry wins, and failed
    CHECK(done[6].error().code == errc::serialize_failed);
    CHECK(done[7].error().code == errc::serialize_failed); // on its own
    CHECK(done[8].has_value());
    CHECK(t.below.kept().size() == 2);
    CHECK(t.below.kept()["e"].lifetime == 10s);
}

TEST_CASE("erasing many keys merges duplicates and says which failed") {
    fixture t;
    run(t.it.set_many({{"a", 1}, {"b", 2}, {"c", 3}}));
    t.below.play_book().calls.clear();
    t.below.play_book().before_erase = failing(errc::timeout);
    const auto done = run(t.it.erase_many({"a", "b", "a", "", "x"}));
    REQUIRE(done.size() == 5);
    CHECK(done[0].error().code == errc::timeout);
    CHECK(done[1].has_value());
    CHECK(done[2].error().code == errc::timeout);
    CHECK(done[3].error().code == errc::invalid_argument);
    CHECK(done[4].has_value());
    CHECK(t.below.play_book().calls.size() == 3);
    CHECK(t.below.kept().size() == 2);
}

TEST_CASE("a batch that fails as a whole is every key's outcome") {
    cache<int> broken{refusing()};
    const auto found = run(broken.get_many({"a", "", "b"}));
    CHECK(found[0].error().code == errc::access_denied);
    CHECK(found[1].error().code == errc::invalid_argument);
    CHECK(found[2].error().code == errc::access_denied);
    cache<int> confused{forgetful()};
    CHECK(run(confused.get_many({"a"}))[0].error().code == errc::bad_response);
}

TEST_CASE("a thousand keys go and come back") {
    cache<int> it{memory_backend()};
    std::vector<std::pair<std::string, int>> entries;
    std::vector<std::string> keys;
    for (int i = 0; i != 1000; ++i) {
        entries.emplace_back("k" + std::to_string(i), i);
        keys.push_back("k" + std::to_string(999 - i));
    }
    run(it.set_many(std::move(entries)));
    const auto found = run(it.get_many(std::move(keys)));
    for (int i = 0; i != 1000; ++i)
        REQUIRE(found[static_cast<std::size_t>(i)].value() == 999 - i);
}

TEST_CASE("batches draw no random numbers: the cache drew its hash seed when it was made") {
    struct counting_random final : random_source {
        std::uint64_t next() noexcept override { return ++draws; }
        std::uint64_t draws = 0;
    };
    const frozen t;
    const auto random = std::make_shared<counting_random>();
    environment env = t.env();
    env.random = random;
    cache<int> it{minimal_backend(), {.env = env}};
    CHECK(random->draws == 2);
    run(it.set_many({{"a", 1}, {"b", 2}}));
    CHECK(run(it.get_many({"a", "b", "a"}))[2].value() == 1);
    run(it.erase_many({"a", "b"}));
    CHECK(random->draws == 2);
}

TEST_CASE("values need not be copyable") {
    cache<unique, unique_policy> it{memory_backend()};
    run(it.set("a", {std::make_unique<int>(5)}));
    std::vector<std::pair<std::string, unique>> entries;
    entries.emplace_back("b", unique{std::make_unique<int>(6)});
    run(it.set_many(std::move(entries)));
    CHECK(*run(it.get("a"))->value == 5);
    const auto found = run(it.get_many({"b", "b"}));
    CHECK(*found[0].value()->value == 6);
    CHECK(*found[1].value()->value == 6);
    CHECK(*run(it.get_entry("a"))->value.value == 5);
}
