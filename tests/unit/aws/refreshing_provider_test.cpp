// SPDX-License-Identifier: BSL-1.0
// When credentials are fetched again, and what everybody gets when that fails.
#include "unit/aws/refreshing_bench.hpp"

#include <deque>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace codynamo::testing_support;
using namespace codynamo::testing_support::refreshing;
using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST_CASE("credentials without an expiry are fetched once, and again when they were refused") {
    bench b;
    b.source->lifetime = 0s;
    CHECK(b.provider->name() == "scripted");
    CHECK(b.hand() == "none");
    CHECK(b.key() == "key-1");
    b.time->advance(24h * 365);
    CHECK(b.hand() == "key-1");
    CHECK(b.key() == "key-1");
    b.provider->invalidate(std::make_shared<const credentials>("key-1", "secret"));
    CHECK(b.hand() == "key-1");
    b.provider->invalidate(nullptr);
    CHECK(b.hand() == "key-1");
    b.provider->invalidate(b.provider->current());
    CHECK(b.hand() == "none");
    CHECK(b.key() == "key-2");
}

TEST_CASE("within 15 minutes of the expiry one fetch runs in the background") {
    bench b;
    CHECK(b.key() == "key-1");
    b.time->advance(44min + 59s);
    CHECK(b.hand() == "key-1");
    b.time->advance(2s);
    CHECK(b.hand() == "none");

    asio::io_context context;
    waiting first, second;
    b.source->held = true;
    first.start(context.get_executor(), b.provider);
    poll(context, 3);
    CHECK(first.result == "key-1");
    CHECK(b.source->fetches == 2);
    CHECK(b.hand() == "key-1");
    second.start(context.get_executor(), b.provider);
    poll(context, 5);
    CHECK(second.result == "key-1");
    CHECK(b.source->fetches == 2);
    b.release(context);
    CHECK(b.hand() == "key-2");
    CHECK(b.source->fetches == 2);
}

TEST_CASE("within 10 minutes of the expiry callers wait, all for the same fetch") {
    bench b;
    CHECK(b.key() == "key-1");
    b.time->advance(50min + 1s);
    asio::io_context context;
    std::vector<waiting> callers(64);
    b.source->held = true;
    for (auto& each : callers)
        each.start(context.get_executor(), b.provider);
    poll(context, 500);
    CHECK(b.source->fetches == 2);
    for (const auto& each : callers)
        CHECK(each.result == "waiting");
    b.release(context);
    for (const auto& each : callers)
        CHECK(each.result == "key-2");
    CHECK(b.source->fetches == 2);
    CHECK(b.source->at_most_running == 1);
}

TEST_CASE("a refresh that fails serves what is still valid, and backs off") {
    bench b;
    CHECK(b.key() == "key-1");
    b.source->says = reply::broken;
    b.time->advance(46min);
    CHECK(b.key() == "key-1"); // and fetches in the background
    CHECK(b.source->fetches == 2);
    REQUIRE(b.log.all().size() == 1);
    CHECK(b.log.all()[0] ==
          "credentials could not be refreshed, using the present ones (they expire at "
          "2023-11-14T23:13:20Z): scripted: the service is away");
    // 10 s, 20 s, 40 s …, half of each as the random source is zero.
    for (const auto pause : {5s, 10s, 20s, 40s}) {
        INFO(pause.count());
        const int before = b.source->fetches;
        b.time->advance(pause - 1ms);
        CHECK(b.hand() == "key-1");
        CHECK(b.key() == "key-1");
        CHECK(b.source->fetches == before);
        b.time->advance(1ms);
        CHECK(b.hand() == "none");
        CHECK(b.key() == "key-1");
        CHECK(b.source->fetches == before + 1);
    }
    b.source->says = reply::found;
    b.time->advance(5min);
    CHECK(b.key() == "key-7"); // by then callers wait
    CHECK(b.hand() == "key-7");
}

