// SPDX-License-Identifier: BSL-1.0
// When credentials are fetched again, who waits for it, and what everybody gets when it fails.
#include "aws/refresh_schedule.hpp"
#include "aws/refreshing_provider.hpp"
#include "unit/aws/fixtures.hpp"
#include "unit/aws/moody_executor.hpp"

#include <codynamo/testing/manual_clock.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <future>
#include <latch>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

using namespace codynamo;
using namespace codynamo::aws;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using testing_support::message_of;
using testing_support::run;

namespace {

using codynamo::testing::manual_clock;

/// Gives what it is told, when it is told.
class scripted_source final : public detail::credential_source {
public:
    enum class reply { found, unset, broken };

    explicit scripted_source(std::shared_ptr<manual_clock> time) : time_(std::move(time)) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "scripted"; }

    [[nodiscard]] asio::awaitable<credentials> fetch() override {
        const int number = ++fetches;
        const int others = running_++;
        at_most_running = std::max<int>(at_most_running, others + 1);
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        {
            const std::lock_guard lock(mutex_);
            last_executor_ = executor;
        }
        while (held)
            co_await asio::post(asio::deferred);
        --running_;
        if (says == reply::unset) throw not_configured("nothing here");
        if (says == reply::broken) throw error(errc::no_credentials, "the service is away");
        credentials fresh(same_key ? "key" : "key-" + std::to_string(number), "secret");
        const auto lent = lifetime.load();
        if (lent != 0s) fresh.expires = time_->now() + lent;
        if (same_expiry) fresh.expires = same_expiry;
        co_return fresh;
    }

    std::atomic<reply> says = reply::found;
    /// 0: without an expiry.
    std::atomic<std::chrono::seconds> lifetime{3600s};
    /// Before anybody fetches.
    bool same_key = false;
    std::optional<timestamp> same_expiry{};
    std::atomic<bool> held = false;
    std::atomic<int> fetches = 0;
    std::atomic<int> at_most_running = 0;

private:
    std::shared_ptr<manual_clock> time_;
    std::atomic<int> running_ = 0;
    std::mutex mutex_;
    asio::any_io_executor last_executor_;
};

using reply = scripted_source::reply;

class fixed_random final : public random_source {
public:
    [[nodiscard]] std::uint64_t next() noexcept override { return 0; }
};

struct bench {
    std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
    std::shared_ptr<scripted_source> source = std::make_shared<scripted_source>(time);
    std::vector<std::string> log;
    credentials_provider_ptr provider;

    explicit bench(detail::refresh_policy policy = {}) {
        environment env{};
        env.time = time;
        env.random = std::make_shared<fixed_random>();
        env.log.level = log_level::debug;
        env.log.sink = [this](log_level, std::string_view line) { log.emplace_back(line); };
        env = testing_support::tapped(std::move(env));
        provider = detail::refreshing(source, env, policy);
    }

    std::string key() { return run(provider->resolve())->access_key_id; }
    /// Of what is at hand; "none" when resolve() has to be asked.
    std::string hand() const {
        const auto at_hand = provider->current();
        return at_hand ? at_hand->access_key_id : "none";
    }
};

/// Waits for `what` on `where` and says what came of it.
struct waiting {
    std::string result = "waiting";
    asio::cancellation_signal stop;

    void start(const asio::any_io_executor& where, credentials_provider_ptr provider) {
        asio::co_spawn(where, ask(std::move(provider), result),
                       asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
    }

    /// For an executor that dies before `stop` does.
    void start_for_good(const asio::any_io_executor& where, credentials_provider_ptr provider) {
        asio::co_spawn(where, ask(std::move(provider), result), asio::detached);
    }

private:
    static asio::awaitable<void> ask(credentials_provider_ptr from, std::string& out) {
        try {
            const auto found = co_await from->resolve();
            out = found->access_key_id;
        } catch (const std::exception& why) {
            out = why.what();
        }
    }
};

void poll(asio::io_context& context, int steps) {
    context.restart();
    for (int i = 0; i != steps; ++i)
        context.poll_one();
}

} // namespace

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
    b.source->held = false;
    context.restart();
    context.run();
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
    b.source->held = false;
    context.restart();
    context.run();
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
    REQUIRE(b.log.size() == 1);
    CHECK(b.log[0] == "credentials could not be refreshed, going on with the present ones: "
                      "scripted: the service is away");
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
    CHECK(message_of(errc::no_credentials, [&] { (void)b.key(); }) == "the service is away");
    // With nothing valid every new caller tries, as nothing is lost by it.
    CHECK(message_of(errc::no_credentials, [&] { (void)b.key(); }) == "the service is away");
    CHECK(b.source->fetches == 4);
    b.source->says = reply::found;
    CHECK(b.key() == "key-5");
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

