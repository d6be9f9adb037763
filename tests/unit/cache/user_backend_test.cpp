// SPDX-License-Identifier: BSL-1.0
// What a user's backend throws, from each of its operations and through each way to use it.
#include "support/catch.hpp"
#include "support/log_lines.hpp"
#include "support/run.hpp"
#include "unit/cache/backends.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/layered_backend.hpp>
#include <codynamo/memory_backend.hpp>

#include <boost/asio/error.hpp>

#include <new>
#include <system_error>

using namespace codynamo;
using namespace codynamo::test_support;
using namespace std::chrono_literals;

namespace user_backend_test {

template <class T>
using awaitable = boost::asio::awaitable<T>;
using found_records = std::vector<result<std::optional<record>>>;
using outcomes = std::vector<result<void>>;

/// How an operation fails.
enum class failing_by { coroutine, call, number, std_system_error };

void fail(failing_by how) {
    switch (how) {
    case failing_by::number:
        throw 42; // NOLINT: on purpose
    case failing_by::std_system_error:
        throw std::system_error(std::make_error_code(std::errc::no_space_on_device), "disk");
    default:
        throw std::runtime_error("disk on fire");
    }
}

template <class T>
awaitable<T> fail_later(failing_by how) {
    fail(how);
    co_return T();
}
template <class T>
awaitable<T> failure(failing_by how) {
    if (how == failing_by::call) fail(how);
    return fail_later<T>(how);
}

/// The three functions.
struct broken {
    failing_by how = failing_by::coroutine;
    awaitable<std::optional<record>> load(std::string) {
        return failure<std::optional<record>>(how);
    }
    awaitable<void> store(std::string, record) { return failure<void>(how); }
    awaitable<bool> erase(std::string) { return failure<bool>(how); }
};
template <>
awaitable<void> fail_later<void>(failing_by how) {
    fail(how);
    co_return;
}

/// Everything that a backend can offer.
struct all_broken : broken {
    bool load_now_fails = false;
    bool load_now(std::string_view, record&) {
        if (load_now_fails) fail(how);
        return false;
    }
    awaitable<void> discard(std::string) { return failure<void>(how); }
    awaitable<std::optional<record>> peek(std::string) {
        return failure<std::optional<record>>(how);
    }
    awaitable<bool> touch(std::string, timestamp, ttl) { return failure<bool>(how); }
    awaitable<bool> store_newer(std::string, record) { return failure<bool>(how); }
    awaitable<found_records> load_many(std::vector<std::string>) {
        return failure<found_records>(how);
    }
    awaitable<outcomes> store_many(std::vector<keyed_record>) { return failure<outcomes>(how); }
    awaitable<outcomes> erase_many(std::vector<std::string>) { return failure<outcomes>(how); }
    awaitable<clear_progress> clear_all(clear_options) { return failure<clear_progress>(how); }
    awaitable<clear_progress> clear_expired(clear_options, timestamp) {
        return failure<clear_progress>(how);
    }
    awaitable<void> close() { return failure<void>(how); }
};

/// Has the others at hand, but throws for this key.
struct failing_at_hand : minimal_backend {
    std::string failing_key;
    bool load_now(std::string_view key, record& out) {
        if (key == failing_key) throw std::runtime_error("disk on fire");
        out.value = key;
        return true;
    }
};

/// Answers each batch with one outcome too few.
struct short_of_one : minimal_backend {
    awaitable<found_records> load_many(std::vector<std::string> keys) {
        co_return found_records(keys.size() - 1, result<std::optional<record>>(std::nullopt));
    }
    awaitable<outcomes> store_many(std::vector<keyed_record> records) {
        co_return outcomes(records.size() - 1);
    }
    awaitable<outcomes> erase_many(std::vector<std::string> keys) {
        co_return outcomes(keys.size() - 1);
    }
};

struct cancelled : minimal_backend {
    awaitable<std::optional<record>> load(std::string) {
        throw boost::system::system_error(boost::asio::error::operation_aborted);
        co_return std::nullopt;
    }
};

struct out_of_memory : minimal_backend {
    awaitable<std::optional<record>> load(std::string) {
        throw std::bad_alloc();
        co_return std::nullopt;
    }
};

std::string words_of(failing_by how) {
    switch (how) {
    case failing_by::number:
        return "the backend failed: something that is no std::exception";
    case failing_by::std_system_error:
        return "the backend failed: disk: No space left on device";
    default:
        return "the backend failed: disk on fire";
    }
}

auto failed(failing_by how) {
    return Catch::Predicate<error>([how](const error& e) {
        return e.code() == make_error_code(errc::backend_failed) &&
               e.info().message == words_of(how);
    });
}

template <class Outcome>
void check_outcome(const Outcome& outcome, failing_by how) {
    REQUIRE(outcome.has_error());
    CHECK(outcome.error().code == errc::backend_failed);
    CHECK(outcome.error().message() == words_of(how));
}

void check_cache(cache<int> it, failing_by how) {
    CHECK_THROWS_MATCHES(run(it.get("k")), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.get_entry("k")), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.set("k", 1)), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.erase("k")), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.discard("k")), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.contains("k")), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.touch("k", 1s)), error, failed(how));
    check_outcome(run(it.try_get("k")), how);
    check_outcome(run(it.try_set("k", 1)), how);
    for (const auto& outcome : run(it.get_many({"a", "b"})))
        check_outcome(outcome, how);
    for (const auto& outcome : run(it.set_many({{"a", 1}, {"b", 2}})))
        check_outcome(outcome, how);
    for (const auto& outcome : run(it.erase_many({"a", "b"})))
        check_outcome(outcome, how);
    CHECK(it.stats().errors == 15);
}

