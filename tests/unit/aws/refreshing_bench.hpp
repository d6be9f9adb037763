// SPDX-License-Identifier: BSL-1.0
// A provider that refreshes over a source that says what it is told, and who waits for it.
#pragma once

#include "aws/refreshing_provider.hpp"
#include "aws/source_memory.hpp"
#include "support/log_lines.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/testing/manual_clock.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <vector>

namespace codynamo::testing_support::refreshing {

using namespace std::chrono_literals;
using testing::manual_clock;

/// Gives what it is told, when it is told.
class scripted_source final : public aws::detail::credential_source {
public:
    enum class reply { found, unset, broken };

    explicit scripted_source(std::shared_ptr<manual_clock> time) : time_(std::move(time)) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "scripted"; }

    [[nodiscard]] boost::asio::awaitable<aws::credentials> fetch() override {
        const int number = ++fetches;
        const int others = running_++;
        at_most_running = std::max<int>(at_most_running, others + 1);
        while (held)
            co_await boost::asio::post(boost::asio::deferred);
        --running_;
        if (says == reply::unset) throw aws::not_configured("nothing here");
        if (says == reply::broken) throw error(errc::no_credentials, "the service is away");
        aws::credentials fresh(same_key ? "key" : "key-" + std::to_string(number), "secret");
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
};

using reply = scripted_source::reply;

class fixed_random final : public random_source {
public:
    [[nodiscard]] std::uint64_t next() noexcept override { return 0; }
};

/// Waits for `what` on `where` and says what came of it.
struct waiting {
    std::string result = "waiting";
    boost::asio::cancellation_signal stop;

    void start(const boost::asio::any_io_executor& where, aws::credentials_provider_ptr provider) {
        boost::asio::co_spawn(
            where, ask(std::move(provider), result),
            boost::asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
    }

    /// For an executor that dies before `stop` does.
    void start_for_good(const boost::asio::any_io_executor& where,
                        aws::credentials_provider_ptr provider) {
        boost::asio::co_spawn(where, ask(std::move(provider), result), boost::asio::detached);
    }

private:
    static boost::asio::awaitable<void> ask(aws::credentials_provider_ptr from, std::string& out) {
        try {
            const auto found = co_await from->resolve();
            out = found->access_key_id;
        } catch (const std::exception& why) {
            out = why.what();
        }
    }
};

inline void poll(boost::asio::io_context& context, int steps) {
    context.restart();
    for (int i = 0; i != steps; ++i)
        context.poll_one();
}

inline void drain(boost::asio::io_context& context) {
    context.restart();
    context.run();
}

struct bench {
    std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
    std::shared_ptr<scripted_source> source = std::make_shared<scripted_source>(time);
    testing_support::log_lines log;
    std::shared_ptr<aws::detail::source_memory> memory;
    aws::credentials_provider_ptr provider;

    explicit bench(aws::detail::refresh_policy policy = {}) {
        environment env{};
        env.time = time;
        env.random = std::make_shared<fixed_random>();
        env.log.level = log_level::debug;
        env.log.sink = log.sink();
        aws::source_options options;
        options.env = tapped(std::move(env));
        memory = aws::detail::attach_memory(options);
        provider = aws::detail::refreshing(source, options.env, policy, memory);
    }

    std::string key() { return run(provider->resolve())->access_key_id; }
    /// Of what is at hand; "none" when resolve() has to be asked.
    std::string hand() const {
        const auto at_hand = provider->current();
        return at_hand ? at_hand->access_key_id : "none";
    }

    /// Has `who` start a fetch in `where` that does not end before release().
    void hold(waiting& who, boost::asio::io_context& where) {
        source->held = true;
        who.start(where.get_executor(), provider);
        poll(where, 20);
    }
    /// Lets the fetch go on, and `where` run until it has nothing left to do.
    void release(boost::asio::io_context& where) {
        source->held = false;
        drain(where);
    }
};

} // namespace codynamo::testing_support::refreshing
