// SPDX-License-Identifier: BSL-1.0
// Gets that wait for a connection before there is a request: who is served when, and every way in
// which the wait may end.
#include "support/catch.hpp"
#include "support/harness.hpp"
#include "support/stub_server.hpp"
#include "support/tap.hpp"

#include <codynamo/aws/credentials.hpp>
#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/testing/manual_clock.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

/// A server that does not answer until it is told to.
class stalling_server {
public:
    stalling_server()
        : server_({.answer = [this](const std::string& request) {
              std::unique_lock lock(mutex_);
              going_on_.wait(lock, [&] { return !stalls_; });
              (void)request;
              return response("{}");
          }}) {}
    ~stalling_server() { go_on(); }

    void go_on() {
        const std::lock_guard lock(mutex_);
        stalls_ = false;
        going_on_.notify_all();
    }
    [[nodiscard]] std::uint16_t port() const noexcept { return server_.port(); }
    [[nodiscard]] std::size_t requests() const noexcept { return server_.requests(); }

private:
    std::mutex mutex_;
    std::condition_variable going_on_;
    bool stalls_ = true;
    stub_server server_;
};

struct fixture {
    explicit fixture(std::size_t connections) {
        config.table_name = "turns";
        config.region = "us-east-1";
        config.endpoint = "http://127.0.0.1:" + std::to_string(server.port());
        config.credentials = aws::static_credentials({"AKIDEXAMPLE", "secret"});
        config.create = false;
        config.call_timeout = config.attempt_timeout = 20s;
        config.retry.max_attempts = 1;
        config.pool.max_connections = connections;
        config.batching.mode = batching_mode::off;
        config.env = testing_support::tapped();
        config.env.variable = [](const char*) { return std::nullopt; };
    }

    void open() { run(*io, opened()); }
    asio::awaitable<void> opened() { backend.emplace(co_await dynamodb_backend::open(config)); }

    struct ended {
        std::size_t id;
        boost::system::error_code code;
        std::string words;
    };

    void get(std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t id = signals.size();
            const auto slot = signals.emplace_back().slot();
            asio::co_spawn(*io, backend->load("key-" + std::to_string(id)),
                           asio::bind_cancellation_slot(
                               slot, [this, id](std::exception_ptr why, const auto& found) {
                                   CHECK_FALSE(found);
                                   all.push_back({id, code_of(why), words_of(why)});
                                   if (on_end) on_end(id);
                               }));
            settle(); // so that who comes later sees who came before
        }
    }
    void cancel(std::size_t id) { signals[id].emit(asio::cancellation_type::terminal); }
    void settle() {
        io->restart();
        io->poll();
    }
    void run_all() {
        io->restart();
        const auto until = std::chrono::steady_clock::now() + 20s;
        while (all.size() < signals.size() && std::chrono::steady_clock::now() < until)
            io->run_one_until(until);
        REQUIRE(all.size() == signals.size());
    }
    [[nodiscard]] net::transport_stats stats() const { return backend->client().stats(); }
    [[nodiscard]] std::vector<std::size_t> ids() const {
        std::vector<std::size_t> found;
        for (const ended& one : all)
            found.push_back(one.id);
        return found;
    }

    static boost::system::error_code code_of(const std::exception_ptr& why) {
        try {
            if (why) std::rethrow_exception(why);
            return {};
        } catch (const boost::system::system_error& e) {
            return e.code();
        }
    }
    static std::string words_of(const std::exception_ptr& why) {
        try {
            if (why) std::rethrow_exception(why);
            return {};
        } catch (const std::exception& e) {
            return e.what();
        }
    }

    stalling_server server;
    dynamodb_backend_config config;
    std::optional<asio::io_context> io{std::in_place, 1};
    std::optional<dynamodb_backend> backend;
    std::deque<asio::cancellation_signal> signals;
    std::vector<ended> all;
    std::function<void(std::size_t)> on_end;
};

/// Credentials that may be gone, and take a while to come back; or that cannot be asked for at all.
class moody_provider final : public aws::credentials_provider {
public:
    std::atomic<bool> gone{false}, throws{false};
    std::chrono::milliseconds takes{400};

    [[nodiscard]] std::string_view name() const noexcept override { return "moody"; }
    [[nodiscard]] aws::credentials_ptr current() const override {
        if (throws) throw error(errc::no_credentials, "the provider is broken");
        return gone ? nullptr : who_;
    }
    asio::awaitable<aws::credentials_ptr> resolve() override {
        asio::steady_timer timer(co_await asio::this_coro::executor, takes);
        co_await timer.async_wait(asio::deferred);
        gone = false;
        co_return who_;
    }

private:
    aws::credentials_ptr who_ = std::make_shared<const aws::credentials>("AKIDEXAMPLE", "secret");
};

/// Says what it is told for the n-th request, from 0, and after how long.
stub_config answers(std::function<std::string(int)> say,
                    std::function<std::chrono::milliseconds(int)> after) {
    return {.answer = [say = std::move(say), after = std::move(after),
                       n = std::make_shared<std::atomic<int>>(0)](const std::string&) {
        const int i = (*n)++;
        std::this_thread::sleep_for(after(i));
        return say(i);
    }};
}

} // namespace

TEST_CASE("gets that wait for one connection are served in the order of their coming") {
    fixture f(1);
    f.open();
    f.get(50);
    CHECK(f.stats().waiting == 49);
    CHECK(f.server.requests() <= 1);
    f.server.go_on();
    f.run_all();
    for (std::size_t i = 0; i < 50; ++i) {
        CHECK(f.all[i].id == i);
        CHECK_FALSE(f.all[i].code);
    }
    CHECK(f.stats().opened == 1);
    CHECK(f.stats().idle == 1);
    f.get(3); // the queue is gone, and nobody thinks otherwise
    f.run_all();
    CHECK(f.stats().waiting == 0);
}

