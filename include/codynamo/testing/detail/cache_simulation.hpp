// SPDX-License-Identifier: BSL-1.0
// One run of a workload: its clients live, do what chance tells them to, and crash.
#pragma once

#include <codynamo/any_backend.hpp>
#include <codynamo/cache.hpp>
#include <codynamo/error.hpp>
#include <codynamo/testing/cache_history.hpp>
#include <codynamo/testing/cache_workload.hpp>
#include <codynamo/testing/detail/workload_record.hpp>
#include <codynamo/testing/seeded_random.hpp>
#include <codynamo/testing/simulated_dynamodb.hpp>
#include <codynamo/testing/simulation_seeds.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing::detail {

/// A lane's key, for as long as an operation on it takes.
class reserved_key {
public:
    reserved_key(workload_client& of, std::string key) : of_(of), key_(std::move(key)) {
        of_.busy.push_back(key_);
    }
    reserved_key(const reserved_key&) = delete;
    reserved_key& operator=(const reserved_key&) = delete;
    ~reserved_key() { of_.busy.erase(std::find(of_.busy.begin(), of_.busy.end(), key_)); }
    [[nodiscard]] const std::string& operator*() const noexcept { return key_; }

private:
    workload_client& of_;
    std::string key_;
};

class cache_simulation {
public:
    cache_simulation(std::uint64_t seed, const cache_workload& workload)
        : workload_(workload), world_(seed, workload.order), server_(world_, workload.server),
          supervisor_(world_), record_(world_, workload_, report_) {
        server_.create_table("cache");
        for (unsigned i = 0; i != workload.clients; ++i)
            start(workload.operations);
    }
    cache_simulation(const cache_simulation&) = delete;
    cache_simulation& operator=(const cache_simulation&) = delete;

    simulation_report run() {
        constexpr std::uint64_t plenty = 2'000'000;
        const bool all_ended = world_.run(plenty) && running_ == 0;
        if (!all_ended) record_.complain(std::to_string(running_) + " clients never ended");
        for (const auto& one : clients_)
            if (!one->process.crashed() && one->connection->stats().open != 0)
                record_.complain("a connection is still in use");
        record_.check(server_.changes());
        report_.exchanges = server_.exchanges();
        report_.faults = server_.injected();
        report_.steps = world_.steps();
        report_.trace = world_.trace_hash();
        return std::move(report_);
    }

private:
    using cache_type = workload_cache;
    using client = workload_client;
    using kind = cache_operation::kind;
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    std::chrono::microseconds drawn(std::chrono::microseconds most) {
        return detail::drawn(world_.random(), most);
    }
    static std::string name(std::uint64_t key) { return "k" + std::to_string(key); }
    std::string key(const client& me) {
        for (;;) {
            std::string one = name(world_.random().below(workload_.keys));
            const bool taken = std::find(me.busy.begin(), me.busy.end(), one) != me.busy.end();
            if (!taken || workload_.shared_keys || workload_.keys < workload_.lanes) return one;
        }
    }

    // --- clients come and go

    void start(unsigned operations) {
        const auto skew = drawn(2 * workload_.skew) - workload_.skew;
        clients_.push_back(std::make_unique<client>(world_, server_, skew, operations));
        client& made = *clients_.back();
        ++running_;
        boost::asio::co_spawn(made.process, live(made), [this, &made](std::exception_ptr why) {
            --running_;
            made.done = true;
            if (why) record_.complain("a client ended with " + words(why));
        });
        if (!world_.random().chance(workload_.crashes)) return;
        const auto when = world_.now() + drawn(operations * (workload_.pause + latency()));
        supervisor_.call_at(when, [this, &made] { crash(made); });
    }
    [[nodiscard]] std::chrono::microseconds latency() const {
        return workload_.server.request.high + workload_.server.answer.high;
    }
    void crash(client& victim) {
        if (victim.done) return;
        ++report_.crashes;
        --running_;
        victim.process.crash();
        start(victim.left);
    }
    static std::string words(const std::exception_ptr& why) {
        try {
            std::rethrow_exception(why);
        } catch (const std::exception& e) {
            return e.what();
        } catch (...) {
            return "something";
        }
    }

    awaitable<void> live(client& me) {
        simulated_client given;
        given.process = &me.process;
        given.env.time = me.time;
        given.env.random = std::make_shared<seeded_random>(world_.random().next());
        given.env.variable = [](const char*) { return std::nullopt; };
        given.transport = me.connection;
        any_backend backend = co_await workload_.open(given);
        cache_config config;
        config.env = given.env;
        me.mine.emplace(std::move(backend), std::move(config));
        const unsigned lanes = std::max(1U, workload_.lanes);
        me.lanes = lanes; // they may end at once
        for (unsigned i = 1; i < lanes; ++i)
            boost::asio::co_spawn(me.process, lane(me), [this](std::exception_ptr why) {
                if (why) record_.complain("a lane ended with " + words(why));
            });
        co_await lane(me);
        while (me.lanes != 0)
            co_await me.time->sleep_until(world_.now() + std::chrono::milliseconds(1));
        co_await me.mine->close();
    }
    awaitable<void> lane(client& me) {
        const cache_type& mine = *me.mine;
        while (me.left != 0) {
            --me.left;
            ++report_.operations;
            co_await me.time->sleep_until(world_.now() + drawn(workload_.pause));
            std::exception_ptr failed;
            try {
                co_await operate(me, mine);
                ++report_.completed;
            } catch (const error&) { // its outcome is unknown
            } catch (...) {
                failed = std::current_exception();
            }
            if (failed) record_.complain("an operation threw " + words(failed));
        }
        --me.lanes;
    }

