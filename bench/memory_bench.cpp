// SPDX-License-Identifier: BSL-1.0
// Both tables hold the same keys of 16 bytes, both hand out a copy of the value, and they take
// turns. The median of the rounds counts.
#include "memory_bench.hpp"

#include "program_support/command_line.hpp"
#include "run_guard.hpp"

#include <boost/json/object.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <malloc.h>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <time.h>
#include <utility>
#include <vector>

namespace bench {
namespace {

using codynamo::memory_backend;
using codynamo::record;

std::string key_of(std::size_t number) {
    const std::string digits = std::to_string(number);
    return "key-" + std::string(12 - digits.size(), '0') + digits;
}

/// What anybody would write first.
class bare_memory {
public:
    void store_now(const std::string& key, const record& r) {
        const std::lock_guard guard(mutex_);
        kept_.insert_or_assign(key, r);
    }
    bool load_now(std::string_view key, record& out) {
        const std::lock_guard guard(mutex_);
        const auto at = kept_.find(key);
        if (at == kept_.end()) return false;
        out = at->second;
        return true;
    }

private:
    struct hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const noexcept {
            return std::hash<std::string_view>()(key);
        }
    };
    std::mutex mutex_;
    boost::unordered_flat_map<std::string, record, hash, std::equal_to<>> kept_;
};

/// Keys in an order that no prefetcher foresees.
std::vector<std::string> shuffled_keys(std::size_t count) {
    std::vector<std::string> keys;
    keys.reserve(count);
    for (std::size_t i = 0; i != count; ++i)
        keys.push_back(key_of(i));
    std::uint64_t state = 1;
    for (std::size_t i = count; i > 1; --i) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        std::swap(keys[i - 1], keys[(state >> 33) % i]);
    }
    return keys;
}

/// Of this thread. Unlike the wall's time it does not count what other programs take.
double cpu_nanoseconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

struct pace {
    double cpu_per_hit = 0;   ///< nanoseconds of a thread's CPU
    double hits_per_wall = 0; ///< of all threads together, per nanosecond
};

/// All threads hit for so long.
template <class Memory>
pace hit(Memory& memory, const std::vector<std::string>& keys, unsigned threads, double seconds) {
    using clock = std::chrono::steady_clock;
    std::atomic<bool> go{false};
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> hits{0};
    std::atomic<std::uint64_t> misses{0};
    std::atomic<std::uint64_t> cpu{0};
    const auto work = [&](std::size_t first) {
        record out;
        std::uint64_t done = 0;
        std::uint64_t lost = 0;
        while (!go)
            std::this_thread::yield();
        const double began = cpu_nanoseconds();
        for (std::size_t at = first; !stop.load(std::memory_order_relaxed);) {
            for (int i = 0; i != 256; ++i, at = at + 1 == keys.size() ? 0 : at + 1)
                if (!memory.load_now(keys[at], out)) ++lost;
            done += 256;
        }
        cpu += static_cast<std::uint64_t>(cpu_nanoseconds() - began);
        hits += done;
        misses += lost;
    };
    std::vector<std::thread> running;
    for (unsigned t = 0; t != threads; ++t)
        running.emplace_back(work, keys.size() / threads * t);
    const auto begin = clock::now();
    go = true;
    sleep_unless_interrupted(std::chrono::duration<double>(seconds));
    stop = true;
    const double took = std::chrono::duration<double, std::nano>(clock::now() - begin).count();
    for (std::thread& one : running)
        one.join();
    if (misses != 0) throw std::runtime_error("memory: what was stored was not found");
    return {static_cast<double>(cpu) / static_cast<double>(hits), static_cast<double>(hits) / took};
}

std::size_t heap_in_use() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

template <class Memory>
void fill(Memory& memory, const std::vector<std::string>& keys, const record& value) {
    for (const std::string& key : keys)
        memory.store_now(key, value);
}

struct figures {
    std::vector<pace> ours[2]; ///< with one thread and with two, a round each
    std::vector<pace> bare[2];
    double overhead = 0;
};

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                     values.end());
    return values[values.size() / 2];
}

/// The median over rounds of what `of` makes of a round's paces.
template <class Of>
double median_of(const std::vector<pace>& a, const std::vector<pace>& b, Of of) {
    std::vector<double> made;
    for (std::size_t i = 0; i != a.size(); ++i)
        made.push_back(of(a[i], b[i]));
    return median(std::move(made));
}

