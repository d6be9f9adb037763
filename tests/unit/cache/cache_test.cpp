// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/log_lines.hpp"
#include "support/run.hpp"
#include "unit/cache/backends.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/layered_backend.hpp>
#include <codynamo/memory_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <cmath>
#include <map>
#include <new>

using namespace codynamo;
using namespace codynamo::test_support;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace cache_test {

struct profile {
    std::string name;
    int age = 0;
    friend bool operator==(const profile&, const profile&) = default;
};
BOOST_DESCRIBE_STRUCT(profile, (), (name, age))

/// Fails as it is told.
struct moody {
    std::string serialize(const int& value) const {
        if (value < 0) throw std::runtime_error("negative numbers bore me");
        if (value > 1000) throw value; // NOLINT: on purpose
        return std::to_string(value);
    }
    int deserialize(std::string_view bytes) const {
        if (bytes == "7") throw std::out_of_range("sevens bore me");
        return std::stoi(std::string(bytes));
    }
};

/// Finds no memory for sevens.
struct out_of_memory {
    std::string serialize(const int& value) const {
        if (value == 7) throw std::bad_alloc();
        return std::to_string(value);
    }
    int deserialize(std::string_view bytes) const {
        if (bytes == "7") throw std::bad_alloc();
        return std::stoi(std::string(bytes));
    }
};

template <class T, class Policy = json_serializer<T>>
struct fixture : frozen {
    scripted_backend below;
    cache<T, Policy> it{below, {.env = env()}};
};

auto with_code(errc code, std::string words = {}) {
    return Catch::Predicate<error>([code, words](const error& e) {
        return e.code() == make_error_code(code) &&
               e.info().message.find(words) != std::string::npos;
    });
}

} // namespace cache_test

using namespace cache_test;

TEST_CASE("what is set is got, until it expires") {
    fixture<profile> t;
    const profile alice{"Alice", 41};
    CHECK_FALSE(run(t.it.get("alice")));
    run(t.it.set("alice", {"Alice", 41}, 10min));
    CHECK(run(t.it.get("alice")) == alice);
    CHECK(run(t.it.contains("alice")));
    t.clock->advance(10min - 1us);
    CHECK(run(t.it.get("alice")) == alice);
    t.clock->advance(1us);
    CHECK_FALSE(run(t.it.get("alice")));
    CHECK_FALSE(run(t.it.contains("alice")));
    CHECK(run(t.it.erase("alice")));
    CHECK_FALSE(run(t.it.erase("alice")));
    run(t.it.set("alice", alice));
    run(t.it.discard("alice"));
    CHECK_FALSE(run(t.it.get("alice")));
    run(t.it.discard("alice"));
}

TEST_CASE("an aggregate may be given by its members inside a co_await expression") {
    fixture<profile> t;
    const std::string longer(100, 'A');
    const auto use = [&]() -> boost::asio::awaitable<void> {
        co_await t.it.set("short", {"Alice", 41}, 10min);
        co_await t.it.set("long", {longer, 42});
        const auto outcome = co_await t.it.try_set("tried", {"Bob", 43}, 1s);
        CHECK(outcome.has_value());
        profile named{"Carol", 44};
        co_await t.it.set("copied", named);
        co_await t.it.set("moved", std::move(named));
    };
    run(use);
    const std::vector<std::string> keys = {"short", "long", "tried", "copied", "moved"};
    const std::vector<profile> expected = {
        {"Alice", 41}, {longer, 42}, {"Bob", 43}, {"Carol", 44}, {"Carol", 44}};
    for (std::size_t i = 0; i != keys.size(); ++i)
        CHECK(run(t.it.get(keys[i])) == expected[i]);
}