    // --- what a client does

    awaitable<void> operate(client& me, const cache_type& mine) {
        const std::uint64_t chosen = world_.random().below(100);
        if (chosen < 36) return get(me, mine);
        if (chosen < 66) return set(me, mine);
        if (chosen < 76) return erase(me, mine);
        if (chosen < 82 && workload_.touches) return touch(me, mine);
        if (workload_.lanes > 1) return get(me, mine);
        if (chosen < 89) return get_many(me, mine);
        if (chosen < 95) return set_many(me, mine);
        if (!workload_.clears) return get(me, mine);
        if (chosen < 98) return clear_expired(mine);
        return clear_all(me, mine);
    }
    /// Whether an operation of this client sent anything more than once.
    static bool repeated(const client& me, std::uint64_t sent_before) {
        return me.connection->stats().reused > sent_before + 1;
    }

    awaitable<void> get(client& me, const cache_type& mine) {
        const reserved_key reserved(me, key(me));
        const std::string& of = *reserved;
        const std::size_t at = record_.begin(me, of, {});
        const std::optional<std::string> found = co_await mine.get(of);
        const std::uint64_t number = record_.judge(me, of, found);
        record_.finish(me, at).what.value = number;
    }
    awaitable<void> set(client& me, const cache_type& mine) {
        const reserved_key reserved(me, key(me));
        const std::string& of = *reserved;
        const auto [number, life] = record_.new_value(me, of);
        cache_operation what;
        what.what = kind::write;
        what.value = number;
        what.expires = record_.written(number).expires;
        const std::size_t at = record_.begin(me, of, what);
        co_await mine.set(of, std::string(record_.written(number).text), life);
        record_.finish(me, at);
    }
    awaitable<void> erase(client& me, const cache_type& mine) {
        const reserved_key reserved(me, key(me));
        const std::string& of = *reserved;
        cache_operation what;
        what.what = kind::erase;
        const std::size_t at = record_.begin(me, of, what);
        const std::uint64_t sent = me.connection->stats().reused;
        const bool was_there = co_await mine.erase(of);
        recorded_operation& one = record_.finish(me, at);
        if (!repeated(me, sent)) one.what.answer = was_there;
    }
    awaitable<void> touch(client& me, const cache_type& mine) {
        const reserved_key reserved(me, key(me));
        const std::string& of = *reserved;
        cache_operation what;
        what.what = kind::touch;
        const auto life = drawn(workload_.longest_life) + std::chrono::microseconds(1);
        what.expires = me.time->now() + life;
        record_.extend(of, what.expires);
        const std::size_t at = record_.begin(me, of, what);
        const bool done = co_await mine.touch(of, life);
        record_.finish(me, at).what.answer = done;
    }
    awaitable<void> get_many(client& me, const cache_type& mine) {
        std::vector<std::string> all;
        std::vector<std::size_t> at;
        for (unsigned i = 0; i != workload_.keys; ++i) {
            all.push_back(name(i));
            at.push_back(record_.begin(me, all.back(), {}));
        }
        const auto found = co_await mine.get_many(all);
        for (std::size_t i = 0; i != all.size(); ++i) {
            if (!found[i]) continue;
            const std::uint64_t number = record_.judge(me, all[i], *found[i]);
            record_.finish(me, at[i]).what.value = number;
        }
    }
    awaitable<void> set_many(client& me, const cache_type& mine) {
        std::vector<std::pair<std::string, std::string>> all;
        std::vector<std::size_t> at;
        timestamp end = timestamp::max();
        for (unsigned i = 0; i != workload_.keys; ++i) {
            const std::string of = name(i);
            cache_operation what;
            what.what = kind::write;
            what.value = record_.new_value(me, of).first;
            workload_record::value& made = record_.written(what.value);
            if (i == 0) end = made.expires;
            made.expires = end; // one for all
            what.expires = end;
            all.emplace_back(of, made.text);
            at.push_back(record_.begin(me, of, what));
        }
        const ttl life = end == timestamp::max() ? for_ever : ttl(end - me.time->now());
        const auto done = co_await mine.set_many(std::move(all), life);
        for (std::size_t i = 0; i != at.size(); ++i)
            if (done[i]) record_.finish(me, at[i]);
    }
    awaitable<void> clear_expired(const cache_type& mine) {
        clear_options options;
        options.segments = 2;
        co_await mine.clear_expired(std::move(options));
    }
    awaitable<void> clear_all(client& me, const cache_type& mine) {
        std::vector<std::size_t> at;
        cache_operation what;
        what.what = kind::erase;
        for (unsigned i = 0; i != workload_.keys; ++i)
            at.push_back(record_.begin(me, name(i), what));
        clear_options options;
        options.segments = 2;
        co_await mine.clear_all(std::move(options));
        for (const std::size_t one : at)
            record_.finish(me, one);
    }

    const cache_workload& workload_;
    virtual_world world_;
    simulated_dynamodb server_;
    virtual_process supervisor_;
    simulation_report report_;
    workload_record record_;
    std::size_t running_ = 0;
    std::vector<std::unique_ptr<client>> clients_; // the crashed ones too
};

} // namespace codynamo::testing::detail