void check_backend(const any_backend& it, failing_by how) {
    CHECK_THROWS_MATCHES(run(it.load("k")), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.store("k", {})), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.erase("k")), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.discard("k")), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.peek("k")), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.touch("k", {}, 1s)), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.store_newer("k", {})), error, failed(how));
}

void check_whole_operations(const any_backend& it, failing_by how) {
    CHECK_THROWS_MATCHES(run(it.load_many({"k"})), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.store_many({{"k", {}}})), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.erase_many({"k"})), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.clear_all({})), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.clear_expired({}, {})), error, failed(how));
    CHECK_THROWS_MATCHES(run(it.close()), error, failed(how));
}

} // namespace user_backend_test

using namespace user_backend_test;

TEST_CASE("what a user's backend throws is backend_failed with its words, from every operation") {
    for (const failing_by how : {failing_by::coroutine, failing_by::call, failing_by::number,
                                 failing_by::std_system_error}) {
        INFO("way " << static_cast<int>(how));
        const broken three{how};
        all_broken all;
        all.how = how;
        const layered_backend over_three(memory_backend(), three);
        const layered_backend over_all(memory_backend(), all);

        check_backend(three, how);
        check_backend(all, how);
        check_backend(over_three, how);
        check_backend(over_all, how);
        check_whole_operations(all, how);
        check_whole_operations(over_all, how);
        for (const auto& outcome : run(any_backend(three).load_many({"a", "b"})))
            check_outcome(outcome, how);
        check_cache(cache<int>(three), how);
        check_cache(cache<int>(all), how);
        check_cache(cache<int>(over_three), how);
        check_cache(cache<int>(over_all), how);
        cache<int> whole{over_all};
        CHECK_THROWS_MATCHES(run(whole.clear_all()), error, failed(how));
        CHECK_THROWS_MATCHES(run(whole.clear_expired()), error, failed(how));
        CHECK_THROWS_MATCHES(run(whole.close()), error, failed(how));

        all.load_now_fails = true;
        record r;
        CHECK_THROWS_MATCHES(static_cast<void>(any_backend(all).load_now("k", r)), error,
                             failed(how));
        check_outcome(run(cache<int>(all).try_get("k")), how);
    }
}

TEST_CASE("a broken layer above is passed over, whatever it throws") {
    const frozen t;
    for (const failing_by how : {failing_by::coroutine, failing_by::call, failing_by::number}) {
        all_broken top;
        top.how = how;
        cache<int> it(layered_backend(top, minimal_backend()), {.env = t.env()});
        run(it.set("k", 1));
        CHECK(run(it.get("k")) == 1);
        CHECK(run(it.get_many({"k"}))[0].value() == 1);
        CHECK(run(it.erase("k")));
    }
}

