// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/log_lines.hpp"
#include "support/run.hpp"
#include "unit/cache/backends.hpp"

#include <codynamo/layered_backend.hpp>
#include <codynamo/memory_backend.hpp>
#include <codynamo/testing/contract.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <new>

using namespace codynamo;
using namespace codynamo::test_support;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

struct layers : frozen {
    layers() {
        layered_backend_config config{.env = env()};
        config.env.log.level = log_level::warning;
        config.env.log.sink = log.sink();
        it.emplace(std::vector<any_backend>{top, middle, low}, std::move(config));
    }
    std::optional<record> get(std::string key) { return run(it->load(std::move(key))); }
    void put(std::string key, record r) { run(it->store(std::move(key), std::move(r))); }
    /// Which layers hold the key, from the top, and with what.
    std::string held(const std::string& key) const {
        std::string found;
        for (const scripted_backend* layer : {&top, &middle, &low}) {
            const auto at = layer->kept().find(key);
            found += at == layer->kept().end() ? "-" : at->second.value;
            found += ' ';
        }
        return found;
    }

    scripted_backend top, middle, low;
    testing_support::log_lines log;
    std::optional<layered_backend> it;
};

} // namespace

TEST_CASE("layers keep the backend contract") {
    const std::vector<std::string> none;
    const auto two = run(testing::check_backend(
        {.make = [] { return layered_backend(memory_backend(), memory_backend()); }}));
    CHECK(two == none);
    const auto three = run(testing::check_backend(
        {.make =
             [] { return layered_backend(memory_backend(), minimal_backend(), minimal_backend()); },
         .clears = false}));
    CHECK(three == none);
    const auto one = run(testing::check_backend(
        {.make = [] { return layered_backend(std::vector<any_backend>{memory_backend()}); }}));
    CHECK(one == none);
    CHECK_THROWS_AS(layered_backend(std::vector<any_backend>{}), error);
}

TEST_CASE("a write goes to the lowest layer first and then upward") {
    layers t;
    std::string order;
    const auto note = [&](const char* layer) {
        return [&order, layer]() -> asio::awaitable<void> {
            order += layer;
            co_return;
        };
    };
    t.top.play_book().before_store = note("top ");
    t.middle.play_book().before_store = note("middle ");
    t.low.play_book().after_store = note("low ");
    t.put("k", t.made("v"));
    CHECK(order == "low middle top ");
    CHECK(t.held("k") == "v v v ");
}

TEST_CASE("a read asks from the top and copies what it finds upward, with its original times") {
    layers t;
    const record r = t.made("v", 10s, 4s);
    t.low.kept()["k"] = r;
    CHECK(t.get("k")->value == "v");
    CHECK(t.held("k") == "v v v ");
    CHECK(t.top.kept()["k"].written == r.written);
    CHECK(t.top.kept()["k"].lifetime == r.lifetime);
    t.low.kept().clear();
    t.top.kept().clear();
    CHECK(t.get("k")->value == "v");
    CHECK(t.held("k") == "v v - ");
    t.clock->advance(6s);
    CHECK_FALSE(t.get("k"));
}

TEST_CASE("an expired record is not copied upward, and an expired copy hides nothing") {
    layers t;
    t.low.kept()["k"] = t.made("old", 1s, 1s);
    const auto found = t.get("k");
    CHECK((!found || !is_fresh(*found, t.clock->now())));
    CHECK(t.held("k") == "- - old ");
    t.top.kept()["k"] = t.made("stale", 1s, 1s);
    t.low.kept()["k"] = t.made("new", 1h);
    CHECK(t.get("k")->value == "new");
    CHECK(t.held("k") == "new new new ");
}

TEST_CASE("an older copy does not replace a newer one") {
    layers t;
    t.low.kept()["k"] = t.made("older", 1h, 5s);
    t.low.play_book().after_load = [&]() -> asio::awaitable<void> {
        t.top.kept()["k"] = t.made("newer", 1h, 1s); // by another process that shares the layer
        co_return;
    };
    t.get("k");
    CHECK(t.held("k") == "newer older older ");
}

TEST_CASE("a write removes copies that seem newer because another clock was ahead") {
    layers t;
    t.top.kept()["k"] = t.made("from the future", 1h, -1h);
    t.put("k", t.made("mine", 1h));
    CHECK(t.held("k") == "- - mine ");
    CHECK(t.get("k")->value == "mine");
}

