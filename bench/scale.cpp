// SPDX-License-Identifier: BSL-1.0
// Each thread has an io_context and one lane of gets; all share one cache. Without a network, and
// from memory.
#include "scale.hpp"

#include "batch_server.hpp"
#include "instant_transport.hpp"
#include "program_support/command_line.hpp"
#include "run_guard.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/memory_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {
namespace {

namespace asio = boost::asio;
using byte_cache = codynamo::cache<std::string, codynamo::bytes_serializer<>>;

constexpr std::size_t many = 1000;

std::string key_of(std::size_t i) {
    return "key-" + std::to_string(i);
}

double thread_cpu_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class T>
T finished(asio::awaitable<T> what) {
    asio::io_context context(1);
    std::optional<T> made;
    std::exception_ptr failure;
    asio::co_spawn(
        context,
        [](asio::awaitable<T> from, std::optional<T>& to) -> asio::awaitable<void> {
            to.emplace(co_await std::move(from));
        }(std::move(what), made),
        [&](std::exception_ptr why) { failure = std::move(why); });
    context.run();
    if (failure) std::rethrow_exception(failure);
    return *std::move(made);
}

byte_cache over_the_wire() {
    codynamo::dynamodb_backend_config config;
    config.table_name = "codynamo-bench";
    config.region = "us-east-1";
    config.credentials = codynamo::aws::static_credentials({"bench", "bench"});
    config.create = false;
    config.transport = make_instant_transport(key_of(0));
    config.batching.mode = codynamo::batching_mode::off;
    return byte_cache(finished(codynamo::dynamodb_backend::open(std::move(config))));
}

byte_cache in_memory(std::size_t entries) {
    codynamo::memory_backend memory;
    for (std::size_t i = 0; i != entries; ++i) {
        codynamo::record r;
        r.value = served_value(key_of(i));
        memory.store_now(key_of(i), r);
    }
    return byte_cache(std::move(memory));
}

/// What is measured: gets of these keys in turn, each thread from another one on.
struct subject {
    const char* name;
    byte_cache cache;
    std::vector<std::string> keys{};
    std::vector<std::string> values{};