TEST_CASE("in the mandatory window too a failure serves what is still valid") {
    bench b;
    CHECK(b.key() == "key-1");
    b.source->says = reply::broken;
    b.time->advance(55min);
    CHECK(b.key() == "key-1");
    CHECK(b.source->fetches == 2);
    CHECK(b.key() == "key-1");
    CHECK(b.source->fetches == 2);
    b.time->advance(5min);
    for (int i = 0; i != 3; ++i) { // and then it is left alone for a while
        CHECK(message_of(errc::no_credentials, [&] { (void)b.key(); }) == "the service is away");
        CHECK(b.source->fetches == 3);
    }
    b.source->says = reply::found;
    b.time->advance(500ms);
    CHECK(b.key() == "key-4");
}

TEST_CASE("credentials of a short life are not fetched in a circle") {
    bench b;
    b.source->lifetime = 8min;
    CHECK(b.key() == "key-1");
    CHECK(b.key() == "key-2"); // there might have been better ones
    for (int i = 0; i != 10; ++i)
        CHECK(b.key() == "key-2");
    b.time->advance(4min - 1s);
    CHECK(b.hand() == "key-2");
    b.time->advance(1s);
    CHECK(b.key() == "key-3");
    CHECK(b.source->fetches == 3);
}

TEST_CASE("credentials that have expired on arrival are a failure, by a clock that is known") {
    bench b;
    b.provider->set_clock_offset(0s);
    b.source->lifetime = -1s;
    CHECK(message_of(errc::no_credentials, [&] { (void)b.key(); }) ==
          "the credentials expired at 2023-11-14T22:13:19Z, 1 s before they were received; check "
          "this machine's clock, and whether scripted returns old credentials");
    CHECK(b.hand() == "none");
    b.time->advance(1s);
    b.provider->set_clock_offset(7200s);
    CHECK(
        message_of(errc::no_credentials, [&] { (void)b.key(); }) ==
        "the credentials expired at 2023-11-14T22:13:20Z, 7201 s before they were received by the "
        "clock of the service, which is 7200 s ahead of this machine's; check this machine's "
        "clock, and whether scripted returns old credentials");
}

TEST_CASE("credentials that have expired only by a learnt offset are tried, for a minute at most") {
    bench b;
    b.provider->set_clock_offset(8h); // and then NTP corrects this machine's clock
    b.source->lifetime = 6h;
    CHECK(b.key() == "key-1");
    CHECK(b.key() == "key-1");
    CHECK(b.source->fetches == 1);
    b.time->advance(61s);
    CHECK(b.key() != "");
    CHECK(b.source->fetches == 2);
    b.provider->set_clock_offset(0s); // the answer to what they signed has shown the clock
    b.time->advance(1h);
    CHECK(b.key() == "key-2");
    CHECK(b.source->fetches == 2);
}

TEST_CASE("expiry is judged by the service's clock as soon as it is known") {
    bench b;
    // Our clock is two hours ahead: what lives for an hour has expired an hour ago.
    b.source->lifetime = -3600s;
    CHECK(b.key() == "key-1"); // the service judges
    CHECK(b.hand() == "key-1");
    SECTION("which says that our clock is wrong") {
        b.provider->set_clock_offset(-7200s);
        CHECK(b.hand() == "key-1");
        b.time->advance(46min);
        CHECK(b.hand() == "none");
        CHECK(b.key() == "key-1"); // and fetches in the background
        CHECK(b.hand() == "key-2");
    }
    SECTION("which says that our clock is right") {
        b.provider->set_clock_offset(0s);
        CHECK(b.hand() == "none");
        message_of(errc::no_credentials, [&] { (void)b.key(); });
    }
}