TEST_CASE("credentials that have expired on arrival are a failure") {
    bench b;
    b.source->lifetime = -1s;
    CHECK(message_of(errc::no_credentials, [&] { (void)b.key(); }) ==
          "the credentials have expired already");
    CHECK(b.hand() == "none");
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
    CHECK(b.log.size() == 1);
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
        CHECK(b.log.size() == 1);
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

TEST_CASE("a cancelled waiter leaves, and the fetch goes on for the others") {
    bench b;
    asio::io_context context;
    waiting first, second;
    b.source->held = true;
    first.start(context.get_executor(), b.provider);
    second.start(context.get_executor(), b.provider);
    poll(context, 20);
    CHECK(b.source->fetches == 1);
    first.stop.emit(asio::cancellation_type::terminal);
    poll(context, 20);
    CHECK(first.result != "waiting");
    CHECK(second.result == "waiting");
    b.source->held = false;
    context.restart();
    context.run();
    CHECK(second.result == "key-1");
    CHECK(b.source->fetches == 1);
    CHECK(b.hand() == "key-1");
}

TEST_CASE("a fetch goes on when all who waited for it were cancelled") {
    bench b;
    asio::io_context context;
    waiting only;
    b.source->held = true;
    only.start(context.get_executor(), b.provider);
    poll(context, 20);
    only.stop.emit(asio::cancellation_type::terminal);
    poll(context, 20);
    b.source->held = false;
    context.restart();
    context.run();
    CHECK(only.result != "waiting");
    CHECK(only.result != "key-1");
    CHECK(b.hand() == "key-1");
}

TEST_CASE("when the context of the fetch is destroyed the waiters of others fetch themselves") {
    bench b;
    auto doomed = std::make_unique<asio::io_context>();
    asio::io_context living;
    waiting starter, guest;
    b.source->held = true;
    starter.start_for_good(doomed->get_executor(), b.provider);
    poll(*doomed, 20);
    guest.start(living.get_executor(), b.provider);
    poll(living, 20);
    CHECK(b.source->fetches == 1);
    CHECK(guest.result == "waiting");
    b.source->held = false;
    doomed.reset();
    living.restart();
    living.run();
    CHECK(starter.result == "waiting");
    CHECK(guest.result == "key-2");
}

TEST_CASE("a fetch whose first step never came is found dead as well") {
    bench b;
    auto doomed = std::make_unique<asio::io_context>();
    waiting starter;
    starter.start_for_good(doomed->get_executor(), b.provider);
    poll(*doomed, 2);
    doomed.reset();
    CHECK(b.key() == "key-" + std::to_string(b.source->fetches));
    CHECK(starter.result == "waiting");
}

TEST_CASE("the context of a waiter may be destroyed while the fetch goes on elsewhere") {
    bench b;
    asio::io_context living;
    auto doomed = std::make_unique<asio::io_context>();
    waiting starter, guest, on_strand;
    b.source->held = true;
    starter.start(living.get_executor(), b.provider);
    poll(living, 20);
    guest.start_for_good(doomed->get_executor(), b.provider);
    on_strand.start_for_good(asio::make_strand(*doomed), b.provider);
    poll(*doomed, 20);
    doomed.reset();
    b.source->held = false;
    living.restart();
    living.run();
    CHECK(starter.result == "key-1");
    CHECK(guest.result == "waiting");
    CHECK(on_strand.result == "waiting");
}

TEST_CASE("a context that waits for another one's fetch does not run out of work") {
    bench b;
    asio::io_context fetching, other;
    waiting starter, guest;
    b.source->held = true;
    starter.start(fetching.get_executor(), b.provider);
    poll(fetching, 20);
    guest.start(other.get_executor(), b.provider);
    std::thread runs([&] { other.run(); });
    b.source->held = false;
    fetching.restart();
    fetching.run();
    runs.join();
    CHECK(guest.result == "key-1");
    CHECK(b.source->fetches == 1);
}

TEST_CASE("a fetch in a context that has stopped running is given up after five seconds") {
    bench b;
    asio::io_context stopped, living;
    waiting starter, first, second;
    b.source->held = true;
    starter.start(stopped.get_executor(), b.provider);
    poll(stopped, 20);
    b.source->held = false;
    first.start(living.get_executor(), b.provider);
    poll(living, 20);
    CHECK(first.result == "waiting");
    b.time->advance(6s);
    second.start(living.get_executor(), b.provider);
    living.restart();
    living.poll();
    CHECK(second.result == "key-2");
    CHECK(first.result == "key-2");
    // It may come back, and is heard no more.
    stopped.restart();
    stopped.run();
    CHECK(b.hand() == "key-2");
    CHECK(starter.result == "key-2");
}

TEST_CASE("a lone waiter gives up a fetch in a context that has stopped running by itself") {
    bench b(detail::refresh_policy{.longest_stall = 20ms});
    asio::io_context stopped, living;
    waiting starter, lone, on_strand;
    b.source->held = true;
    starter.start(stopped.get_executor(), b.provider);
    poll(stopped, 20);
    b.source->held = false;
    lone.start(living.get_executor(), b.provider);
    on_strand.start(asio::make_strand(living), b.provider);
    living.run_for(10s);
    CHECK(lone.result == "key-2");
    CHECK(on_strand.result == "key-2");
    stopped.restart();
    stopped.run();
    CHECK(starter.result == "key-2");
}

TEST_CASE("a lone waiter goes on waiting for a slow fetch in a context that runs") {
    bench b(detail::refresh_policy{.longest_stall = 50ms});
    asio::io_context slow, living;
    waiting starter, lone;
    b.source->held = true;
    starter.start(slow.get_executor(), b.provider);
    poll(slow, 20);
    std::thread runs([&] {
        slow.restart();
        slow.run();
    });
    lone.start(living.get_executor(), b.provider);
    living.run_for(300ms); // several times the stall
    CHECK(lone.result == "waiting");
    CHECK(b.source->fetches == 1);
    b.source->held = false;
    living.restart();
    living.run_for(10s);
    runs.join();
    CHECK(lone.result == "key-1");
    CHECK(b.source->fetches == 1);
}

TEST_CASE("a fetch that could not be started hangs nobody who comes later") {
    bench b;
    const auto mood = std::make_shared<testing_support::moods>();
    asio::io_context context;
    const asio::any_io_executor moody =
        testing_support::moody_executor<>(context.get_executor(), mood);
    const auto asked_before = mood->patience.load();
    waiting first, second;
    first.start(moody, b.provider);
    mood->patience = 0;
    context.run();
    CHECK(first.result != "waiting");
    CHECK(mood->patience < 0);
    CHECK(b.source->fetches == 0);
    mood->patience = asked_before;
    second.start(moody, b.provider);
    context.restart();
    context.run_for(10s);
    CHECK(second.result == "key-1");
}

TEST_CASE("a slow fetch in a context that runs is waited for") {
    bench b;
    asio::io_context slow, living;
    waiting starter, first, second;
    b.source->held = true;
    starter.start(slow.get_executor(), b.provider);
    poll(slow, 20);
    first.start(living.get_executor(), b.provider);
    poll(living, 20);
    poll(slow, 20);
    b.time->advance(60s);
    second.start(living.get_executor(), b.provider);
    poll(living, 20);
    CHECK(b.source->fetches == 1);
    b.source->held = false;
    slow.restart();
    slow.run();
    living.restart();
    living.poll();
    CHECK(first.result == "key-1");
    CHECK(second.result == "key-1");
}

TEST_CASE("many threads and contexts share one fetch after another") {
    constexpr int contexts = 3;
    constexpr int threads = 2;
    constexpr int callers = 40;
    constexpr int rounds = 50;
    bench b;
    std::atomic<int> answers = 0;
    std::atomic<int> wrong = 0;
    std::vector<std::unique_ptr<asio::thread_pool>> pools;
    for (int i = 0; i != contexts; ++i)
        pools.push_back(std::make_unique<asio::thread_pool>(threads));
    auto ask = [&](int number) -> asio::awaitable<void> {
        for (int round = 0; round != rounds; ++round) {
            auto found = b.provider->current();
            if (!found) found = co_await b.provider->resolve();
            if (!found || found->secret_access_key != "secret") ++wrong;
            ++answers;
            if ((number + round) % 7 == 0) b.provider->invalidate(found);
            if ((number + round) % 5 == 0) b.time->advance(1min);
            co_await asio::post(asio::deferred);
        }
    };
    for (int i = 0; i != callers; ++i)
        asio::co_spawn(*pools[static_cast<std::size_t>(i % contexts)], ask(i), asio::detached);
    for (auto& pool : pools)
        pool->join();
    CHECK(answers == callers * rounds);
    CHECK(wrong == 0);
    CHECK(b.source->at_most_running == 1);
    CHECK(b.source->fetches > 10);
}
