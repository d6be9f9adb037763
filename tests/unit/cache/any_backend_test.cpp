// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/run.hpp"
#include "unit/cache/backends.hpp"

#include <codynamo/memory_backend.hpp>
#include <codynamo/testing/contract.hpp>

#include <boost/asio/error.hpp>

using namespace codynamo;
using namespace codynamo::test_support;
using namespace std::chrono_literals;

namespace {

/// A clause is noticed when its sentence is among those reported.
template <class Broken>
std::vector<std::string> report_of() {
    return run(testing::check_backend({.make = [] { return Broken(); }, .clears = false}));
}

/// Loses the fraction of the times, as a backend with whole seconds would.
struct coarse : minimal_backend {
    boost::asio::awaitable<void> store(std::string key, record r) {
        r.lifetime = std::chrono::floor<std::chrono::seconds>(r.lifetime);
        return minimal_backend::store(std::move(key), std::move(r));
    }
};

/// Touches without a condition, and so makes ghosts.
struct ghostly : minimal_backend {
    boost::asio::awaitable<bool> touch(std::string key, timestamp now, ttl lifetime) {
        record& r = kept()[key];
        r.written = now;
        r.lifetime = lifetime;
        co_return true;
    }
};

/// Answers a batch in the order of the table and not of the question.
struct shuffling : minimal_backend {
    boost::asio::awaitable<std::vector<result<std::optional<record>>>>
    load_many(std::vector<std::string> keys) {
        std::vector<result<std::optional<record>>> found;
        for (auto at = keys.rbegin(); at != keys.rend(); ++at)
            found.emplace_back(co_await load(*at));
        co_return found;
    }
};

/// Every operation of its own, each telling that it was called.
struct complete : minimal_backend {
    template <class T>
    using awaitable = boost::asio::awaitable<T>;
    std::shared_ptr<std::string> called = std::make_shared<std::string>();

    bool load_now(std::string_view, record&) {
        *called += "load_now ";
        return false;
    }
    awaitable<std::optional<record>> peek(std::string) {
        *called += "peek ";
        co_return std::nullopt;
    }
    awaitable<bool> touch(std::string, timestamp, ttl) {
        *called += "touch ";
        co_return false;
    }
    awaitable<bool> store_newer(std::string, record) {
        *called += "store_newer ";
        co_return false;
    }
    awaitable<std::vector<result<std::optional<record>>>> load_many(std::vector<std::string> keys) {
        *called += "load_many ";
        co_return std::vector<result<std::optional<record>>>(
            keys.size(), result<std::optional<record>>(std::nullopt));
    }
    awaitable<std::vector<result<void>>> store_many(std::vector<keyed_record> records) {
        *called += "store_many ";
        co_return std::vector<result<void>>(records.size());
    }
    awaitable<std::vector<result<void>>> erase_many(std::vector<std::string> keys) {
        *called += "erase_many ";
        co_return std::vector<result<void>>(keys.size());
    }
    awaitable<clear_progress> clear_all(clear_options) {
        *called += "clear_all ";
        co_return clear_progress{};
    }
    awaitable<clear_progress> clear_expired(clear_options, timestamp) {
        *called += "clear_expired ";
        co_return clear_progress{};
    }
    awaitable<void> close() {
        *called += "close ";
        co_return;
    }
};

static_assert(backend<minimal_backend> && backend<complete> && backend<any_backend>);
static_assert(backend<memory_backend> && !backend<int>);

} // namespace

TEST_CASE("three functions are a backend that keeps the whole contract but clearing") {
    const std::vector<std::string> none;
    CHECK(report_of<minimal_backend>() == none);
    CHECK(report_of<scripted_backend>() == none);
}

TEST_CASE("the backend contract notices backends that break it") {
    CHECK_THAT(report_of<coarse>(),
               Catch::VectorContains(
                   std::string("what is stored loads with the same bytes and times: record 2")));
    CHECK_THAT(report_of<ghostly>(),
               Catch::VectorContains(
                   std::string("touching what is not there gives false and creates nothing")));
    CHECK_THAT(report_of<shuffling>(),
               Catch::VectorContains(std::string(
                   "load_many answers in the order of the keys, nullopt for what is not there")));
    const auto clears = run(testing::check_backend({.make = [] { return minimal_backend(); }}));
    CHECK(clears.size() == 2);
    CHECK_THAT(clears.back(), Catch::Contains("this backend cannot clear"));
}

TEST_CASE("what a backend offers is used") {
    const complete wrapped;
    const any_backend it = wrapped;
    record r;
    CHECK_FALSE(it.load_now("k", r));
    run(it.peek("k"));
    run(it.touch("k", {}, 1s));
    run(it.store_newer("k", r));
    run(it.load_many({"k"}));
    run(it.store_many({{"k", r}}));
    run(it.erase_many({"k"}));
    run(it.clear_all({}));
    run(it.clear_expired({}, {}));
    run(it.close());
    CHECK(*wrapped.called == "load_now peek touch store_newer load_many store_many erase_many "
                             "clear_all clear_expired close ");
}

TEST_CASE("clearing a backend that cannot is an invalid argument, closing it is nothing") {
    const any_backend it = minimal_backend();
    const auto refused = Catch::Predicate<error>(
        [](const error& e) { return e.code() == make_error_code(errc::invalid_argument); });
    CHECK_THROWS_MATCHES(run(it.clear_all({})), error, refused);
    CHECK_THROWS_MATCHES(run(it.clear_expired({}, {})), error, refused);
    CHECK_NOTHROW(run(it.close()));
}

TEST_CASE("a made-up batch has an outcome for each key") {
    const frozen t;
    const scripted_backend wrapped;
    const any_backend it = wrapped;
    run(it.store("a", t.made("of a")));
    run(it.store("b", t.made("of b")));

    wrapped.play_book().before_load = failing(errc::throttled);
    const auto found = run(it.load_many({"a", "b", "c"}));
    REQUIRE(found.size() == 3);
    CHECK(found[0].error().code == errc::throttled);
    CHECK(found[1].value()->value == "of b");
    CHECK_FALSE(found[2].value());

    wrapped.play_book().before_store = failing(errc::timeout);
    const auto stored = run(it.store_many({{"x", t.made("1")}, {"y", t.made("2")}}));
    CHECK(stored[0].error().code == errc::timeout);
    CHECK(stored[1].has_value());

    wrapped.play_book().before_erase = failing(errc::timeout);
    const auto erased = run(it.erase_many({"a", "b"}));
    CHECK(erased[0].error().code == errc::timeout);
    CHECK(erased[1].has_value());
    CHECK(wrapped.kept().size() == 2);
}

TEST_CASE("a made-up batch ends where it is cancelled") {
    const scripted_backend wrapped;
    const any_backend it = wrapped;
    wrapped.play_book().before_load = []() -> boost::asio::awaitable<void> {
        throw boost::system::system_error(boost::asio::error::operation_aborted);
        co_return;
    };
    CHECK_THROWS_AS(run(it.load_many({"a", "b"})), boost::system::system_error);
    CHECK(wrapped.play_book().calls.size() == 1);
}