TEST_CASE("a late copy of one process does not hide what another process wrote meanwhile") {
    for (const bool own_top : {false, true}) {
        for (const bool many : {false, true}) {
            INFO((own_top ? "only the middle layer is shared" : "all layers are shared")
                 << (many ? ", store_many" : ", store"));
            layers t;
            const scripted_backend other_top = own_top ? scripted_backend() : t.top;
            layered_backend other({other_top, t.middle, t.low}, {.env = t.env()});
            t.low.play_book().after_store = [&]() -> asio::awaitable<void> {
                co_await other.store("k", t.made("newer", 1h));
            };
            const record older = t.made("older", 1h, 1s);
            if (many)
                CHECK(run(t.it->store_many({{"k", older}})).at(0).has_value());
            else
                t.put("k", older);
            CHECK(t.held("k") == "- - newer ");
            CHECK(t.get("k")->value == "newer");
            CHECK(run(other.load("k"))->value == "newer");
        }
    }
}

TEST_CASE("two processes over a shared memory layer end with the truth") {
    frozen t;
    const memory_backend shared({.env = t.env()});
    const scripted_backend low;
    layered_backend one({shared, low}, {.env = t.env()});
    layered_backend other({shared, low}, {.env = t.env()});
    low.play_book().after_store = [&]() -> asio::awaitable<void> {
        co_await other.store("k", t.made("newer", 1h));
    };
    run(one.store("k", t.made("older", 1h, 1s)));
    CHECK(low.kept().at("k").value == "newer");
    CHECK(run(one.load("k"))->value == "newer");
    CHECK(run(other.load("k"))->value == "newer");
}

TEST_CASE("a copy read before a write or erase never survives it") {
    struct row {
        const char* what;
        std::function<asio::awaitable<void>(layers&)> meanwhile;
        const char* held;
    };
    const row table[] = {
        {"erase", [](layers& t) -> asio::awaitable<void> { co_await t.it->erase("k"); }, "- - - "},
        {"discard", [](layers& t) -> asio::awaitable<void> { co_await t.it->discard("k"); },
         "- - - "},
        {"store",
         [](layers& t) -> asio::awaitable<void> { co_await t.it->store("k", t.made("new", 1h)); },
         "new new new "},
        {"store with an older time",
         [](layers& t) -> asio::awaitable<void> {
             co_await t.it->store("k", t.made("new", 1h, 10h));
         },
         "new new new "},
        {"touch",
         [](layers& t) -> asio::awaitable<void> { co_await t.it->touch("k", t.clock->now(), 2h); },
         "- - old "},
        {"erase_many",
         [](layers& t) -> asio::awaitable<void> {
             std::vector<std::string> keys{"k"};
             co_await t.it->erase_many(std::move(keys));
         },
         "- - - "},
        {"store_many",
         [](layers& t) -> asio::awaitable<void> {
             std::vector<keyed_record> records;
             records.emplace_back("k", t.made("new", 1h));
             co_await t.it->store_many(std::move(records));
         },
         "new new new "},
    };
    for (const row& r : table) {
        // The value has been read below, but has not arrived yet.
        layers t;
        INFO(r.what);
        t.low.kept()["k"] = t.made("old", 1h, 1s);
        t.low.play_book().after_load = [&]() -> asio::awaitable<void> {
            t.low.play_book().after_load = nullptr;
            co_await r.meanwhile(t);
        };
        CHECK(t.get("k")->value == "old");
        CHECK(t.held("k") == r.held);
    }
    for (const row& r : table) {
        // The copy is on its way into the layer.
        for (const bool landed : {false, true}) {
            layers t;
            INFO(r.what << (landed ? ", copy landed" : ", copy not landed"));
            t.low.kept()["k"] = t.made("old", 1h, 1s);
            auto& hook =
                landed ? t.middle.play_book().after_store : t.middle.play_book().before_store;
            hook = [&]() -> asio::awaitable<void> { co_await r.meanwhile(t); };
            t.get("k");
            CHECK(t.held("k").find("old ") >= 4); // in no layer but the lowest
            const auto again = t.get("k");
            const auto truth = t.low.kept().find("k");
            CHECK(again.has_value() == (truth != t.low.kept().end()));
            if (again) CHECK(again->value == truth->second.value);
        }
    }
}

TEST_CASE("a copy whose reader began during a write is not trusted") {
    layers t;
    t.low.kept()["k"] = t.made("old", 1h, 1s);
    t.low.play_book().before_store = [&]() -> asio::awaitable<void> {
        const auto early = co_await t.it->load("k");
        CHECK(early->value == "old");
    };
    t.put("k", t.made("new", 1h));
    CHECK(t.get("k")->value == "new");
    CHECK(t.held("k") == "new new new ");
}