figures measure(const memory_options& options, run_guard& guard) {
    const std::vector<std::string> keys = shuffled_keys(options.entries);
    record value;
    value.value.assign(options.value_size, 'v');
    codynamo::memory_backend_config config;
    config.max_entries = 2 * options.entries;
    config.max_bytes = 2 * options.entries * (options.value_size + 16 + 96);
    figures seen;
    const std::size_t before = heap_in_use();
    memory_backend ours(std::move(config));
    fill(ours, keys, value);
    const auto taken = static_cast<double>(heap_in_use() - before);
    seen.overhead =
        taken / static_cast<double>(options.entries) - static_cast<double>(16 + options.value_size);
    bare_memory bare;
    fill(bare, keys, value);
    guard.begin_window();
    for (unsigned round = 0; round != options.rounds && !guard.interrupted(); ++round) {
        guard.progress().show(round / static_cast<double>(options.rounds), round);
        pace both[2][2];
        for (unsigned threads = 1; threads != 3; ++threads) {
            both[0][threads - 1] = hit(ours, keys, threads, options.seconds);
            both[1][threads - 1] = hit(bare, keys, threads, options.seconds);
        }
        if (guard.interrupted()) break; // a turn was cut short
        for (std::size_t i = 0; i != 2; ++i) {
            seen.ours[i].push_back(both[0][i]);
            seen.bare[i].push_back(both[1][i]);
        }
    }
    guard.end_window();
    guard.progress().clear();
    return seen;
}

} // namespace

void add_memory_options(CLI::App& app, memory_options& options) {
    app.add_option("--entries", options.entries, "Entries that are held and read")
        ->check(support::in_range(std::size_t{2}, std::size_t{10'000'000}))
        ->capture_default_str();
    app.add_option("--value-size", options.value_size, "Bytes of a value")
        ->check(support::in_range(std::size_t{0}, std::size_t{400'000}))
        ->capture_default_str();
    app.add_option("--rounds", options.rounds, "Turns of each")
        ->check(support::in_range(1U, 1000U))
        ->capture_default_str();
    app.add_option("--seconds", options.seconds, "Length of a turn")
        ->check(support::in_range(0.01, 60.0))
        ->capture_default_str();
    support::add_json_option(app, options.json);
}

int run_memory(const memory_options& options) {
    run_guard guard("memory", "rounds", {options.json, {}});
    const figures seen = measure(options, guard);
    if (seen.ours[0].empty()) {
        boost::json::object nothing{
            {"entries", options.entries}, {"value_size", options.value_size}, {"rounds", 0}};
        guard.describe(nothing, "memory");
        guard.write(nothing);
        return guard.exit_code(false);
    }
    const auto cost = [](const pace& a, const pace&) { return a.cpu_per_hit; };
    const auto times = [](const pace& a, const pace& b) { return a.cpu_per_hit / b.cpu_per_hit; };
    const auto cpu_scaling = [](const pace& one, const pace& two) {
        return 2 * one.cpu_per_hit / two.cpu_per_hit;
    };
    const auto wall_scaling = [](const pace& one, const pace& two) {
        return two.hits_per_wall / one.hits_per_wall;
    };
    const std::pair<const char*, double> rows[] = {
        {"ns_per_hit", median_of(seen.ours[0], seen.ours[0], cost)},
        {"bare_ns_per_hit", median_of(seen.bare[0], seen.bare[0], cost)},
        {"times_bare", median_of(seen.ours[0], seen.bare[0], times)},
        {"two_threads_scaling_by_cpu", median_of(seen.ours[0], seen.ours[1], cpu_scaling)},
        {"two_threads_scaling_by_wall", median_of(seen.ours[0], seen.ours[1], wall_scaling)},
        {"bare_two_threads_scaling_by_cpu", median_of(seen.bare[0], seen.bare[1], cpu_scaling)},
        {"bare_two_threads_scaling_by_wall", median_of(seen.bare[0], seen.bare[1], wall_scaling)},
        {"overhead_bytes_per_entry", seen.overhead}};
    std::FILE* const to = guard.table_stream();
    std::fprintf(to, "%zu entries of 16 + %zu bytes; medians of %zu rounds; nanoseconds of CPU\n",
                 options.entries, options.value_size, seen.ours[0].size());
    boost::json::object out{{"entries", options.entries},
                            {"value_size", options.value_size},
                            {"rounds", seen.ours[0].size()}};
    for (const auto& [name, value] : rows) {
        std::fprintf(to, "%-34s %8.2f\n", name, value);
        out.emplace(name, value);
    }
    guard.print_load(to);
    guard.describe(out, "memory");
    guard.write(out);
    return guard.exit_code(true);
}

} // namespace bench