TEST_CASE("a get that waits is cancelled alone, whenever it happens") {
    fixture f(1);
    f.open();
    f.get(20);

    SECTION("in the queue: at once") {
        f.cancel(10);
        f.settle();
        REQUIRE(f.ids() == std::vector<std::size_t>{10});
        CHECK(f.stats().waiting == 18);
    }
    SECTION("when its turn has come, and it does not know yet") {
        f.on_end = [&](std::size_t id) {
            if (id == 9) f.cancel(10);
        };
    }
    SECTION("while it is served") {
        f.cancel(0);
    }
    f.server.go_on();
    f.run_all();
    std::size_t aborted = 0;
    for (const auto& one : f.all) {
        if (one.code != asio::error::operation_aborted) {
            CHECK(one.words == "");
            continue;
        }
        ++aborted;
        CHECK((one.id == 10 || one.id == 0));
    }
    CHECK(aborted == 1);
    CHECK(f.stats().waiting == 0);
    CHECK(f.stats().idle == 1);
}

TEST_CASE("whose time is over in the queue is told what everybody is told") {
    fixture f(1);
    const auto time = std::make_shared<testing::manual_clock>();
    f.config.env.time = time;
    f.config.call_timeout = 150ms;
    f.open();
    f.get(3);
    time->advance(150ms); // for all at once, or the second would have what the first gives back
    f.run_all();
    for (const auto& one : f.all) {
        INFO(one.words);
        CHECK(one.code == errc::timeout);
        CHECK_THAT(one.words, Catch::Contains(one.id == 0 ? "no complete response from "
                                                          : " became free within 150 ms"));
    }
    CHECK(f.server.requests() <= 1);
}

TEST_CASE("a full queue refuses, and the end of the client ends the wait") {
    fixture f(1);
    f.config.pool.max_waiting = 3;
    f.open();
    f.get(5);
    REQUIRE(f.ids() == std::vector<std::size_t>{4});
    CHECK(f.all[0].code == errc::overloaded);
    CHECK_THAT(f.all[0].words, Catch::Contains("3 exchanges are waiting for a connection to "));

    asio::co_spawn(*f.io, f.backend->close(), [](const std::exception_ptr&) {});
    f.settle();
    CHECK(f.all.size() == 4);
    for (std::size_t i = 1; i < f.all.size(); ++i)
        CHECK(f.all[i].code == errc::closed);
    f.get(1);
    CHECK(f.all.back().code == errc::closed);
    f.server.go_on();
    f.run_all();
    CHECK(f.all.back().id == 0);
    CHECK_FALSE(f.all.back().code);
}

TEST_CASE("a context may end while gets wait for their turn") {
    fixture f(2);
    f.open();
    f.get(20);
    CHECK(f.stats().waiting == 18);
    f.io.reset();
    CHECK(f.stats().waiting == 0);
    CHECK(f.all.empty());
    f.io.emplace(1);
    f.server.go_on();
    asio::io_context other(1);
    CHECK_FALSE(run(other, f.backend->load("key")));
}

TEST_CASE("a provider that throws fails the get that waits, not the context") {
    fixture f(1);
    const auto provider = std::make_shared<moody_provider>();
    f.config.credentials = provider;
    f.open();
    f.get(2);
    provider->throws = true;
    CHECK_NOTHROW(f.get(1));
    f.settle();
    REQUIRE(f.ids() == std::vector<std::size_t>{2});
    CHECK(f.all[0].code == errc::no_credentials);
    provider->throws = false;
    f.server.go_on();
    f.run_all();
}

TEST_CASE("credentials that expire in the queue are waited for without a connection") {
    fixture f(1);
    const auto provider = std::make_shared<moody_provider>();
    f.config.credentials = provider;
    f.open();
    f.get(4);
    provider->gone = true;
    f.server.go_on();
    f.io->restart();
    f.io->run_for(200ms);
    CHECK(f.all.size() == 2); // the two that had theirs
    CHECK(f.stats().idle == 1);
    CHECK(f.stats().waiting == 0);
    f.run_all();
}

TEST_CASE("an attempt after a pause has its whole time") {
    const stub_server server(
        answers([](int) { return response("{}"); }, [](int n) { return n < 2 ? 20ms : 300ms; }));
    fixture f(1);
    const auto provider = std::make_shared<moody_provider>();
    provider->takes = 450ms;
    f.config.credentials = provider;
    f.config.attempt_timeout = 600ms;
    f.config.call_timeout = 5s;
    f.config.endpoint = "http://127.0.0.1:" + std::to_string(server.port());
    f.open();
    f.get(3);
    provider->gone = true;
    f.run_all();
    for (const auto& one : f.all)
        CHECK(one.words == "");
}

TEST_CASE("who sleeps because the circuit has opened meanwhile holds no connection") {
    const stub_server server(
        answers([](int n) { return n == 0 ? response("{}", 500) : response("{}"); },
                [](int) { return 20ms; }));
    fixture f(1);
    f.config.breaker.minimum_calls = 1;
    f.config.breaker.failure_rate = 0.01;
    f.config.breaker.open_for = 600ms;
    f.config.retry.max_attempts = 5;
    f.config.retry.base = 1ms;
    f.config.endpoint = "http://127.0.0.1:" + std::to_string(server.port());
    f.open();
    f.get(5);
    f.io->restart();
    f.io->run_for(300ms);
    CHECK(f.stats().waiting == 0);
    CHECK(f.stats().idle == 1);
    f.run_all();
    for (const auto& one : f.all)
        CHECK(one.words == "");
}
