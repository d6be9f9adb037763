// SPDX-License-Identifier: BSL-1.0
// A client on a healthy server that is asked for more than it can do, in virtual time: what is
// served of it, at what cost in connections, and whether the circuit stays closed.
#include "net/pool_core.hpp"
#include "support/catch.hpp"

#include <codynamo/dynamodb/client.hpp>
#include <codynamo/testing/seeded_random.hpp>
#include <codynamo/testing/virtual_clock.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;
using duration = std::chrono::steady_clock::duration;

namespace {

/// A server that answers each connection's request after its service time.
struct server_model {
    std::size_t connections = 4;
    duration service = 20ms;
    /// 0: all take `service`; 0.5: from half of it to all of it.
    double variation = 0;
    duration connect = 1ms;
};

/// The real pool's decisions over connections that are nothing but time.
class timed_transport final : public net::transport {
public:
    timed_transport(virtual_process& where, const server_model& model)
        : server(model), process_(where), time_(where), nodes_(model.connections),
          core_({model.connections, 0, 1'000'000, 20s}) {
        for (auto& one : nodes_)
            unused_.push_back(&one);
    }

    asio::awaitable<net::send_outcome> send(net::exchange& what,
                                            net::send_options options) override {
        waiter self(process_);
        if (options.deadline <= now()) co_return failed(errc::timeout, false);
        const auto how = enter(self, options.deadline);
        if (how == net::admission::hopeless) co_return failed(errc::overloaded, false);
        if (how == net::admission::wait) {
            co_await self.signal.wait_until(options.deadline + sweep);
            if (core_.leave(self)) co_return queued();
            if (!self.granted) co_return failed(errc::overloaded, false);
        }
        co_return co_await exchange_on(static_cast<node&>(*self.granted), what, options.deadline);
    }

    asio::awaitable<void> close() override { co_return; }
    net::transport_stats stats() const override { return {}; }

    server_model server;
    int opened = 0;

private:
    static constexpr auto sweep = 1ms;

    struct node : net::pooled {
        bool is_open = false;
    };
    struct waiter : net::queued {
        explicit waiter(virtual_process& where) : signal(where) {}
        virtual_signal signal;
    };

    [[nodiscard]] net::steady_time now() const { return time_.steady_now(); }
    static net::send_outcome failed(errc code, bool sent) {
        return {make_error_code(code), sent, "simulated"};
    }
    static net::send_outcome queued() {
        net::send_outcome outcome = failed(errc::timeout, false);
        outcome.queued = true;
        return outcome;
    }

    net::admission enter(waiter& self, net::steady_time deadline) {
        net::pool_core::doomed old;
        const auto answer = core_.admit(now(), old, deadline);
        while (net::pooled* const one = old.pop_front())
            retire(static_cast<node&>(*one));
        self.granted = answer.connection;
        if (answer.what == net::admission::open) {
            self.granted = unused_.back();
            unused_.pop_back();
            core_.adopt(*self.granted, now());
        } else if (answer.what == net::admission::wait) {
            core_.enqueue(self, now(), deadline);
        }
        return answer.what;
    }

    asio::awaitable<net::send_outcome> exchange_on(node& on, net::exchange& what,
                                                   net::steady_time deadline) {
        const auto cut_at = deadline + sweep;
        if (!on.is_open) {
            on.busy_since = net::steady_time::max();
            co_await time_.sleep_until(std::min(now() + server.connect, cut_at));
            ++opened;
            if (now() >= deadline) co_return end(on, false, true);
            on.is_open = true;
            on.busy_since = now();
        }
        std::string head;
        std::string body;
        what.write(head, body);
        const auto answer_at = now() + service_time();
        co_await time_.sleep_until(std::min(answer_at, cut_at));
        if (answer_at > cut_at) co_return end(on, false, true);
        net::response_view response;
        response.status = 200;
        response.body = "{}";
        what.read(response);
        co_return end(on, true, false);
    }

    net::send_outcome end(node& on, bool complete, bool cut) {
        on.is_open = complete;
        const auto released =
            core_.release(on, now(), complete,
                          complete ? net::exchange_end::complete : net::exchange_end::cut_short);
        while (net::queued* const late = core_.pop_refused())
            static_cast<waiter*>(late)->signal.notify();
        if (released.what == net::fate::handed) static_cast<waiter*>(released.to)->signal.notify();
        if (released.what == net::fate::retired) retire(on);
        return cut ? failed(errc::timeout, true) : net::send_outcome{{}, true, {}};
    }

    void retire(node& one) {
        one.is_open = false;
        unused_.push_back(&one);
    }

    duration service_time() {
        const double share = 1 - server.variation * random_.uniform();
        return std::chrono::duration_cast<duration>(server.service * share);
    }

    virtual_process& process_;
    virtual_clock time_;
    seeded_random random_{7};
    std::vector<node> nodes_;
    std::vector<node*> unused_;
    net::pool_core core_;
};

/// Calls at a steady rate, each with the deadline that is set at the time.
struct open_loop {
    explicit open_loop(const server_model& model)
        : transport(std::make_shared<timed_transport>(process, model)), client(config()) {}

    dynamodb::client_config config() {
        dynamodb::client_config made;
        made.region = "us-east-1";
        made.endpoint = "http://simulated";
        made.credentials = aws::static_credentials({"AKIDEXAMPLE", "secret"});
        made.env.time = time;
        made.env.random = std::make_shared<seeded_random>(5);
        made.env.variable = [](const char*) -> std::optional<std::string> { return std::nullopt; };
        made.transport = transport;
        return made;
    }

