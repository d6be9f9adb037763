// SPDX-License-Identifier: BSL-1.0
// Providers of every kind, and calls that do not wait for them longer than they should.
#include "dynamodb/awaited_credentials.hpp"
#include "fake_client.hpp"
#include "support/catch.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace codynamo::dynamodb {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::answer;
using test::fake_world;
using test::get_request;
using test::script;
using test::service_error;
using test_support::run;

namespace {

/// A provider that has nothing at hand, and a resolve() of the test's choice.
class scripted_provider final : public aws::credentials_provider {
public:
    using script = std::function<asio::awaitable<aws::credentials_ptr>()>;
    explicit scripted_provider(script resolve) : resolve_(std::move(resolve)) {}

    std::string_view name() const noexcept override { return "scripted"; }
    aws::credentials_ptr current() const override { return nullptr; }
    asio::awaitable<aws::credentials_ptr> resolve() override {
        ++asked;
        return resolve_();
    }
    int asked = 0;

private:
    script resolve_;
};

aws::credentials_ptr some() {
    return std::make_shared<const aws::credentials>(aws::credentials{"AKIDEXAMPLE", "secret"});
}

asio::awaitable<aws::credentials_ptr> after_turns(int turns) {
    for (int i = 0; i < turns; ++i)
        co_await asio::post(asio::deferred);
    co_return some();
}

/// Does not end before the test says so, and does not listen to anybody else.
asio::awaitable<aws::credentials_ptr> deaf(std::shared_ptr<asio::steady_timer>& release) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    release = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor,
                                                   asio::steady_timer::time_point::max());
    const auto timer = release;
    try {
        co_await timer->async_wait(asio::deferred);
    } catch (const boost::system::system_error&) {
    }
    co_return some();
}

asio::awaitable<aws::credentials_ptr> throwing_something_else() {
    throw std::runtime_error("out of luck");
    co_return nullptr;
}

/// As one does whose own request was cancelled by somebody else.
asio::awaitable<aws::credentials_ptr> throwing_a_cancellation() {
    throw boost::system::system_error(asio::error::operation_aborted);
    co_return nullptr;
}

asio::awaitable<aws::credentials_ptr> nothing() {
    co_return nullptr;
}

} // namespace

TEST_CASE("credentials that take a few turns arrive, without a timer, for each attempt anew") {
    for (const int turns : {0, 1, 10}) {
        INFO(turns);
        fake_world world(script({service_error("InternalServerError", 500), answer("{}")}));
        const auto provider =
            std::make_shared<scripted_provider>([turns] { return after_turns(turns); });
        world.credentials = provider;
        client db(world.client_config());
        CHECK(run(db.attempt(get_request())).has_value());
        CHECK(provider->asked == 2);
        CHECK(world.time->sleeps().size() == 1); // the back-off's
    }
}

TEST_CASE("whatever else a provider does comes as a failure") {
    struct row {
        scripted_provider::script resolve;
        std::string words;
    };
    for (const row& one : {row{throwing_something_else, "scripted threw: out of luck"},
                           row{nothing, "scripted has no credentials"}}) {
        fake_world world(script({answer("{}")}));
        world.credentials = std::make_shared<scripted_provider>(one.resolve);
        client db(world.client_config());
        const auto got = run(db.attempt(get_request()));
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error().code == errc::no_credentials);
        CHECK(got.error().message() == one.words);
        CHECK(world.transport->requests().empty());
    }
}

TEST_CASE("memory that runs out is no failure of the provider's") {
    fake_world world(script({answer("{}")}));
    bool is_short = true;
    world.credentials = std::make_shared<scripted_provider>([&] {
        if (is_short) throw std::bad_alloc();
        return after_turns(1);
    });
    client db(world.client_config());
    CHECK_THROWS_AS(run(db.attempt(get_request())), std::bad_alloc);
    CHECK(world.transport->requests().empty());
    is_short = false;
    CHECK(run(db.attempt(get_request())).has_value());
}

TEST_CASE("a cancellation that nobody asked for is the provider's failure") {
    fake_world world(script({answer("{}")}));
    world.credentials = std::make_shared<scripted_provider>(throwing_a_cancellation);
    client db(world.client_config());
    const auto got = run(db.attempt(get_request()));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == errc::no_credentials);
    CHECK(got.error().message().find("scripted threw: ") == 0);
}

namespace {

/// Its sleeps take two turns and cannot be cut short.
class stubborn_clock final : public clock {
public:
    timestamp now() const noexcept override { return {}; }
    std::chrono::steady_clock::time_point steady_now() const noexcept override { return {}; }
    asio::awaitable<void> sleep_until(std::chrono::steady_clock::time_point) const override {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        for (int i = 0; i < 2; ++i)
            co_await asio::post(asio::deferred);
        slept = true;
    }
    mutable bool slept = false;
};

} // namespace

TEST_CASE("credentials that came in time are not replaced by a deadline a moment later") {
    int in_time = 0;
    for (int turns = 20; turns < 60; ++turns) {
        INFO(turns);
        const auto time = std::make_shared<stubborn_clock>();
        bool was_first = false;
        auto resolve = [&]() -> asio::awaitable<aws::credentials_ptr> {
            auto found = co_await after_turns(turns);
            was_first = !time->slept;
            co_return found;
        };
        const auto provider = std::make_shared<scripted_provider>(resolve);
        const auto got =
            run(credentials_before({}, provider, time, std::make_shared<close_signal>()));
        CHECK(got.has_value() == was_first);
        in_time += was_first ? 1 : 0;
    }
    CHECK(in_time > 0);
    CHECK(in_time < 40);
}

