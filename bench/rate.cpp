// SPDX-License-Identifier: BSL-1.0
// A driver begins what is due; an operation that ends begins the next one if that is due already.
#include "rate.hpp"

#include "figures.hpp"
#include "measure.hpp"
#include "one_key.hpp"
#include "open_loop.hpp"
#include "program_support/command_line.hpp"
#include "run_guard.hpp"
#include "ticker.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace bench {
namespace asio = boost::asio;

namespace {

/// Below this share of the arrivals the rate was not reached.
constexpr double reached_at = 0.99;

steady::duration in_clock(double seconds) {
    return std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
}

class rate_run {
public:
    rate_run(const rate_options& options, one_key target, asio::any_io_executor executor)
        : options_(options), target_(std::move(target)), executor_(executor), wake_(executor),
          guard_("rate", "operations", guard_options_of(options.common)) {}

    asio::awaitable<void> run() {
        co_await drive(options_.common.warmup_seconds, options_.seed + 1, "warm-up");
        latency_ = service_ = histogram();
        good_ = errors_ = 0;
        guard_.begin_window();
        before_ = usage::now();
        counting_ = true;
        co_await drive(options_.common.seconds, options_.seed, "rate");
        end();
        co_await target_.cache.close();
    }

    /// False: ends now.
    [[nodiscard]] bool look() {
        const std::chrono::duration<double> gone = steady::now() - begin_;
        if (!guard_.look(gone.count() / planned_, good_)) return true;
        if (counting_ && !ended_) end();
        return false;
    }

    [[nodiscard]] int report() const;

private:
    /// Everything that arrives in so many seconds, from now on, until what has begun has ended.
    asio::awaitable<void> drive(double seconds, std::uint64_t seed, const char* phase) {
        begin_ = steady::now();
        planned_ = std::max(seconds, 1e-9);
        guard_.progress().restart(phase, "operations", begin_);
        const auto end = begin_ + in_clock(seconds);
        loop_.emplace(arrivals(options_.per_second, options_.poisson, seed),
                      options_.common.concurrency, begin_, end);
        while (!loop_->over(steady::now())) {
            while (const auto due = loop_->take(steady::now()))
                asio::co_spawn(executor_, lane(*due), asio::detached);
            co_await sleep_until(loop_->next_look().value_or(end));
        }
        waiting_ = loop_->waiting(steady::now());
        while (loop_->in_flight() != 0)
            co_await sleep_until(steady::time_point::max());
    }

    /// Or until an operation has ended that nobody followed.
    asio::awaitable<void> sleep_until(steady::time_point when) {
        wake_.expires_at(when);
        boost::system::error_code woken_early;
        co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken_early));
    }

    asio::awaitable<void> lane(steady::time_point due) {
        for (std::optional<steady::time_point> next = due; next;) {
            const auto begun = steady::now();
            std::string fault = co_await target_.get();
            const auto now = steady::now();
            if (fault.empty()) {
                ++good_;
                latency_.add(now - *next);
                service_.add(now - begun);
            } else {
                ++errors_;
                if (first_failure_.empty()) first_failure_ = std::move(fault);
            }
            const bool was_full = loop_->full();
            loop_->finished();
            next = loop_->take(now);
            if (!next && (was_full || loop_->in_flight() == 0)) wake_.cancel();
        }
    }

    void end() {
        ended_ = true;
        after_ = usage::now();
        guard_.end_window();
        // What was under way at the end belongs to it; a short rest of the last gap does too.
        const auto window = begin_ + in_clock(options_.common.seconds);
        if (!guard_.interrupted()) after_.when = std::max(after_.when, window);
        if (guard_.interrupted()) waiting_ = loop_->waiting(after_.when);
    }

    [[nodiscard]] boost::json::object figures() const;

    const rate_options& options_;
    one_key target_;
    asio::any_io_executor executor_;
    asio::steady_timer wake_;
    run_guard guard_;
    std::optional<open_loop> loop_;
    steady::time_point begin_{};
    double planned_ = 1;
    bool counting_ = false;
    bool ended_ = false;
    usage before_;
    usage after_;
    std::uint64_t good_ = 0;
    std::uint64_t errors_ = 0;
    std::uint64_t waiting_ = 0;
    std::string first_failure_;
    histogram latency_; ///< from when it arrived
    histogram service_; ///< from when it began
};