TEST_CASE("a layer above whose load_now throws is passed over with a warning") {
    const frozen t;
    for (const failing_by how : {failing_by::coroutine, failing_by::number}) {
        const testing_support::log_lines log;
        environment env = t.env();
        env.log.level = log_level::warning;
        env.log.sink = log.sink();
        all_broken broken_layer;
        broken_layer.how = how;
        broken_layer.load_now_fails = true;
        layered_backend top({broken_layer, minimal_backend()}, {.env = env});
        run(top.store("k", t.made("v")));
        log.clear();
        record out;
        CHECK_FALSE(top.load_now("k", out));
        REQUIRE(log.all().size() == 1);
        CHECK(log.all()[0] == "layered_backend: layer 0 failed while reading: " + words_of(how));
        CHECK(run(top.load("k"))->value == "v");

        layered_backend middle({minimal_backend(), broken_layer, minimal_backend()}, {.env = env});
        run(middle.store("k", t.made("v")));
        cache<int> it(middle, {.env = t.env()});
        run(it.set("k", 1));
        CHECK(run(it.get("k")) == 1);
        CHECK(run(it.try_get("absent")).value() == std::nullopt);
        CHECK(run(it.get_many({"k", "absent"}))[0].value() == 1);

        // A lowest layer's failure is the caller's.
        layered_backend lowest(std::vector<any_backend>{broken_layer}, {.env = env});
        CHECK_THROWS_MATCHES(static_cast<void>(lowest.load_now("k", out)), error, failed(how));
    }
}

TEST_CASE("a key whose load_now throws is that key's outcome in a made-up batch") {
    failing_at_hand wrapped;
    wrapped.failing_key = "b";
    const auto loaded = run(any_backend(wrapped).load_many({"a", "b", "c"}));
    REQUIRE(loaded.size() == 3);
    CHECK(loaded[0].value()->value == "a");
    check_outcome(loaded[1], failing_by::coroutine);
    CHECK(loaded[2].value()->value == "c");
}

TEST_CASE("a batch of a user's backend that answers too few outcomes is a bad response") {
    const auto bad = Catch::Predicate<error>([](const error& e) {
        return e.code() == make_error_code(errc::bad_response) &&
               e.info().message == "the backend answered 1 outcomes for 2 keys";
    });
    const any_backend it = short_of_one();
    const any_backend layered = layered_backend(minimal_backend(), short_of_one());
    for (const any_backend& one : {it, layered}) {
        CHECK_THROWS_MATCHES(run(one.load_many({"a", "b"})), error, bad);
        CHECK_THROWS_MATCHES(run(one.store_many({{"a", {}}, {"b", {}}})), error, bad);
        CHECK_THROWS_MATCHES(run(one.erase_many({"a", "b"})), error, bad);
        for (const auto& outcome : run(cache<int>(one).get_many({"a", "b"})))
            CHECK(outcome.error().code == errc::bad_response);
    }
}

TEST_CASE("a cancellation, an error and a lack of memory of a user's backend pass as they are") {
    CHECK_THROWS_AS(run(cache<int>(out_of_memory()).get("k")), std::bad_alloc);
    const any_backend it = cancelled();
    CHECK_THROWS_AS(run(it.load("k")), boost::system::system_error);
    CHECK_THROWS_AS(run(cache<int>(it).try_get("k")), boost::system::system_error);
    const scripted_backend scripted;
    scripted.play_book().before_load = failing(errc::throttled);
    CHECK(run(cache<int>(scripted).try_get("k")).error().code == errc::throttled);
}

TEST_CASE("a handle that was moved from works as before") {
    memory_backend memory;
    layered_backend layers(memory, memory_backend());
    any_backend any(layers);
    cache<int> it(any);
    run(it.set("k", 1));

    cache<int> other = std::move(it);
    CHECK(run(it.try_get("k")).value() == 1); // NOLINT(bugprone-use-after-move): on purpose
    cache<int> assigned(memory_backend{});
    assigned = std::move(other);
    CHECK(run(other.get_many({"k"}))[0].value() == 1); // NOLINT(bugprone-use-after-move)
    CHECK(other.stats().hits == 2);
    CHECK(run(assigned.get("k")) == 1);

    const any_backend moved_any = std::move(any);
    CHECK(run(any.load("k"))); // NOLINT(bugprone-use-after-move)
    const layered_backend moved_layers = std::move(layers);
    CHECK(run(layers.load("k"))); // NOLINT(bugprone-use-after-move)
    const memory_backend moved_memory = std::move(memory);
    CHECK(memory.stats().entries == 1); // NOLINT(bugprone-use-after-move)
}