TEST_CASE("of two writes at once no copy stays, because only the lowest layer knows the last") {
    layers t;
    t.low.play_book().before_store = [&]() -> asio::awaitable<void> {
        co_await t.it->store("k", t.made("second", 1h));
    };
    t.put("k", t.made("first", 1h));
    CHECK(t.held("k") == "- - first ");
    CHECK(t.get("k")->value == "first");

    // The first writer's copy is slow: the second is through before it lands.
    t.middle.play_book().before_store = [&]() -> asio::awaitable<void> {
        co_await t.it->store("k", t.made("fourth", 1h));
    };
    t.put("k", t.made("third", 1h));
    CHECK(t.get("k")->value == "fourth");
}

TEST_CASE("when the lowest layer cannot be written the copies above go, and the error comes up") {
    layers t;
    t.put("k", t.made("old", 1h));
    const auto timed_out = Catch::Predicate<error>(
        [](const error& e) { return e.code() == make_error_code(errc::timeout); });
    t.low.play_book().before_store = failing(errc::timeout);
    CHECK_THROWS_MATCHES(t.put("k", t.made("new", 1h)), error, timed_out);
    CHECK(t.held("k") == "- - old ");
    CHECK(t.get("k")->value == "old");

    t.low.play_book().before_erase = failing(errc::timeout);
    CHECK_THROWS_MATCHES(run(t.it->erase("k")), error, timed_out);
    t.low.play_book().before_erase = failing(errc::timeout);
    CHECK_THROWS_MATCHES(run(t.it->discard("k")), error, timed_out);
    CHECK(t.held("k") == "- - old ");

    t.get("k");
    t.low.play_book().before_load = failing(errc::timeout); // touch is made up from load
    CHECK_THROWS_MATCHES(run(t.it->touch("k", t.clock->now(), 1h)), error, timed_out);
    CHECK(t.held("k") == "- - old ");
}

TEST_CASE("copies go although memory is short for a moment") {
    layers t;
    t.put("k", t.made("old", 1h));
    t.low.play_book().before_store = failing(errc::timeout);
    t.top.play_book().before_erase = []() -> asio::awaitable<void> {
        throw std::bad_alloc();
        co_return;
    };
    CHECK_THROWS_AS(t.put("k", t.made("new", 1h)), error);
    CHECK(t.held("k") == "- - old ");
    CHECK(t.log.all().empty());
}

TEST_CASE("a layer above that fails is passed over with a warning") {
    layers t;
    t.low.kept()["k"] = t.made("v", 1h);
    t.top.play_book().before_load = failing(errc::throttled);
    CHECK(t.get("k")->value == "v");
    REQUIRE(t.log.all().size() == 1);
    CHECK_THAT(t.log.all()[0], Catch::Contains("layer 0") && Catch::Contains("reading") &&
                                   Catch::Contains("as the script says"));

    t.middle.play_book().before_store = failing(errc::throttled);
    t.put("k", t.made("new", 1h));
    CHECK(t.log.all().size() == 2);
    CHECK(t.held("k") == "- - new "); // what was there is older than the truth

    t.low.play_book().before_load = failing(errc::timeout);
    CHECK_THROWS_AS(t.get("absent"), error);
}

TEST_CASE("many keys: only what is missing above is asked below") {
    layers t;
    t.top.kept()["a"] = t.made("top a", 1h);
    t.middle.kept()["b"] = t.made("middle b", 1h);
    t.low.kept()["a"] = t.made("low a", 1h);
    t.low.kept()["b"] = t.made("low b", 1h);
    t.low.kept()["c"] = t.made("low c", 1h);
    t.low.kept()["d"] = t.made("low d", 1s, 1h);
    const auto found = run(t.it->load_many({"c", "a", "x", "b", "d"}));
    REQUIRE(found.size() == 5);
    CHECK(found[0].value()->value == "low c");
    CHECK(found[1].value()->value == "top a");
    CHECK_FALSE(found[2].value());
    CHECK(found[3].value()->value == "middle b");
    const std::vector<std::string> below = {"load c", "load x", "load d"};
    CHECK(t.low.play_book().calls == below);
    CHECK(t.held("b") == "middle b middle b low b ");
    CHECK(t.held("c") == "low c low c low c ");
    CHECK(t.held("d") == "- - low d ");
}

TEST_CASE("many keys: failures below are per key, failures above are misses") {
    layers t;
    t.low.kept()["a"] = t.made("a", 1h);
    t.low.kept()["b"] = t.made("b", 1h);
    t.top.play_book().before_load = failing(errc::throttled);
    t.low.play_book().before_load = failing(errc::timeout);
    const auto found = run(t.it->load_many({"a", "b"}));
    CHECK(found[0].error().code == errc::timeout);
    CHECK(found[1].value()->value == "b");

    t.get("a");
    t.low.play_book().before_store = failing(errc::timeout);
    const auto stored =
        run(t.it->store_many({{"a", t.made("new a", 1h)}, {"b", t.made("new b", 1h)}}));
    CHECK(stored[0].error().code == errc::timeout);
    CHECK(stored[1].has_value());
    CHECK(t.held("a") == "- - a ");
    CHECK(t.held("b") == "new b new b new b ");
}