    asio::awaitable<void> call(std::chrono::milliseconds deadline) {
        dynamodb::get_item_input in;
        in.table_name = "cache";
        in.key.emplace("k", "hello");
        const auto began = time->steady_now();
        const auto got = co_await client.attempt(std::move(in), {.timeout = deadline});
        if (got)
            ++good;
        else if (got.error().code == errc::circuit_open)
            ++circuit_open;
        if (time->steady_now() > began + deadline + 2ms) ++late;
    }

    asio::awaitable<void> drive(double per_second, std::chrono::milliseconds deadline,
                                duration length) {
        const auto begin = time->steady_now();
        const auto gap =
            std::chrono::duration_cast<duration>(std::chrono::duration<double>(1 / per_second));
        for (auto due = begin; due < begin + length; due += at_random ? gap_after(gap) : gap) {
            co_await time->sleep_until(due);
            asio::co_spawn(process, call(deadline), asio::detached);
            ++offered;
        }
    }

    /// Of Poisson arrivals.
    duration gap_after(duration mean) {
        return std::chrono::duration_cast<duration>(-std::log(1 - random.uniform()) * mean);
    }

    void run(double per_second, std::chrono::milliseconds deadline, duration length) {
        offered = good = circuit_open = late = transport->opened = 0;
        asio::co_spawn(process, drive(per_second, deadline, length), asio::detached);
        REQUIRE(world.run());
    }

    virtual_world world{1, virtual_world::order::fifo};
    virtual_process process{world};
    std::shared_ptr<virtual_clock> time = std::make_shared<virtual_clock>(process);
    std::shared_ptr<timed_transport> transport;
    dynamodb::client client;
    seeded_random random{11};
    bool at_random = false; ///< when the calls come
    int offered = 0;
    int good = 0;
    int circuit_open = 0;
    int late = 0; ///< were told after their deadline
};

double per_second(const server_model& server) {
    const double mean =
        std::chrono::duration<double>(server.service).count() * (1 - server.variation / 2);
    return static_cast<double>(server.connections) / mean;
}

} // namespace

namespace {

/// Offered `load` times the capacity, with deadlines of `times` the longest service time.
void check_goodput(const server_model& server, double load, double times, bool at_random) {
    constexpr double seconds = 10;
    const double capacity = per_second(server);
    if (capacity > 1'000) return; // the same with more calls
    const auto deadline = std::chrono::round<std::chrono::milliseconds>(times * server.service);
    open_loop loop(server);
    loop.at_random = at_random;
    loop.run(load * capacity, deadline, 10s);
    const double goodput = loop.good / seconds;
    const double wanted = std::min(loop.offered / seconds, capacity);
    const double again = loop.transport->opened - static_cast<double>(server.connections);
    INFO(server.connections << " connections, " << server.service / 1ms << " ms less up to "
                            << server.variation << ", load " << load << ", deadline "
                            << deadline.count() << " ms" << (at_random ? ", at random" : "")
                            << ": served " << goodput << " of " << wanted << " a second, "
                            << again / seconds << " reconnects");
    CHECK(goodput >= 0.85 * wanted);
    CHECK(again / seconds <= 2);
    CHECK(loop.circuit_open == 0);
    CHECK(loop.late == 0);
}

} // namespace

TEST_CASE("an overloaded client serves as much as its connections can, at any sane deadline") {
    for (const std::size_t connections : {1U, 4U, 32U})
        for (const auto service : {5ms, 20ms, 200ms})
            for (const double variation : {0.0, 0.5, 0.9})
                for (const double load : {0.5, 0.95, 1.3, 3.0})
                    for (const double times : {2.0, 3.0, 5.0, 15.0}) {
                        const server_model server{connections, service, variation};
                        check_goodput(server, load, times, false);
                        // A queue with room for less than two exchanges loses more by chance.
                        if (connections > 1 && times > 2) check_goodput(server, load, times, true);
                    }
}

TEST_CASE("the overloads that were reported do not collapse") {
    struct row {
        double rate;
        std::chrono::milliseconds deadline;
    };
    const server_model server{.connections = 4, .service = 20ms};
    for (const row& one : {row{250, 100ms}, row{600, 60ms}, row{600, 300ms}}) {
        INFO(one.rate << "/s, " << one.deadline.count() << " ms");
        open_loop loop(server);
        loop.run(one.rate, one.deadline, 10s);
        CHECK(loop.good >= 1'700); // of 2,000
        CHECK(loop.transport->opened <= 24);
        CHECK(loop.circuit_open == 0);
    }
}

TEST_CASE("deadlines below the service time leave nothing behind when they grow again") {
    for (const auto low : {2ms, 10ms, 18ms}) {
        INFO(low.count() << " ms");
        open_loop loop({.connections = 4, .service = 20ms});
        loop.run(600, 100ms, 2s);
        loop.run(600, low, 10s);
        CHECK(loop.good == 0);
        CHECK(loop.circuit_open == 0);
        // The first half second: 4 reconnections, and full use from then on.
        loop.run(600, 100ms, 500ms);
        CHECK(loop.good >= 85);
        CHECK(loop.circuit_open == 0);
    }
}

TEST_CASE("nothing learnt from a server that was slow locks anybody out when it is fast again") {
    open_loop loop({.connections = 4, .service = 20ms});
    loop.run(600, 100ms, 2s);
    loop.transport->server.service = 900ms;
    loop.run(600, 100ms, 10s);
    CHECK(loop.good == 0);
    CHECK(loop.circuit_open == 0);
    loop.transport->server.service = 20ms;
    loop.run(600, 100ms, 500ms);
    CHECK(loop.good >= 85); // of 100
}