TEST_CASE("a provider that never returns does not hang a call") {
    enum class end { deadline, cancellation };
    for (const end by : {end::deadline, end::cancellation}) {
        fake_world world(script({answer("{}")}));
        std::shared_ptr<asio::steady_timer> release;
        world.credentials =
            std::make_shared<scripted_provider>([&release] { return deaf(release); });
        client db(world.client_config());
        asio::io_context context;
        asio::cancellation_signal signal;
        boost::system::error_code code;
        bool ended = false;
        asio::co_spawn(context, db.attempt(get_request()),
                       asio::bind_cancellation_slot(
                           signal.slot(), [&](const std::exception_ptr& why, const auto& got) {
                               ended = true;
                               try {
                                   if (why) std::rethrow_exception(why);
                                   if (!got) code = got.error().code;
                               } catch (const boost::system::system_error& e) {
                                   code = e.code();
                               }
                           }));
        if (by == end::cancellation) {
            while (!release)
                context.poll_one();
            signal.emit(asio::cancellation_type::terminal);
        }
        context.poll();
        CHECK(ended);
        const boost::system::error_code expected =
            by == end::deadline ? make_error_code(errc::timeout)
                                : make_error_code(asio::error::operation_aborted);
        CHECK(code == expected);
        REQUIRE(release);
        release->cancel(); // its answer comes late, and nobody is there to read it
        context.restart();
        context.run();
        release.reset(); // a timer must not outlive its context
        CHECK(world.transport->requests().empty());
    }
}

TEST_CASE("an executor that is destroyed takes a call and its provider with it") {
    fake_world world(script({answer("{}")}));
    std::shared_ptr<asio::steady_timer> release;
    world.credentials = std::make_shared<scripted_provider>([&release] { return deaf(release); });
    client db(world.client_config());
    bool ended = false;
    {
        asio::io_context context;
        asio::co_spawn(context, db.attempt(get_request()),
                       [&](const std::exception_ptr&, const auto&) { ended = true; });
        for (int i = 0; i < 5; ++i)
            context.poll_one();
        release.reset();
    }
    CHECK_FALSE(ended);
}

namespace {

/// resolve() never answers; valid() gives what the test says.
class hanging_provider final : public aws::credentials_provider {
public:
    std::string_view name() const noexcept override { return "hanging"; }
    std::string describe() const override { return "hanging (at 10.0.0.1)"; }
    aws::credentials_ptr current() const override { return nullptr; }
    aws::credentials_ptr valid() const override { return good; }
    asio::awaitable<aws::credentials_ptr> resolve() override {
        asio::steady_timer timer(co_await asio::this_coro::executor,
                                 asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::deferred);
        co_return nullptr;
    }
    void abandon_renewal() override { ++abandoned; }
    void set_clock_offset(std::chrono::microseconds ahead) override { offsets.push_back(ahead); }

    aws::credentials_ptr good;
    int abandoned = 0;
    std::vector<std::chrono::microseconds> offsets;
};

/// Nobody's sleep ends.
class standing_clock final : public clock {
public:
    timestamp now() const noexcept override { return {}; }
    std::chrono::steady_clock::time_point steady_now() const noexcept override { return {}; }
    asio::awaitable<void> sleep_until(std::chrono::steady_clock::time_point) const override {
        asio::steady_timer timer(co_await asio::this_coro::executor,
                                 asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::deferred);
    }
};

} // namespace

TEST_CASE("a call waits a quarter of its time for a renewal, and then signs with what is valid") {
    for (const auto& [timeout, hold] :
         {std::pair(10'000ms, 1'000ms), std::pair(1'000ms, 250ms), std::pair(40ms, 10ms)}) {
        INFO(timeout.count());
        fake_world world(script({answer("{}")}));
        const auto provider = std::make_shared<hanging_provider>();
        provider->good = some();
        world.credentials = provider;
        client db(world.client_config());
        CHECK_FALSE(test::outcome_of(db, {.timeout = timeout}).code);
        CHECK(world.time->sleeps() == std::vector<std::chrono::microseconds>{hold});
    }
}

TEST_CASE("credentials that did not come in time are named with their source") {
    fake_world world(script({answer("{}")}));
    world.credentials = std::make_shared<hanging_provider>();
    client db(world.client_config());
    const auto why = test::outcome_of(db);
    CHECK(why.code == errc::timeout);
    CHECK(why.message() == "hanging (at 10.0.0.1) did not return credentials before the deadline");
}

TEST_CASE("closing a client ends the calls that wait for credentials, and the renewal") {
    fake_world world(script({answer("{}")}));
    const auto provider = std::make_shared<hanging_provider>();
    client_config config = world.client_config();
    config.credentials = provider;
    config.env.time = std::make_shared<standing_clock>();
    client db(config);
    asio::io_context context;
    std::vector<failure> ended;
    for (int i = 0; i != 3; ++i)
        asio::co_spawn(context, db.attempt(get_request()),
                       [&](const std::exception_ptr& thrown, const auto& got) {
                           CHECK_FALSE(thrown);
                           CHECK_FALSE(got.has_value());
                           if (!got) ended.push_back(got.error());
                       });
    for (int i = 0; i != 500; ++i)
        context.poll_one();
    CHECK(ended.empty());
    asio::co_spawn(context, db.close(),
                   [](const std::exception_ptr& thrown) { CHECK_FALSE(thrown); });
    context.run(); // returns, although neither provider nor clock ever answers
    REQUIRE(ended.size() == 3);
    for (const failure& each : ended)
        CHECK(each.code == errc::closed);
    CHECK(ended[0].message() ==
          "the client was closed while the call waited for hanging (at 10.0.0.1)");
    CHECK(provider->abandoned == 4);
}

} // namespace codynamo::dynamodb