    subject(const char* what, byte_cache by, std::size_t entries)
        : name(what), cache(std::move(by)) {
        for (std::size_t i = 0; i != entries; ++i) {
            keys.push_back(key_of(i));
            values.push_back(served_value(keys.back()));
        }
    }
};

/// What a thread did while it was measured.
struct done {
    std::uint64_t gets = 0;
    double cpu_seconds = 0;
};

/// What all threads are told.
struct signals {
    std::atomic<unsigned> ready{0};
    std::atomic<bool> go{false};
    std::atomic<bool> stop{false};
};

asio::awaitable<void> lane(const subject& what, std::size_t at, signals& told, done& mine) {
    const byte_cache cache = what.cache;
    constexpr int warm_up = 2000;
    for (int i = 0; i != warm_up; ++i)
        co_await cache.get(what.keys[static_cast<std::size_t>(i) % what.keys.size()]);
    told.ready.fetch_add(1);
    while (!told.go)
        std::this_thread::yield();
    const double before = thread_cpu_seconds();
    while (!told.stop.load(std::memory_order_relaxed)) {
        for (int i = 0; i != 64; ++i) {
            const std::optional<std::string> found = co_await cache.get(what.keys[at]);
            if (found != what.values[at]) throw std::runtime_error("scale: another value");
            if (++at == what.keys.size()) at = 0;
        }
        mine.gets += 64;
    }
    mine.cpu_seconds = thread_cpu_seconds() - before;
}

struct pace {
    double per_second = 0;
    double cpu_us = 0;
};

pace run(const subject& what, unsigned threads, double seconds) {
    // A line of the processor's cache each, at least.
    struct alignas(128) worker {
        done result{};
        std::exception_ptr failure{};
    };
    signals told;
    std::vector<worker> workers(threads);
    std::vector<std::thread> running;
    running.reserve(threads);
    for (worker& mine : workers)
        running.emplace_back([&told, &mine, &what, first = running.size()] {
            asio::io_context context(1);
            const std::size_t at = first * what.keys.size() / 7 % what.keys.size();
            asio::co_spawn(context, lane(what, at, told, mine.result), [&](std::exception_ptr why) {
                if (why) ++told.ready; // so that nobody waits for it
                mine.failure = std::move(why);
            });
            context.run();
        });
    while (told.ready.load() < threads)
        std::this_thread::yield();
    const auto begin = steady::now();
    told.go = true;
    sleep_unless_interrupted(std::chrono::duration<double>(seconds));
    told.stop = true;
    const double took = std::chrono::duration<double>(steady::now() - begin).count();
    for (std::thread& one : running)
        one.join();
    done all;
    for (const worker& one : workers) {
        if (one.failure) std::rethrow_exception(one.failure);
        all.gets += one.result.gets;
        all.cpu_seconds += one.result.cpu_seconds;
    }
    const auto gets = static_cast<double>(std::max<std::uint64_t>(1, all.gets));
    return {gets / took, all.cpu_seconds * 1e6 / gets};
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values.empty() ? 0 : values[values.size() / 2];
}

/// The rounds of one number of threads.
struct series {
    unsigned threads = 0;
    std::vector<double> per_second{}, cpu_us{};
    /// Beside the first number of threads of the same round.
    std::vector<double> by_wall{}, by_cpu{};
};

std::vector<series> measure(const subject& what, const scale_options& options, run_guard& guard) {
    std::vector<series> all;
    all.reserve(options.threads.size());
    for (const unsigned threads : options.threads)
        all.push_back({.threads = threads});
    for (unsigned round = 0; round != options.rounds; ++round) {
        pace first;
        for (series& one : all) {
            if (guard.look(static_cast<double>(round) / options.rounds, round)) return all;
            const pace seen = run(what, one.threads, options.seconds);
            if (guard.interrupted()) return all; // that turn was cut short
            if (&one == &all.front()) first = seen;
            one.per_second.push_back(seen.per_second);
            one.cpu_us.push_back(seen.cpu_us);
            one.by_wall.push_back(seen.per_second / first.per_second);
            one.by_cpu.push_back(first.cpu_us * one.threads / seen.cpu_us / all.front().threads);
        }
    }
    return all;
}

boost::json::object report(const char* what, const series& seen, std::FILE* to) {
    std::fprintf(to, "%-8s %7u %14.0f %10.3f %10.2f %10.2f\n", what, seen.threads,
                 median(seen.per_second), median(seen.cpu_us), median(seen.by_wall),
                 median(seen.by_cpu));
    return {{"what", what},
            {"threads", seen.threads},
            {"rounds", seen.per_second.size()},
            {"gets_per_s", median(seen.per_second)},
            {"cpu_us_per_get", median(seen.cpu_us)},
            {"scaling_by_wall", median(seen.by_wall)},
            {"scaling_by_cpu", median(seen.by_cpu)}};
}

} // namespace

void add_scale_options(CLI::App& app, scale_options& options) {
    app.add_option("--threads", options.threads, "Numbers of threads; the first is the measure")
        ->delimiter(',')
        ->check(support::in_range(1U, 1024U))
        ->capture_default_str();
    app.add_option("--seconds", options.seconds, "Length of a turn")
        ->check(support::in_range(0.01, 600.0))
        ->capture_default_str();
    app.add_option("--rounds", options.rounds, "Turns of each")
        ->check(support::in_range(1U, 1000U))
        ->capture_default_str();
    support::add_json_option(app, options.json);
}

int run_scale(const scale_options& options) {
    guard_options guarded;
    guarded.json = options.json;
    run_guard guard("scale", "rounds", std::move(guarded));
    const subject subjects[] = {{"wire", over_the_wire(), 1},
                                {"memory", in_memory(many), many},
                                {"one key", in_memory(1), 1}};
    boost::json::array results;
    guard.begin_window();
    std::FILE* const to = guard.table_stream();
    std::fprintf(to, "%-8s %7s %14s %10s %10s %10s\n", "gets", "threads", "per second", "CPU us",
                 "x by wall", "x by CPU");
    for (const subject& what : subjects) {
        const std::vector<series> seen = measure(what, options, guard);
        guard.progress().clear();
        for (const series& one : seen)
            if (!one.per_second.empty()) results.push_back(report(what.name, one, to));
    }
    guard.end_window();
    guard.print_load(to);
    boost::json::object out{{"seconds", options.seconds}, {"results", std::move(results)}};
    guard.describe(out, "scale");
    guard.write(out);
    return guard.exit_code(true);
}

} // namespace bench
