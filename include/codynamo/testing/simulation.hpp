// SPDX-License-Identifier: BSL-1.0
// N clients with caches of your making, on a simulated DynamoDB, with faults: what they were told
// is checked. And the seeds that such a thing is run with.
//
//     codynamo::testing::cache_workload workload;
//     workload.server.faults = codynamo::testing::simulated_faults::some(0.1);
//     workload.open = [](codynamo::testing::simulated_client client) { … };    // see below
//     const auto totals = codynamo::testing::run_seeds({.first = 1, .count = 1000}, [&](auto seed)
//     {
//         return codynamo::testing::run_cache_workload(seed, workload);
//     });
//     if (!totals.failures.empty()) std::puts(totals.words("./my_tests").c_str());
//
// A backend or decorator of your own is opened like this, so that it lives in the client's virtual
// time and on its connection:
//
//     boost::asio::awaitable<any_backend> open(simulated_client client) {
//         dynamodb_backend_config config = client.table_config();
//         config.consistent_read = true;
//         dynamodb_backend table = co_await dynamodb_backend::open(std::move(config));
//         memory_backend memory({.env = client.env});
//         co_return my_backend(memory, table);
//     }
//
// Choose the promise that your backend makes. `linearizable` is kept by anything that sends every
// operation to the table with consistent reads. `sessions` is kept by layered_backend over such a
// table for clients that do one thing at a time, because a client's own writes go through its own
// memory layer, which is never older than what this client has written or read. It is not kept over
// a table with eventually consistent reads: what is no longer in memory may be read late. `sound`
// is kept by everything.
#pragma once

#include <codynamo/any_backend.hpp>
#include <codynamo/cache.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/testing/cache_history.hpp>
#include <codynamo/testing/simulated_dynamodb.hpp>
#include <codynamo/testing/virtual_clock.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing {

/// What a run of one seed came to.
struct simulation_report {
    /// The sentences that turned out to be wrong.
    std::vector<std::string> violations{};
    std::uint64_t operations = 0; ///< begun by clients
    std::uint64_t completed = 0;  ///< of those: ended without an error
    std::uint64_t checked = 0;    ///< events given to the checkers
    std::uint64_t undecided = 0;  ///< keys whose check was given up
    std::uint64_t exchanges = 0;
    std::uint64_t faults = 0;
    std::uint64_t crashes = 0;
    std::uint64_t steps = 0;
    std::uint64_t trace = 0; ///< virtual_world::trace_hash at the end
};

/// Seeds `first` to `first` + `count` − 1.
struct seed_range {
    std::uint64_t first = 1;
    std::uint64_t count = 1000;

    /// CODYNAMO_SIMULATION_SEED=S: that one alone; CODYNAMO_SIMULATION_SEEDS=N: N instead of
    /// `count`.
    [[nodiscard]] static seed_range from_environment(seed_range otherwise) {
        const auto number = [](const char* name) -> std::optional<std::uint64_t> {
            const auto text = environment::system_variable(name);
            if (!text || text->empty()) return std::nullopt;
            return std::strtoull(text->c_str(), nullptr, 10);
        };
        if (const auto one = number("CODYNAMO_SIMULATION_SEED")) return {*one, 1};
        if (const auto count = number("CODYNAMO_SIMULATION_SEEDS")) otherwise.count = *count;
        return otherwise;
    }
};

struct failed_seed {
    std::uint64_t seed = 0;
    std::uint64_t trace = 0;
    std::string why{};
};

/// Many seeds together.
struct simulation_totals {
    std::uint64_t seeds = 0;
    simulation_report sum{};
    std::vector<failed_seed> failures{}; ///< the first ten

    /// One paragraph for people; `program` is what to run again.
    [[nodiscard]] std::string words(std::string_view program) const {
        const auto n = [](std::uint64_t count) { return std::to_string(count); };
        std::string out = n(seeds) + " seeds, " + n(sum.operations) + " operations (" +
                          n(sum.completed) + " completed), " + n(sum.checked) +
                          " events checked, " + n(sum.exchanges) + " exchanges, " + n(sum.faults) +
                          " faults injected, " + n(sum.crashes) + " crashes, " + n(sum.steps) +
                          " steps, " + n(sum.undecided) + " keys undecided";
        for (const failed_seed& one : failures)
            out += "\nseed " + n(one.seed) + " (trace " + n(one.trace) + "): " + one.why +
                   "\n  replay: CODYNAMO_SIMULATION_SEED=" + n(one.seed) + " " +
                   std::string(program);
        return out;
    }
};