TEST_CASE("a renewal that takes longer than a second is not waited for") {
    for (const auto at : {50min, 59min}) {
        INFO(at.count());
        bench b;
        CHECK(b.key() == "key-1");
        b.time->advance(at);
        b.time->advance(1s);
        asio::io_context context;
        waiting first, second;
        b.hold(first, context);
        CHECK(first.result == "waiting");
        CHECK(b.hand() == "none");
        b.time->advance(1s);
        CHECK(b.hand() == "key-1");
        second.start(context.get_executor(), b.provider);
        poll(context, 20);
        CHECK(second.result == "key-1");
        // Who waits already decides for himself.
        CHECK(b.log.all().empty());
        REQUIRE(b.provider->valid());
        CHECK(b.provider->valid()->access_key_id == "key-1");
        REQUIRE(b.log.all().size() == 1);
        CHECK(b.log.all()[0] ==
              "credentials are not renewed yet, using the present ones (they expire at "
              "2023-11-14T23:13:20Z): scripted has not answered");
        CHECK(b.source->fetches == 2);
        b.release(context);
        CHECK(first.result == "key-2");
    }
}

TEST_CASE("a renewal that hangs until the end fails nobody before the credentials expire") {
    bench b;
    b.source->lifetime = 50s;
    CHECK(b.key() == "key-1");
    CHECK(b.key() == "key-2");
    asio::io_context context;
    waiting first;
    std::deque<waiting> callers;
    b.time->advance(26s);
    b.hold(first, context);
    for (int second = 1; second != 24; ++second) {
        b.time->advance(1s);
        INFO(second);
        waiting& caller = callers.emplace_back();
        caller.start(context.get_executor(), b.provider);
        poll(context, 20);
        CHECK(caller.result == "key-2");
    }
    b.time->advance(1s);
    CHECK(b.hand() == "none");
    CHECK_FALSE(b.provider->valid());
    b.release(context);
}

TEST_CASE("a provider says for messages what it knows") {
    bench b;
    CHECK(b.provider->describe() == "scripted");
    b.memory->set_server("169.254.170.2");
    CHECK(b.provider->describe() == "scripted (169.254.170.2)");
    CHECK(b.key() == "key-1");
    CHECK(b.provider->describe() ==
          "scripted (169.254.170.2; credentials valid until 2023-11-14T23:13:20Z)");
    b.time->advance(2h);
    CHECK(b.provider->describe() ==
          "scripted (169.254.170.2; credentials expired at 2023-11-14T23:13:20Z)");
    const auto chain = chain_credentials({b.provider});
    CHECK(chain->describe() == "chain");
    CHECK(run(chain->resolve())->access_key_id == "key-2");
    CHECK(chain->describe() == b.provider->describe());
    CHECK(chain->valid() == b.provider->current());
}

TEST_CASE("a renewal that is abandoned ends, and a caller that still waits starts another") {
    bench b;
    asio::io_context context;
    waiting leaving, staying;
    b.hold(leaving, context);
    staying.start(context.get_executor(), b.provider);
    poll(context, 20);
    CHECK(b.source->fetches == 1);
    leaving.stop.emit(asio::cancellation_type::terminal);
    b.provider->abandon_renewal();
    poll(context, 50);
    CHECK(b.source->fetches == 2);
    CHECK(staying.result == "waiting");
    staying.stop.emit(asio::cancellation_type::terminal);
    poll(context, 20);
    b.provider->abandon_renewal();
    drain(context); // returns although the source would never answer
    CHECK(leaving.result != "waiting");
    CHECK(staying.result != "waiting");
    b.source->held = false;
    CHECK(b.key() == "key-3");
}