TEST_CASE("what is at hand in the top layer is at hand, unless it has expired") {
    frozen t;
    const memory_backend top({.env = t.env()});
    layered_backend it({top, minimal_backend()}, {.env = t.env()});
    run(it.store("k", t.made("v", 1s)));
    record out;
    CHECK(it.load_now("k", out));
    CHECK(out.value == "v");
    t.clock->advance(1s);
    CHECK_FALSE(it.load_now("k", out));
}

TEST_CASE("a copy without a lifetime is at hand without a look at the clock") {
    struct counting_clock final : codynamo::clock {
        [[nodiscard]] timestamp now() const noexcept override {
            ++reads;
            return timestamp(1000h);
        }
        [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const noexcept override {
            return {};
        }
        [[nodiscard]] asio::awaitable<void>
        sleep_until(std::chrono::steady_clock::time_point) const override {
            co_return;
        }
        mutable int reads = 0;
    };
    const auto time = std::make_shared<counting_clock>();
    environment env = testing_support::tapped();
    env.time = time;
    layered_backend it({memory_backend({.env = env}), minimal_backend()}, {.env = env});
    const record unlimited{
        .value = "v", .written = timestamp(1000h), .lifetime = for_ever, .source = {}};
    run(it.store("unlimited", unlimited));
    time->reads = 0;
    record out;
    CHECK(it.load_now("unlimited", out));
    CHECK(run(it.load("unlimited")));
    CHECK(time->reads == 0);
}

TEST_CASE("store_newer leaves all layers alone when a newer record is below") {
    layers t;
    t.put("k", t.made("newer", 1h));
    CHECK_FALSE(run(t.it->store_newer("k", t.made("older", 1h, 1s))));
    CHECK(t.get("k")->value == "newer");
    CHECK(run(t.it->store_newer("k", t.made("newest", 1h, -1s))));
    CHECK(t.held("k") == "newest newest newest ");
}

TEST_CASE("contains looks from the top and copies nothing") {
    layers t;
    t.low.kept()["k"] = t.made("v", 1h);
    CHECK(run(t.it->peek("k")));
    CHECK(t.held("k") == "- - v ");
    t.top.kept()["k"] = t.made("stale", 1s, 1h);
    CHECK(run(t.it->peek("k"))->lifetime == 1h);
}

TEST_CASE("a cancelled write leaves no stale copy above") {
    layers t;
    t.put("k", t.made("old", 1h));
    asio::io_context context;
    asio::cancellation_signal cancel;
    t.low.play_book().after_store = [&]() -> asio::awaitable<void> {
        co_await asio::post(asio::deferred);
        cancel.emit(asio::cancellation_type::terminal);
        co_await asio::post(asio::deferred); // throws instead of suspending
    };
    std::exception_ptr failed;
    asio::co_spawn(context, t.it->store("k", t.made("new", 1h)),
                   asio::bind_cancellation_slot(
                       cancel.slot(), [&](std::exception_ptr e) { failed = std::move(e); }));
    context.run();
    REQUIRE(failed);
    try {
        std::rethrow_exception(failed);
    } catch (const boost::system::system_error& e) {
        CHECK(e.code() == asio::error::operation_aborted);
    }
    CHECK(t.held("k") == "- - new ");
}

TEST_CASE("a reader's cancellation comes through a layer above") {
    layers t;
    t.low.kept()["k"] = t.made("v", 1h);
    t.top.play_book().before_load = []() -> asio::awaitable<void> {
        throw boost::system::system_error(asio::error::operation_aborted);
        co_return;
    };
    CHECK_THROWS_AS(t.get("k"), boost::system::system_error);
    CHECK(t.log.all().empty());
}

TEST_CASE("clearing clears the lowest layer and the copies") {
    frozen t;
    const memory_backend top({.env = t.env()});
    const memory_backend low({.env = t.env()});
    layered_backend it({top, low}, {.env = t.env()});
    run(it.store("a", t.made("v", 1s)));
    run(it.store("b", t.made("v", 1h)));
    t.clock->advance(1s);
    const clear_progress expired = run(it.clear_expired({}, t.clock->now()));
    CHECK(expired.deleted == 1);
    CHECK(expired.kept == 1);
    CHECK(top.stats().entries == 1);
    const clear_progress all = run(it.clear_all({}));
    CHECK(all.deleted == 1);
    CHECK(top.stats().entries == 0);
    CHECK(low.stats().entries == 0);
}