/// `run(seed)` gives a simulation_report.
template <class Run>
[[nodiscard]] simulation_totals run_seeds(seed_range seeds, Run run) {
    simulation_totals totals;
    for (std::uint64_t i = 0; i != seeds.count; ++i) {
        const simulation_report one = run(seeds.first + i);
        ++totals.seeds;
        totals.sum.operations += one.operations;
        totals.sum.completed += one.completed;
        totals.sum.checked += one.checked;
        totals.sum.undecided += one.undecided;
        totals.sum.exchanges += one.exchanges;
        totals.sum.faults += one.faults;
        totals.sum.crashes += one.crashes;
        totals.sum.steps += one.steps;
        if (!one.violations.empty() && totals.failures.size() < 10)
            totals.failures.push_back({seeds.first + i, one.trace, one.violations.front()});
    }
    return totals;
}

/// What a client of a simulation has. The process and what it shares outlive the client's backend.
struct simulated_client {
    virtual_process* process = nullptr;
    /// The client's own clock and randomness, no log, no environment variables.
    environment env{};
    std::shared_ptr<net::transport> transport{};

    /// For dynamodb_backend::open: the table that a workload makes, on this client's connection.
    [[nodiscard]] dynamodb_backend_config table_config() const {
        dynamodb_backend_config config;
        config.table_name = "cache";
        config.region = "us-east-1";
        config.endpoint = "http://simulated";
        config.credentials = aws::static_credentials({"AKIDEXAMPLE", "secret"});
        config.env = env;
        config.transport = transport;
        config.create = false;
        return config;
    }
};

/// What is promised to the clients, each including the ones before.
enum class cache_promise {
    sound,        ///< only what was written under this key, whole and not expired
    sessions,     ///< read your writes, monotonic reads
    linearizable, ///< per key; a write whose attempt was repeated counts as often as it was done
};

/// Clients, what they do, and what befalls them.
struct cache_workload {
    unsigned clients = 3;
    unsigned operations = 12; ///< of each client
    unsigned keys = 2;
    /// What each client does at once. With more than one, single operations only, and unless
    /// `shared_keys`, each on a key that is no sibling's at the time.
    unsigned lanes = 1;
    /// Siblings use the same keys at once. Which of them caused a change is then not known: to be
    /// used without faults, and the sessions are not checked.
    bool shared_keys = false;
    /// Longest pause of a client between two operations.
    std::chrono::microseconds pause{3'000};
    /// Lifetimes are drawn up to this, or for ever.
    std::chrono::microseconds longest_life{5'000'000};
    /// Clients' wall clocks are off by up to this, either way.
    std::chrono::microseconds skew{0};
    /// Probability that a client crashes, once; it comes back at once, with nothing in memory.
    double crashes = 0;
    bool touches = true; ///< touch among the operations
    bool clears = true;  ///< clear_all, clear_expired among the operations
    cache_promise promise = cache_promise::linearizable;
    virtual_world::order order = virtual_world::order::random;
    simulated_dynamodb_config server{};
    std::function<boost::asio::awaitable<any_backend>(simulated_client)> open{};
};

namespace detail {

/// Values as they are, so that nothing hides what came back.
struct verbatim_serializer {
    [[nodiscard]] std::string serialize(const std::string& value) const { return value; }
    [[nodiscard]] std::string deserialize(std::string_view bytes) const {
        return std::string(bytes);
    }
};

/// One run of a workload.
class cache_simulation {
public:
    cache_simulation(std::uint64_t seed, const cache_workload& workload)
        : workload_(workload), world_(seed, workload.order), server_(world_, workload.server),
          supervisor_(world_) {
        server_.create_table("cache");
        written_.emplace_back(); // number 0 is nothing
        for (unsigned i = 0; i != workload.clients; ++i)
            start(workload.operations);
    }

