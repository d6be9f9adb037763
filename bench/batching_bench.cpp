// SPDX-License-Identifier: BSL-1.0
// What merging saves, and what it does to latency: the same loop with batching off, on and
// automatic, interleaved; medians over the rounds.
#include "batching_bench.hpp"

#include "batch_server.hpp"
#include "figures.hpp"
#include "histogram.hpp"
#include "placeholder_credentials.hpp"
#include "program_support/command_line.hpp"
#include "run_guard.hpp"
#include "server_under_test.hpp"

#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace bench {
namespace asio = boost::asio;

namespace {

/// CPU time of this thread: the server's is none of our business.
std::chrono::nanoseconds thread_cpu() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

struct figures {
    double items_per_cpu_second = 0;
    double cpu_us = 0;
    double p50_us = 0;
    double p99_us = 0;
    double allocations = 0;
    double items_per_request = 1;
};

struct one_run {
    std::optional<codynamo::dynamodb_backend> backend{};
    steady::time_point begin{}, end{};
    bool begun = false;
    std::chrono::nanoseconds cpu{};
    std::uint64_t allocations = 0;
    std::uint64_t items = 0;
    unsigned lanes = 0;
    std::string wrong{};
    std::unique_ptr<histogram> latency = std::make_unique<histogram>();
};

codynamo::dynamodb_backend_config config_of(const batching_options& options,
                                            const std::string& endpoint, const std::string& mode) {
    codynamo::dynamodb_backend_config config;
    config.table_name = options.table;
    config.endpoint = endpoint;
    use_placeholder_credentials(config);
    config.create = options.server != canned_server;
    config.pool.max_connections = 256;
    config.batching.mode = mode == "off"  ? codynamo::batching_mode::off
                           : mode == "on" ? codynamo::batching_mode::on
                                          : codynamo::batching_mode::automatic;
    // "auto:4" is automatic with that crossover.
    if (const auto colon = mode.find(':'); colon != mode.npos)
        config.batching.crossover = static_cast<unsigned>(std::stoul(mode.substr(colon + 1)));
    return config;
}

asio::awaitable<void> lane(one_run& run, unsigned number) {
    const std::string key = "key-" + std::to_string(100'000 + number);
    for (;;) {
        const auto began = steady::now();
        std::string asked = key;
        const auto found = co_await run.backend->load(std::move(asked));
        const auto now = steady::now();
        if (!found || found->value.size() != 1024) run.wrong = "another value";
        if (!run.begun) {
            if (now < run.begin) continue;
            run.begun = true;
            run.cpu = thread_cpu();
            run.allocations = usage::now().allocations;
            run.begin = now;
            continue;
        }
        if (now >= run.end) break;
        ++run.items;
        run.latency->add(now - began);
    }
    if (--run.lanes != 0) co_return;
    co_await run.backend->close();
}

asio::awaitable<void> set_up(one_run& run, codynamo::dynamodb_backend_config config, unsigned lanes,
                             double seconds) {
    const bool prepare = config.create;
    run.backend = co_await codynamo::dynamodb_backend::open(std::move(config));
    for (unsigned i = 0; prepare && i != lanes; ++i) {
        codynamo::record r;
        r.value = std::string(1024, 'x');
        co_await run.backend->store("key-" + std::to_string(100'000 + i), std::move(r));
    }
    const auto in_ns = [](double s) {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(s * 1e9));
    };
    run.begin = steady::now() + in_ns(seconds / 5);
    run.end = run.begin + in_ns(seconds);
    run.lanes = lanes;
    const auto executor = co_await asio::this_coro::executor;
    for (unsigned i = 0; i != lanes; ++i)
        asio::co_spawn(executor, lane(run, i), [&run](std::exception_ptr why) {
            if (!why) return;
            try {
                std::rethrow_exception(why);
            } catch (const std::exception& e) {
                run.wrong = e.what();
            }
        });
}

/// nullopt when it was interrupted.
std::optional<figures> measure(const batching_options& options, const std::string& endpoint,
                               const std::string& mode, unsigned lanes) {
    constexpr auto look_every = std::chrono::milliseconds(100);
    one_run run; // outlives what is under way when it is interrupted
    asio::io_context context(1);
    asio::co_spawn(context, set_up(run, config_of(options, endpoint, mode), lanes, options.seconds),
                   [](std::exception_ptr why) {
                       if (why) std::rethrow_exception(why);
                   });
    while (run.lanes == 0 || steady::now() < run.end) {
        if (interruption::came()) return std::nullopt;
        if (context.run_one_for(look_every) == 0 && context.stopped()) break;
    }
    const auto cpu = thread_cpu() - run.cpu;
    const std::uint64_t allocations = usage::now().allocations - run.allocations;
    while (!interruption::came() && !context.stopped())
        context.run_for(look_every);
    if (interruption::came()) return std::nullopt;
    if (!run.wrong.empty()) throw std::runtime_error(run.wrong);
    const auto us = [](std::chrono::nanoseconds t) { return static_cast<double>(t.count()) / 1e3; };
    const auto items = static_cast<double>(std::max<std::uint64_t>(1, run.items));
    const codynamo::batching_stats merged = run.backend->batching();
    figures made;
    made.items_per_cpu_second = items / (us(cpu) / 1e6);
    made.cpu_us = us(cpu) / items;
    made.p50_us = us(run.latency->percentile(0.5));
    made.p99_us = us(run.latency->percentile(0.99));
    made.allocations = static_cast<double>(allocations) / items;
    if (merged.get_batches != 0)
        made.items_per_request =
            static_cast<double>(merged.get_items) / static_cast<double>(merged.get_batches);
    return made;
}

double median(std::vector<figures>& all, double figures::*which) {
    std::sort(all.begin(), all.end(),
              [which](const figures& a, const figures& b) { return a.*which < b.*which; });
    return all[all.size() / 2].*which;
}

/// All modes in turns at one number in flight. Interrupted: as many rounds as were whole.
void measure_at(const batching_options& options, const std::string& endpoint, unsigned lanes,
                run_guard& guard, boost::json::array& results) {
    std::vector<std::vector<figures>> seen(options.modes.size());
    for (unsigned round = 0; round != options.rounds; ++round) {
        std::vector<figures> turn;
        for (const std::string& mode : options.modes) {
            if (const auto made = measure(options, endpoint, mode, lanes)) turn.push_back(*made);
            if (guard.interrupted()) break;
        }
        if (turn.size() != options.modes.size()) break;
        for (std::size_t i = 0; i != turn.size(); ++i)
            seen[i].push_back(turn[i]);
    }
    if (seen[0].empty()) return;
    const double first = median(seen[0], &figures::items_per_cpu_second);
    for (std::size_t i = 0; i != options.modes.size(); ++i) {
        const double rate = median(seen[i], &figures::items_per_cpu_second);
        const boost::json::object row{
            {"in_flight", lanes},
            {"batching", options.modes[i]},
            {"items_per_cpu_s", rate},
            {"cpu_us_per_op", median(seen[i], &figures::cpu_us)},
            {"times_first", rate / first},
            {"p50_us", median(seen[i], &figures::p50_us)},
            {"p99_us", median(seen[i], &figures::p99_us)},
            {"allocations_per_op", median(seen[i], &figures::allocations)},
            {"keys_per_batch", median(seen[i], &figures::items_per_request)}};
        const auto of = [&row](const char* name) { return row.at(name).as_double(); };
        std::FILE* const to = guard.table_stream();
        std::fprintf(to, "%9u %-8s %14.0f %10.2f %8.2f %9.1f %9.1f %7.2f %10.1f\n", lanes,
                     options.modes[i].c_str(), rate, of("cpu_us_per_op"), of("times_first"),
                     of("p50_us"), of("p99_us"), of("allocations_per_op"), of("keys_per_batch"));
        std::fflush(to);
        results.push_back(row);
    }
}

std::vector<pid_t> pids_of(const std::optional<server_under_test>& server) {
    const auto pid = server ? server->pid() : std::nullopt;
    return pid ? std::vector<pid_t>{*pid} : std::vector<pid_t>{};
}

std::string check_mode(const std::string& mode) {
    constexpr std::string_view with_crossover = "auto:";
    if (mode == "off" || mode == "on" || mode == "auto") return {};
    if (mode.starts_with(with_crossover)) {
        const std::string_view digits = std::string_view(mode).substr(with_crossover.size());
        unsigned crossover = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), crossover);
        if (read.ec == std::errc() && read.ptr == digits.data() + digits.size() && crossover > 0)
            return {};
    }
    return mode + " is none of off, on, auto, auto:CROSSOVER";
}

} // namespace

