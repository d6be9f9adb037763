// SPDX-License-Identifier: BSL-1.0
// A resolver of the user's own that does what a test tells it, and what is connected by it.
#pragma once

#include "support/harness.hpp"
#include "support/stub_server.hpp"
#include "support/tap.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace codynamo::test {

using steady = std::chrono::steady_clock;
using addresses = std::vector<std::string>;

/// Answers what it is told, and counts.
struct scripted_resolver {
    std::atomic<int> calls{0};
    std::atomic<int> cancelled{0};
    std::vector<addresses> answers{{"127.0.0.1"}}; ///< the last one again and again
    int hanging = 0;                               ///< so many calls, from the first, do not return
    int stubborn = 0;                              ///< so many of them cannot be cancelled
    steady::duration hang = std::chrono::hours(1);
    std::string asked;

    net::resolver hook() {
        return [this](std::string host) { return answer(this, std::move(host)); };
    }

private:
    static boost::asio::awaitable<addresses> answer(scripted_resolver* self, std::string host) {
        const auto n = static_cast<std::size_t>(self->calls++);
        self->asked = std::move(host);
        const auto executor = co_await boost::asio::this_coro::executor;
        boost::asio::steady_timer timer(executor);
        if (static_cast<int>(n) < self->hanging) {
            if (static_cast<int>(n) < self->stubborn)
                co_await boost::asio::this_coro::reset_cancellation_state(
                    boost::asio::disable_cancellation());
            timer.expires_after(self->hang);
            const gone_watch watch{self};
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
        timer.expires_after(std::chrono::milliseconds(1));
        co_await timer.async_wait(boost::asio::use_awaitable);
        co_return self->answers[std::min(n, self->answers.size() - 1)];
    }
    struct gone_watch {
        scripted_resolver* self;
        ~gone_watch() { ++self->cancelled; }
    };
};

/// The real time and more, for what is bounded by the clock but swept by a timer.
class leaping_clock final : public codynamo::clock {
public:
    timestamp now() const noexcept override { return real->now(); }
    steady::time_point steady_now() const noexcept override { return real->steady_now() + leapt; }
    boost::asio::awaitable<void> sleep_until(steady::time_point) const override {
        throw std::logic_error("the transport has no business sleeping");
    }
    std::shared_ptr<const codynamo::clock> real = environment::system_clock();
    steady::duration leapt{};
};

/// A transport that asks it, to a server that always answers.
struct resolving {
    std::shared_ptr<net::transport> transport() {
        net::network_config network;
        network.resolve = names.hook();
        network.proxy.from_environment = false;
        environment env = testing_support::tapped();
        env.time = time;
        return net::make_transport({false, "db.example", server.port()}, config, {}, env, network);
    }
    net::send_outcome send(net::transport& through, net::send_options options = {}) {
        testing::remembering_exchange what;
        return testing::run(io, through.send(what, options));
    }

    scripted_resolver names; // outlives the context and what hangs in it
    std::shared_ptr<leaping_clock> time = std::make_shared<leaping_clock>();
    testing::stub_server server{
        {.answer = [](const std::string&) { return testing::response("ok"); }}};
    boost::asio::io_context io;
    net::pool_config config;
};

} // namespace codynamo::test