    simulation_report run() {
        constexpr std::uint64_t plenty = 2'000'000;
        const bool all_ended = world_.run(plenty) && running_ == 0;
        if (!all_ended)
            report_.violations.push_back(std::to_string(running_) + " clients never ended");
        for (const auto& one : clients_)
            if (!one->process.crashed() && one->connection->stats().open != 0)
                report_.violations.push_back("a connection is still in use");
        history_.attribute(server_.changes());
        report_.checked = history_.operations.size();
        if (workload_.promise >= cache_promise::sessions && !workload_.shared_keys)
            add(history_.check_sessions());
        if (workload_.promise >= cache_promise::linearizable)
            add(history_.check_linearizable_keys(report_.undecided));
        report_.exchanges = server_.exchanges();
        report_.faults = server_.injected();
        report_.steps = world_.steps();
        report_.trace = world_.trace_hash();
        return std::move(report_);
    }

private:
    using cache_type = cache<std::string, verbatim_serializer>;
    using kind = cache_operation::kind;
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    struct client {
        client(virtual_world& world, simulated_dynamodb& server, std::chrono::microseconds skew,
               unsigned operations)
            : process(world), time(std::make_shared<virtual_clock>(process, skew)),
              connection(server.connect(process)), left(operations) {}
        virtual_process process;
        std::shared_ptr<virtual_clock> time;
        std::shared_ptr<simulated_connection> connection;
        unsigned left;
        bool done = false;
        std::optional<cache_type> mine{};
        unsigned lanes = 0;              ///< that have not ended
        std::vector<std::string> busy{}; ///< keys of lanes
    };
    /// A lane's key, for as long as an operation on it takes.
    class reserved_key {
    public:
        reserved_key(client& of, std::string key) : of_(of), key_(std::move(key)) {
            of_.busy.push_back(key_);
        }
        reserved_key(const reserved_key&) = delete;
        reserved_key& operator=(const reserved_key&) = delete;
        ~reserved_key() { of_.busy.erase(std::find(of_.busy.begin(), of_.busy.end(), key_)); }
        [[nodiscard]] const std::string& operator*() const noexcept { return key_; }

    private:
        client& of_;
        std::string key_;
    };
    struct value {
        std::string text{};
        std::string key{};
        timestamp expires = timestamp::max();
    };

    void add(std::vector<std::string> more) {
        for (std::string& one : more)
            report_.violations.push_back(std::move(one));
    }
    std::chrono::microseconds drawn(std::chrono::microseconds most) {
        return std::chrono::microseconds(
            world_.random().below(static_cast<std::uint64_t>(most.count()) + 1));
    }
    std::string key(const client& me) {
        for (;;) {
            std::string one = "k" + std::to_string(world_.random().below(workload_.keys));
            const bool taken = std::find(me.busy.begin(), me.busy.end(), one) != me.busy.end();
            if (!taken || workload_.shared_keys || workload_.keys < workload_.lanes) return one;
        }
    }

    void start(unsigned operations) {
        const auto skew = drawn(2 * workload_.skew) - workload_.skew;
        clients_.push_back(std::make_unique<client>(world_, server_, skew, operations));
        client& made = *clients_.back();
        ++running_;
        boost::asio::co_spawn(made.process, live(made), [this, &made](std::exception_ptr why) {
            --running_;
            made.done = true;
            if (why) report_.violations.push_back("a client ended with " + words(why));
        });
        if (!world_.random().chance(workload_.crashes)) return;
        const auto when = world_.now() + drawn(operations * (workload_.pause + latency()));
        supervisor_.call_at(when, [this, &made] { crash(made); });
    }
    std::chrono::microseconds latency() const {
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
                if (why) report_.violations.push_back("a lane ended with " + words(why));
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
            if (failed) report_.violations.push_back("an operation threw " + words(failed));
        }
        --me.lanes;
    }
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

    /// Position of a new operation in the history.
    std::size_t begin(const client& me, std::string of, cache_operation what) {
        recorded_operation one;
        one.key = std::move(of);
        one.client = me.process.id();
        one.what = what;
        one.what.judged = me.time->now();
        one.invoked = world_.tick();
        history_.operations.push_back(std::move(one));
        return history_.operations.size() - 1;
    }
    recorded_operation& finish(const client& me, std::size_t which) {
        recorded_operation& one = history_.operations[which];
        if (one.what.what == kind::read) one.what.judged = me.time->now();
        one.what.latest = world_.wall() + workload_.skew;
        one.returned = world_.tick();
        world_.note(one.what.value);
        return one;
    }
    /// Whether an operation of this client sent anything more than once.
    static bool repeated(const client& me, std::uint64_t sent_before) {
        return me.connection->stats().reused > sent_before + 1;
    }

    std::pair<std::uint64_t, std::chrono::microseconds> new_value(const client& me,
                                                                  const std::string& of) {
        const std::uint64_t number = written_.size();
        const bool ends = world_.random().chance(0.5) && workload_.longest_life.count() > 0;
        const auto life = ends ? drawn(workload_.longest_life) + std::chrono::microseconds(1)
                               : std::chrono::microseconds(0);
        value made{std::to_string(number) + ":", of,
                   ends ? me.time->now() + life : timestamp::max()};
        made.text.append(world_.random().below(40), static_cast<char>('a' + number % 26));
        written_.push_back(std::move(made));
        return {number, life};
    }
    /// The number of what was found under a key; complains about what cannot have been.
    std::uint64_t judge(const client& me, const std::string& of,
                        const std::optional<std::string>& found) {
        if (!found) return 0;
        const std::uint64_t number = std::strtoull(found->c_str(), nullptr, 10);
        if (number == 0 || number >= written_.size() || written_[number].text != *found) {
            report_.violations.push_back("nobody wrote what was found under " + of + ": " + *found);
            return 0;
        }
        const value& seen = written_[number];
        if (seen.key != of)
            report_.violations.push_back("a value of " + seen.key + " was found under " + of);
        if (std::max(seen.expires, touched_[of]) <= me.time->now())
            report_.violations.push_back("an expired value was found under " + of);
        return number;
    }