void add_batching_options(CLI::App& app, batching_options& options) {
    add_server_option(app, options.server, {std::string(canned_server)});
    app.add_option("--table", options.table, "Name of the table");
    app.add_option("--in-flight", options.in_flight, "How many gets at once")
        ->delimiter(',')
        ->check(support::in_range(1U, 100'000U));
    app.add_option("--modes", options.modes, "off, on, auto, auto:CROSSOVER")
        ->delimiter(',')
        ->check(check_mode);
    app.add_option("--seconds", options.seconds, "Length of each window")
        ->check(support::in_range(0.01, 600.0));
    app.add_option("--rounds", options.rounds, "How often each is measured")
        ->check(support::in_range(1U, 100U));
    app.add_option("--client-core", options.client_core, "Core of the client's thread")
        ->check(core_fault);
    app.add_option("--server-delay", options.server_delay_us,
                   "Microseconds by which canned answers late")
        ->check(support::in_range(0U, 60'000'000U));
    support::add_json_option(app, options.json);
    app.add_option("--server-core", options.server_core, "Core of the thread of canned")
        ->check(core_fault);
}

int run_batching(const batching_options& options) {
    const interruption signals;
    std::optional<server_under_test> real;
    // Before the pinning, which a server inherits.
    if (options.server != canned_server) real.emplace(options.server);
    pin_to_core(options.client_core);
    std::optional<batch_server> canned;
    if (!real)
        canned.emplace(options.server_core, std::chrono::microseconds(options.server_delay_us));
    const std::string endpoint =
        real ? real->endpoint() : "http://127.0.0.1:" + std::to_string(canned->port());
    run_guard guard("batching", "windows",
                    {options.json, pids_of(real),
                     real ? real->description() : describe_server(canned_server, endpoint)});
    std::fprintf(guard.table_stream(), "%9s %-8s %14s %10s %8s %9s %9s %7s %10s\n", "in flight",
                 "batching", "items/CPU-s", "us of CPU", "x off", "p50 us", "p99 us", "allocs",
                 "keys/batch");
    boost::json::array results;
    guard.begin_window();
    for (const unsigned lanes : options.in_flight) {
        if (guard.interrupted()) break;
        measure_at(options, endpoint, lanes, guard, results);
    }
    guard.end_window();
    guard.print_load(guard.table_stream());
    boost::json::object out{{"server_delay_us", options.server_delay_us},
                            {"rounds", options.rounds},
                            {"seconds", options.seconds},
                            {"results", std::move(results)}};
    guard.describe(out, "batching");
    guard.write(out);
    return guard.exit_code(true);
}

} // namespace bench