boost::json::object rate_run::figures() const {
    const bool measured = counting_ && ended_;
    const usage spent = measured ? after_ - before_ : usage();
    const double seconds =
        measured ? std::chrono::duration<double>(after_.when - before_.when).count() : 0;
    boost::json::object made = cost_figures(good_, errors_, seconds, spent);
    made["latency_us"] = latency_figures(latency_);
    made["service_us"] = latency_figures(service_);
    const std::uint64_t arrived = loop_ ? loop_->begun() + waiting_ : 0;
    made["rate"] = boost::json::object{
        {"wanted_per_s", options_.per_second},
        {"arrivals", options_.poisson ? "poisson" : "fixed"},
        {"seed", options_.seed},
        {"arrived", arrived},
        {"begun", loop_ ? loop_->begun() : 0},
        {"reached",
         arrived > 0 && static_cast<double>(good_) >= reached_at * static_cast<double>(arrived)},
        {"concurrency_limit", options_.common.concurrency},
        {"most_in_flight", loop_ ? loop_->most_in_flight() : 0}};
    guard_.describe(made, "rate");
    return made;
}

int rate_run::report() const {
    const boost::json::object made = figures();
    const boost::json::object& rate = made.at("rate").as_object();
    std::FILE* to = guard_.table_stream();
    std::fprintf(to, "codynamo: get of %zu bytes, %.0f a second, %s, at most %u in flight\n",
                 target_.expected.size(), options_.per_second,
                 options_.poisson ? "at random" : "evenly spaced", options_.common.concurrency);
    figure_lines lines(to);
    lines.cost(made);
    lines.line("arrived", rate.at("arrived").to_number<double>(), 0);
    lines.line("most in flight", rate.at("most_in_flight").to_number<double>(), 0);
    lines.latency("latency", made.at("latency_us").as_object());
    lines.latency("service", made.at("service_us").as_object());
    guard_.print_load(to);
    if (guard_.interrupted()) std::fprintf(to, "  interrupted\n");
    if (!rate.at("reached").as_bool())
        std::fprintf(to,
                     "the rate was not reached: %.0f of %.0f a second, %llu were still waiting at "
                     "the end; latencies are those of a queue that grew all the time\n",
                     made.at("ops_per_s").to_number<double>(), options_.per_second,
                     static_cast<unsigned long long>(waiting_));
    if (!first_failure_.empty())
        std::fprintf(stderr, "first failure: %s\n", first_failure_.c_str());
    guard_.write(made);
    if (!first_failure_.empty() && !guard_.interrupted()) return 3;
    return guard_.exit_code(good_ > 0);
}

} // namespace

void add_rate_options(CLI::App& app, rate_options& options) {
    options.common.concurrency = 256;
    add_server_option(app, options.common.server);
    add_place_options(app, options.common);
    add_window_options(app, options.common);
    app.add_option("--rate", options.per_second, "Gets a second")
        ->required()
        ->check(support::in_range(0.01, 10'000'000.0));
    app.add_option("--concurrency-limit", options.common.concurrency,
                   "Gets in flight, at most; further ones wait, and that counts")
        ->check(support::in_range(1U, 100'000U))
        ->capture_default_str();
    app.add_flag("--poisson", options.poisson, "At random moments instead of evenly spaced");
    app.add_option("--seed", options.seed, "Of those moments")
        ->check(support::any_number<std::uint64_t>)
        ->capture_default_str();
    app.add_flag("--prepare", options.prepare, prepare_help);
}

int run_rate(const rate_options& given) {
    const interruption signals;
    rate_options options = given;
    const server_under_test server(options.common.server);
    use_server(options.common, server);
    if (interruption::came()) return report_nothing_measured(options.common, "rate");
    asio::io_context context(1);
    std::unique_ptr<rate_run> run;
    ticker looking(context, [&run] { return run ? run->look() : !interruption::came(); });
    std::exception_ptr failure;
    const auto all = [&]() -> asio::awaitable<void> {
        one_key target =
            co_await one_key::open(options.common, options.prepare || server.is_spawned());
        const auto executor = co_await asio::this_coro::executor;
        run = std::make_unique<rate_run>(options, std::move(target), executor);
        co_await run->run();
    };
    asio::co_spawn(context, all, [&](std::exception_ptr thrown) {
        failure = thrown;
        looking.stop();
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    if (!run) return report_nothing_measured(options.common, "rate");
    return run->report();
}

} // namespace bench