    awaitable<void> get(client& me, const cache_type& mine) {
        const reserved_key reserved(me, key(me));
        const std::string& of = *reserved;
        const std::size_t at = begin(me, of, {});
        const std::optional<std::string> found = co_await mine.get(of);
        const std::uint64_t number = judge(me, of, found);
        finish(me, at).what.value = number;
    }
    awaitable<void> set(client& me, const cache_type& mine) {
        const reserved_key reserved(me, key(me));
        const std::string& of = *reserved;
        const auto [number, life] = new_value(me, of);
        cache_operation what;
        what.what = kind::write;
        what.value = number;
        what.expires = written_[number].expires;
        const std::size_t at = begin(me, of, what);
        co_await mine.set(of, std::string(written_[number].text), life);
        finish(me, at);
    }
    awaitable<void> erase(client& me, const cache_type& mine) {
        const reserved_key reserved(me, key(me));
        const std::string& of = *reserved;
        cache_operation what;
        what.what = kind::erase;
        const std::size_t at = begin(me, of, what);
        const std::uint64_t sent = me.connection->stats().reused;
        const bool was_there = co_await mine.erase(of);
        recorded_operation& one = finish(me, at);
        if (!repeated(me, sent)) one.what.answer = was_there;
    }
    awaitable<void> touch(client& me, const cache_type& mine) {
        const reserved_key reserved(me, key(me));
        const std::string& of = *reserved;
        cache_operation what;
        what.what = kind::touch;
        const auto life = drawn(workload_.longest_life) + std::chrono::microseconds(1);
        what.expires = me.time->now() + life;
        timestamp& longest = touched_[of];
        longest = std::max(longest, what.expires);
        const std::size_t at = begin(me, of, what);
        const bool done = co_await mine.touch(of, life);
        finish(me, at).what.answer = done;
    }
    awaitable<void> get_many(client& me, const cache_type& mine) {
        std::vector<std::string> all;
        std::vector<std::size_t> at;
        for (unsigned i = 0; i != workload_.keys; ++i) {
            all.push_back("k" + std::to_string(i));
            at.push_back(begin(me, all.back(), {}));
        }
        const auto found = co_await mine.get_many(all);
        for (std::size_t i = 0; i != all.size(); ++i) {
            if (!found[i]) continue;
            const std::uint64_t number = judge(me, all[i], *found[i]);
            finish(me, at[i]).what.value = number;
        }
    }
    awaitable<void> set_many(client& me, const cache_type& mine) {
        std::vector<std::pair<std::string, std::string>> all;
        std::vector<std::size_t> at;
        const std::size_t first = written_.size();
        for (unsigned i = 0; i != workload_.keys; ++i) {
            const std::string of = "k" + std::to_string(i);
            new_value(me, of);
            value& made = written_.back();
            made.expires = i == 0 ? made.expires : written_[first].expires; // one for all
            all.emplace_back(of, made.text);
            cache_operation what;
            what.what = kind::write;
            what.value = written_.size() - 1;
            what.expires = made.expires;
            at.push_back(begin(me, of, what));
        }
        const timestamp end = written_[first].expires;
        const ttl life = end == timestamp::max() ? for_ever : ttl(end - me.time->now());
        const auto done = co_await mine.set_many(std::move(all), life);
        for (std::size_t i = 0; i != at.size(); ++i)
            if (done[i]) finish(me, at[i]);
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
            at.push_back(begin(me, "k" + std::to_string(i), what));
        clear_options options;
        options.segments = 2;
        co_await mine.clear_all(std::move(options));
        for (const std::size_t one : at)
            finish(me, one);
    }

    const cache_workload& workload_;
    virtual_world world_;
    simulated_dynamodb server_;
    virtual_process supervisor_;
    simulation_report report_;
    cache_history history_;
    std::vector<value> written_;
    std::map<std::string, timestamp> touched_; // latest end that a touch may have given
    std::size_t running_ = 0;
    std::vector<std::unique_ptr<client>> clients_; // the crashed ones too
};

} // namespace detail

/// One seed of a workload: everything that is up to chance follows from the seed, and the same seed
/// gives the same trace.
[[nodiscard]] inline simulation_report run_cache_workload(std::uint64_t seed,
                                                          const cache_workload& workload) {
    return detail::cache_simulation(seed, workload).run();
}

} // namespace codynamo::testing