TEST_CASE("without any credentials a source that fails is left alone, longer each time") {
    bench b;
    b.source->says = reply::broken;
    const auto fails = [&] {
        return message_of(errc::no_credentials, [&] { (void)b.key(); }) == "the service is away";
    };
    CHECK(fails());
    // 1 s, 2 s, 4 s …, at most a minute, half of each as the random source is zero.
    for (const auto pause : {500ms, 1000ms, 2000ms, 4000ms, 8000ms, 16'000ms, 30'000ms, 30'000ms}) {
        INFO(pause.count());
        const int before = b.source->fetches;
        b.time->advance(pause - 1ms);
        for (int i = 0; i != 10; ++i)
            CHECK(fails());
        CHECK(b.source->fetches == before);
        b.time->advance(1ms);
        CHECK(fails());
        CHECK(b.source->fetches == before + 1);
    }
    b.source->says = reply::found;
    b.time->advance(30s);
    CHECK(b.hand() == "none");
    CHECK(b.key() == "key-10");
}

TEST_CASE("with static stability expired credentials go on when there are no others") {
    bench b(detail::refresh_policy{true});
    CHECK(b.key() == "key-1");
    SECTION("because the source is away") {
        b.source->says = reply::broken;
    }
    SECTION("because the source gives expired ones") {
        b.source->lifetime = -1s;
    }
    b.time->advance(2h);
    const std::string served = b.key();
    CHECK(served == (b.source->says == reply::broken ? "key-1" : "key-2"));
    CHECK(b.source->fetches == 2);
    CHECK(b.log.all().size() == 1);
    b.time->advance(10min - 1s);
    CHECK(b.hand() == served);
    CHECK(b.source->fetches == 2);
    b.time->advance(2s);
    CHECK(b.hand() == "none");
    CHECK(b.key() == served); // nobody waits for it
    CHECK(b.source->fetches == 3);
    b.source->says = reply::found;
    b.source->lifetime = 3600s;
    b.time->advance(11min);
    (void)b.key();
    CHECK(b.hand() == "key-4");
}

TEST_CASE("static stability never takes expired credentials for ones that last longer") {
    bench b(detail::refresh_policy{true});
    CHECK(b.key() == "key-1");
    b.source->lifetime = -1s;
    SECTION("which are still valid") {
        b.time->advance(55min);
        CHECK(b.key() == "key-1");
        CHECK(b.log.all().size() == 1);
        b.time->advance(4s);
        CHECK(b.hand() == "key-1");
        CHECK(b.source->fetches == 2); // it backs off as after any failure
    }
    SECTION("which have expired later") {
        b.time->advance(61min);
        b.source->lifetime = -10min;
        CHECK(b.key() == "key-1");
        CHECK(b.hand() == "key-1");
    }
}

TEST_CASE("expired credentials that are refused are fetched once more, and not at each refusal") {
    bench b(detail::refresh_policy{true});
    b.provider->set_clock_offset(0s);
    b.source->same_key = true;
    CHECK(b.key() == "key");
    b.time->advance(2h);
    b.source->lifetime = -1s;
    b.source->same_expiry = b.time->now() - 1s;
    CHECK(b.key() == "key");
    CHECK(b.source->fetches == 2);
    for (int i = 0; i != 5; ++i) {
        b.provider->invalidate(b.provider->current());
        CHECK(b.key() == "key");
        CHECK(b.source->fetches == 3);
    }
    b.time->advance(11min);
    b.source->same_expiry.reset();
    b.source->lifetime = 3600s;
    (void)b.key(); // has it fetched in the background
    CHECK(b.source->fetches == 4);
    b.provider->invalidate(b.provider->current());
    CHECK(b.hand() == "none");
    CHECK(b.key() == "key");
    CHECK(b.source->fetches == 5);
}

TEST_CASE("static stability needs something to be stable with") {
    bench b(detail::refresh_policy{true});
    b.source->says = reply::broken;
    CHECK(message_of(errc::no_credentials, [&] { (void)b.key(); }) == "the service is away");
}

TEST_CASE("what is not configured stays so for everybody who waits") {
    bench b;
    b.source->says = reply::unset;
    for (int i = 0; i != 2; ++i) {
        try {
            (void)b.key();
            FAIL("nothing was thrown");
        } catch (const not_configured& unset) {
            CHECK(unset.info().message == "not configured: nothing here");
        }
    }
}