TEST_CASE("lifetimes: zero is for ever, negative is never, fractions count, NaN is refused") {
    fixture<int> t;
    run(t.it.set("zero", 1, 0s));
    run(t.it.set("plain", 1));
    run(t.it.set("negative", 1, -1s));
    run(t.it.set("fraction", 1, std::chrono::duration<double>(0.5)));
    run(t.it.set("tiny", 1, 1ns));
    CHECK(run(t.it.get("zero")));
    CHECK_FALSE(run(t.it.get("negative")));
    CHECK(t.below.kept().count("negative") == 1);
    CHECK(run(t.it.get("tiny")));
    t.clock->advance(499'999us);
    CHECK(run(t.it.get("fraction")));
    CHECK_FALSE(run(t.it.get("tiny")));
    t.clock->advance(1us);
    CHECK_FALSE(run(t.it.get("fraction")));
    t.clock->advance(24h * 36'500);
    CHECK(run(t.it.get("zero")));
    CHECK(run(t.it.get("plain")));

    const std::chrono::duration<double> nan{std::nan("")};
    t.below.play_book().calls.clear();
    CHECK_THROWS_MATCHES(run(t.it.set("nan", 1, nan)), error,
                         with_code(errc::invalid_argument, "lifetime"));
    CHECK(run(t.it.try_set("nan", 1, nan)).error().code == errc::invalid_argument);
    CHECK_THROWS_MATCHES(run(t.it.touch("zero", nan)), error, with_code(errc::invalid_argument));
    const auto many = run(t.it.set_many({{"a", 1}, {"", 2}, {"b", 3}}, nan));
    REQUIRE(many.size() == 3);
    for (const std::size_t i : {0U, 2U}) {
        CHECK(many[i].error().code == errc::invalid_argument);
        CHECK_THAT(many[i].error().message(), Catch::Contains("lifetime: not a number"));
    }
    CHECK_THAT(many[1].error().message(), Catch::Contains("key: 0 bytes"));
    CHECK(t.it.stats().errors == 6);
    CHECK(t.below.play_book().calls.empty());
}

TEST_CASE("the default lifetime is the configuration's") {
    frozen t;
    cache<int> it(minimal_backend(), {.default_lifetime = 1s, .env = t.env()});
    run(it.set("a", 1));
    CHECK(run(it.try_set("b", 2)).has_value());
    run(it.set_many({{"c", 3}}));
    run(it.set("d", 4, for_ever));
    t.clock->advance(1s);
    for (const char* key : {"a", "b", "c"})
        CHECK_FALSE(run(it.get(key)));
    CHECK(run(it.get("d")) == 4);
}

TEST_CASE("a key is 1 to 2048 bytes of valid UTF-8, checked before anything is sent") {
    fixture<int> t;
    struct row {
        std::string key;
        const char* words;
    };
    const row table[] = {
        {"", "key: 0 bytes; 1 to 2048"},
        {std::string(2049, 'k'), "key: 2049 bytes; 1 to 2048"},
        {"caf\xC3", "key: 4 bytes that are not valid UTF-8"},
        {"\xED\xA0\x80", "not valid UTF-8"},
        {std::string(20, 'a') + "\xFF", "not valid UTF-8"},
    };
    for (const row& r : table) {
        const auto refused = with_code(errc::invalid_argument, r.words);
        CHECK_THROWS_MATCHES(run(t.it.get(r.key)), error, refused);
        CHECK_THROWS_MATCHES(run(t.it.get_entry(r.key)), error, refused);
        CHECK_THROWS_MATCHES(run(t.it.set(r.key, 1)), error, refused);
        CHECK_THROWS_MATCHES(run(t.it.erase(r.key)), error, refused);
        CHECK_THROWS_MATCHES(run(t.it.discard(r.key)), error, refused);
        CHECK_THROWS_MATCHES(run(t.it.contains(r.key)), error, refused);
        CHECK_THROWS_MATCHES(run(t.it.touch(r.key, 1s)), error, refused);
        CHECK(run(t.it.try_get(r.key)).error().code == errc::invalid_argument);
        CHECK(run(t.it.try_set(r.key, 1)).error().code == errc::invalid_argument);
        CHECK(run(t.it.get_many({r.key}))[0].error().code == errc::invalid_argument);
        CHECK(run(t.it.set_many({{r.key, 1}}))[0].error().code == errc::invalid_argument);
        CHECK(run(t.it.erase_many({r.key}))[0].error().code == errc::invalid_argument);
    }
    CHECK(t.below.play_book().calls.empty());
    for (const std::string& good : {std::string("k"), std::string(2048, 'k'), std::string("\0", 1),
                                    std::string("\xF0\x9F\x92\xBE caf\xC3\xA9")}) {
        run(t.it.set(good, 5));
        CHECK(run(t.it.get(good)) == 5);
    }
}

TEST_CASE("a stored null is a hit") {
    fixture<json::value> t;
    run(t.it.set("null", nullptr));
    const std::optional<json::value> found = run(t.it.get("null"));
    REQUIRE(found.has_value());
    CHECK(found->is_null());
    CHECK_FALSE(run(t.it.get("absent")).has_value());

    fixture<std::optional<int>> o;
    run(o.it.set("null", std::nullopt));
    const std::optional<std::optional<int>> hit = run(o.it.get("null"));
    REQUIRE(hit.has_value());
    CHECK_FALSE(hit->has_value());
    CHECK_FALSE(run(o.it.get("absent")).has_value());
    CHECK(run(o.it.try_get("null")).value().has_value());
    CHECK(run(o.it.get_many({"null"}))[0].value().has_value());
    CHECK(run(o.it.get_entry("null")).has_value());
    CHECK(o.below.kept()["null"].value == "null");
}

TEST_CASE("an entry tells its age, its remaining lifetime and where it came from") {
    frozen t;
    cache<int> it(memory_backend({.env = t.env()}), {.env = t.env()});
    const timestamp then = t.clock->now();
    run(it.set("k", 5, 10s));
    run(it.set("for ever", 6));
    t.clock->advance(4s);
    const auto e = run(it.get_entry("k"));
    REQUIRE(e);
    CHECK(e->value == 5);
    CHECK(e->age == 4s);
    CHECK(e->remaining == ttl(6s));
    CHECK(e->written == then);
    CHECK(e->source == "memory");
    CHECK(run(it.get_entry("for ever"))->remaining == std::nullopt);
    CHECK_FALSE(run(it.get_entry("absent")));
    t.clock->advance(6s);
    CHECK_FALSE(run(it.get_entry("k")));
}

TEST_CASE("touch gives a new life, but neither revives nor creates") {
    fixture<int> t;
    run(t.it.set("k", 5, 10s));
    t.clock->advance(9s);
    CHECK(run(t.it.touch("k", 10s)));
    t.clock->advance(9s);
    CHECK(run(t.it.get("k")) == 5);
    t.clock->advance(1s);
    CHECK_FALSE(run(t.it.touch("k", 10s)));
    CHECK_FALSE(run(t.it.get("k")));
    CHECK_FALSE(run(t.it.touch("absent", 10s)));
    CHECK(t.below.kept().count("absent") == 0);
}

TEST_CASE("what the policy throws becomes an error with its words") {
    fixture<int, moody> t;
    const auto unwilling = with_code(errc::serialize_failed, "negative numbers bore me");
    CHECK_THROWS_MATCHES(run(t.it.set("k", -1)), error, unwilling);
    CHECK_THROWS_MATCHES(run(t.it.set("k", 1001)), error, with_code(errc::serialize_failed));
    const auto unset = run(t.it.try_set("k", -1));
    CHECK(unset.error().code == errc::serialize_failed);
    CHECK(unset.error().message() == "negative numbers bore me");
    CHECK(t.below.kept().empty());

    run(t.it.set("k", 7));
    CHECK_THROWS_MATCHES(run(t.it.get("k")), error,
                         with_code(errc::deserialize_failed, "sevens bore me"));
    CHECK_THROWS_AS(run(t.it.get_entry("k")), error);
    CHECK(run(t.it.try_get("k")).error().code == errc::deserialize_failed);
    CHECK(run(t.it.get_many({"k"}))[0].error().message() == "key 'k': sevens bore me");
}

TEST_CASE("the log line of an undecodable value has no word of the key, the value or the policy") {
    const frozen t;
    const testing_support::log_lines log;
    environment env = t.env();
    env.log.level = log_level::warning;
    env.log.sink = log.sink();
    const cache_config config{.env = env, .on_undecodable = undecodable::miss};
    const minimal_backend below;
    below.kept()["mine"] = t.made("7");
    CHECK_FALSE(run(cache<int, moody>(below, config).get("mine")));
    below.kept()["mine"] = t.made(R"({"private":"x"})");
    CHECK_FALSE(run(cache<std::map<std::string, int>>(below, config).get("mine")));
    REQUIRE(log.all().size() == 2);
    CHECK(log.all()[0] == "cache: a value that cannot be read as int is a miss: std::out_of_range");
    CHECK_THAT(log.all()[1],
               Catch::StartsWith("cache: a value that cannot be read as std::map<") &&
                   Catch::EndsWith("is a miss: the stored bytes could not be deserialized"));
    CHECK_THAT(log.all()[1], !Catch::Contains("mine") && !Catch::Contains("private"));
}

TEST_CASE("a lack of memory in the policy is thrown as it is, and no miss") {
    const frozen t;
    for (const undecodable on_undecodable : {undecodable::error, undecodable::miss}) {
        const minimal_backend below;
        below.kept()["seven"] = t.made("7");
        cache<int, out_of_memory> it{below, {.env = t.env(), .on_undecodable = on_undecodable}};
        CHECK_THROWS_AS(run(it.get("seven")), std::bad_alloc);
        CHECK_THROWS_AS(run(it.try_get("seven")), std::bad_alloc);
        CHECK_THROWS_AS(run(it.get_entry("seven")), std::bad_alloc);
        CHECK_THROWS_AS(run(it.get_many({"absent", "seven"})), std::bad_alloc);
        CHECK_THROWS_AS(run(it.set("k", 7)), std::bad_alloc);
        CHECK_THROWS_AS(run(it.try_set("k", 7)), std::bad_alloc);
        CHECK_THROWS_AS(run(it.set_many({{"a", 1}, {"k", 7}})), std::bad_alloc);
        CHECK(it.stats().undecodable == 0);
        CHECK(it.stats().misses == 1);
        CHECK(it.stats().hits == 0);
    }
}

TEST_CASE("a stored list read as a dict is an error, and so are foreign bytes") {
    const minimal_backend below;
    json_dict_cache dicts{below};
    json_list_cache lists{below};
    run(lists.set("list", json::array{1, "two", nullptr}));
    run(dicts.set("dict", json::object{{"a", 0.1}}));
    CHECK(run(lists.get("list")) == json::array{1, "two", nullptr});
    CHECK(run(dicts.get("dict")) == json::object{{"a", 0.1}});
    CHECK_THROWS_MATCHES(run(dicts.get("list")), error, with_code(errc::deserialize_failed));
    CHECK_THROWS_MATCHES(run(lists.get("dict")), error, with_code(errc::deserialize_failed));
    below.kept()["pickle"] = {
        .value = "\x80\x04K\x01.", .written = {}, .lifetime = for_ever, .source = {}};
    CHECK_THROWS_MATCHES(run(dicts.get("pickle")), error, with_code(errc::deserialize_failed));
    cache<profile> profiles{below};
    const auto other = run(profiles.try_get("dict"));
    REQUIRE(other.error().code == errc::deserialize_failed);
    CHECK_FALSE(other.error().message().empty());
    CHECK_THAT(other.error().message(), !Catch::Contains("boost")); // nor where in its sources
}

TEST_CASE("backend errors are thrown by get and set and returned by try_get and try_set") {
    fixture<int> t;
    auto& script = t.below.play_book();
    script.before_load = failing(errc::throttled);
    CHECK_THROWS_MATCHES(run(t.it.get("k")), error, with_code(errc::throttled, "script"));
    script.before_load = failing(errc::throttled);
    CHECK(run(t.it.try_get("k")).error().message() == "as the script says");
    script.before_store = failing(errc::timeout);
    CHECK_THROWS_MATCHES(run(t.it.set("k", 1)), error, with_code(errc::timeout));
    script.before_store = failing(errc::timeout);
    CHECK(run(t.it.try_set("k", 1)).error().code == errc::timeout);
    CHECK(run(t.it.try_set("k", 1)).has_value());
    CHECK(run(t.it.try_get("k")).value() == 1);
    CHECK_FALSE(run(t.it.try_get("absent")).value());
}

TEST_CASE("a cancellation is thrown, whoever was asked, and is no error in the statistics") {
    fixture<int> t;
    auto& script = t.below.play_book();
    const auto cancelled = []() -> boost::asio::awaitable<void> {
        throw boost::system::system_error(boost::asio::error::operation_aborted);
        co_return;
    };
    const auto aborted =
        Catch::Predicate<boost::system::system_error>([](const boost::system::system_error& e) {
            return e.code() == boost::asio::error::operation_aborted;
        });
    using thrown = boost::system::system_error;
    script.before_load = cancelled;
    CHECK_THROWS_MATCHES(run(t.it.get("k")), thrown, aborted);
    script.before_load = cancelled;
    CHECK_THROWS_MATCHES(run(t.it.try_get("k")), thrown, aborted);
    script.before_load = cancelled;
    CHECK_THROWS_MATCHES(run(t.it.get_many({"k", "l"})), thrown, aborted);
    script.before_store = cancelled;
    CHECK_THROWS_MATCHES(run(t.it.set("k", 1)), thrown, aborted);
    script.before_store = cancelled;
    CHECK_THROWS_MATCHES(run(t.it.try_set("k", 1)), thrown, aborted);
    script.before_store = cancelled;
    CHECK_THROWS_MATCHES(run(t.it.set_many({{"k", 1}})), thrown, aborted);
    script.before_erase = cancelled;
    CHECK_THROWS_MATCHES(run(t.it.erase("k")), thrown, aborted);
    script.before_erase = cancelled;
    CHECK_THROWS_MATCHES(run(t.it.discard("k")), thrown, aborted);
    script.before_erase = cancelled;
    CHECK_THROWS_MATCHES(run(t.it.erase_many({"k"})), thrown, aborted);
    CHECK(t.it.stats().errors == 0);
}

TEST_CASE("statistics count every key") {
    fixture<int> t;
    run(t.it.set("a", 1));
    run(t.it.set("short", 1, 1s));
    run(t.it.get("a"));
    run(t.it.get("absent"));
    t.clock->advance(1s);
    run(t.it.get("short"));
    run(t.it.get_many({"a", "a", "absent"}));
    run(t.it.set_many({{"b", 2}, {"", 3}}));
    run(t.it.erase("a"));
    run(t.it.erase_many({"b", "c"}));
    run(t.it.discard("d"));
    t.below.play_book().before_load = failing(errc::timeout);
    run(t.it.try_get("a"));
    const cache_stats s = t.it.stats();
    CHECK(s.hits == 3);
    CHECK(s.misses == 3);
    CHECK(s.expired == 1);
    CHECK(s.sets == 3);
    CHECK(s.erased == 4);
    CHECK(s.errors == 2);
}

TEST_CASE("a hit in memory completes without suspending") {
    cache<std::string, text_serializer> it{memory_backend()};
    run(it.set("k", "v"));
    boost::asio::io_context context;
    bool done = false;
    boost::asio::co_spawn(
        context,
        [&]() -> boost::asio::awaitable<void> {
            for (int i = 0; i != 100; ++i) {
                const auto v = co_await it.get("k");
                CHECK(v == "v");
            }
            done = true;
        },
        boost::asio::detached);
    CHECK(context.run_one() == 1); // the start of the coroutine, and nothing after it
    CHECK(done);
}

TEST_CASE("an operation owns what it works on") {
    frozen t;
    auto it = std::make_unique<cache<int>>(memory_backend(), cache_config{.env = t.env()});
    auto setting = it->set("k", 5);
    auto getting = it->get("k");
    auto many = it->get_many({"k"});
    it.reset();
    run(std::move(setting));
    CHECK(run(std::move(getting)) == 5);
    CHECK(run(std::move(many))[0].value() == 5);
}

TEST_CASE("a cache closes and clears its backend") {
    frozen t;
    const memory_backend memory({.env = t.env()});
    cache<int> it(memory, {.env = t.env()});
    run(it.set_many({{"a", 1}, {"b", 2}, {"c", 3}}, 1s));
    run(it.set("d", 4));
    t.clock->advance(1s);
    CHECK(run(it.clear_expired()).deleted == 3);
    CHECK(run(it.clear_all()).deleted == 1);
    CHECK(memory.stats().entries == 0);
    run(it.close());
    cache<int> other{minimal_backend()};
    CHECK_THROWS_MATCHES(run(other.clear_all()), error, with_code(errc::invalid_argument));
}
