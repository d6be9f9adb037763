// SPDX-License-Identifier: BSL-1.0
// All gets are issued while the server reads and does not answer. Then it answers; and another time
// all of them are cancelled.
#include "inflight.hpp"

#include "batch_server.hpp"
#include "completion_order.hpp"
#include "heap.hpp"
#include "program_support/command_line.hpp"
#include "run_guard.hpp"
#include "served_process.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <utility>

namespace bench {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using byte_cache = codynamo::cache<std::string, codynamo::bytes_serializer<>>;

std::string key_of(std::uint32_t number) {
    return "key-" + std::to_string(100'000'000 + number);
}

double in_ms(steady::duration span) {
    return std::chrono::duration<double, std::milli>(span).count();
}

/// Gets under way, and how they ended.
class many_gets {
public:
    many_gets(asio::io_context& context, const byte_cache& cache, std::uint32_t size)
        : context_(context), cache_(cache), size_(size), signals_(size), why_(size) {
        ended_.reserve(size);
    }

    /// Some at a time, so that what waits for its turn to begin is not taken for what waits for
    /// the server. `cancellable`: each with a signal of its own.
    void issue(bool cancellable) {
        for (unsigned i = 0; i != 64 && issued_ != size_; ++i, ++issued_) {
            auto get = cache_.get(key_of(issued_));
            auto end = [this, number = issued_](std::exception_ptr why,
                                                const std::optional<std::string>& found) {
                ended_.push_back(number);
                if (!why && found == served_value(key_of(number))) ++good_;
                why_[number] = std::move(why);
            };
            if (cancellable)
                asio::co_spawn(context_, std::move(get),
                               asio::bind_cancellation_slot(signals_[issued_].slot(), end));
            else
                asio::co_spawn(context_, std::move(get), end);
        }
        if (issued_ != size_) asio::post(context_, [this, cancellable] { issue(cancellable); });
    }
    void cancel() {
        for (asio::cancellation_signal& signal : signals_)
            signal.emit(asio::cancellation_type::terminal);
    }

    [[nodiscard]] std::uint32_t issued() const noexcept { return issued_; }
    /// The numbers of the gets in the order of their ends.
    [[nodiscard]] const std::vector<std::uint32_t>& ended() const noexcept { return ended_; }
    [[nodiscard]] bool over() const noexcept { return ended_.size() == size_; }
    /// Had the right value.
    [[nodiscard]] std::uint32_t good() const noexcept { return good_; }
    /// Not asked while time is measured: each answer is a throw.
    [[nodiscard]] std::uint32_t cancelled() const {
        return static_cast<std::uint32_t>(
            std::ranges::count_if(why_, [](const auto& why) { return why && is_abort(why); }));
    }
    /// The first failure that is no cancellation.
    void throw_failure() const {
        for (const std::exception_ptr& why : why_)
            if (why && !is_abort(why)) std::rethrow_exception(why);
    }

private:
    static bool is_abort(const std::exception_ptr& why) {
        try {
            std::rethrow_exception(why);
        } catch (const boost::system::system_error& thrown) {
            return thrown.code() == asio::error::operation_aborted;
        } catch (...) {
            return false;
        }
    }

    asio::io_context& context_;
    byte_cache cache_;
    std::uint32_t size_;
    std::vector<asio::cancellation_signal> signals_;
    std::vector<std::exception_ptr> why_;
    std::vector<std::uint32_t> ended_;
    std::uint32_t issued_ = 0, good_ = 0;
};

struct figures {
    std::string batching{};
    double heap_bytes = 0, rss_bytes = 0; ///< of each get
    /// Where each has a cancellation signal of its own.
    double cancellable_heap_bytes = 0, cancellable_rss_bytes = 0;
    double complete_ms = 0; ///< from the release to the last end
    order_figures order{};
    double emit_ms = 0;   ///< until all signals were emitted
    double cancel_ms = 0; ///< until all had ended
    std::uint32_t bad = 0;
};

codynamo::dynamodb_backend_config config_of(const inflight_options& options, std::uint16_t port,
                                            const std::string& batching) {
    codynamo::dynamodb_backend_config config;
    config.table_name = "codynamo-bench";
    config.endpoint = "http://127.0.0.1:" + std::to_string(port);
    config.region = "us-east-1";
    config.credentials = codynamo::aws::static_credentials({"bench", "bench"});
    config.create = false;
    // Nothing is to end by itself.
    config.call_timeout = config.attempt_timeout = 1h;
    config.pool.max_connections = options.connections;
    config.batching.mode =
        batching == "on" ? codynamo::batching_mode::on : codynamo::batching_mode::off;
    return config;
}

class inflight_run {
public:
    inflight_run(const inflight_options& options, served_process& server, run_guard& guard,
                 std::string batching)
        : options_(options), server_(server), guard_(guard) {
        seen_.batching = std::move(batching);
        asio::co_spawn(context_, open(), [](const std::exception_ptr& why) {
            if (why) std::rethrow_exception(why);
        });
        context_.run();
    }

    /// nullopt when it was interrupted.
    [[nodiscard]] std::optional<figures> measure() {
        if (!warm_up() || !complete_all() || !cancel_all()) return std::nullopt;
        asio::co_spawn(context_, cache_->close(), [](const std::exception_ptr&) {});
        context_.restart();
        context_.run();
        return std::move(seen_);
    }

private:
    asio::awaitable<void> open() {
        auto config = config_of(options_, server_.port(), seen_.batching);
        cache_.emplace(co_await codynamo::dynamodb_backend::open(std::move(config)));
    }

    /// Opens the connections and lets the buffers grow.
    bool warm_up() {
        many_gets some(context_, *cache_, 64 * options_.connections);
        some.issue(false);
        return run_until([&] { return some.over(); }, some);
    }

    bool complete_all() {
        many_gets all(context_, *cache_, options_.gets);
        if (!gather(all, false, seen_.heap_bytes, seen_.rss_bytes)) return false;
        const auto began = steady::now();
        server_.release();
        if (!run_until([&] { return all.over(); }, all)) return false;
        seen_.complete_ms = in_ms(steady::now() - began);
        seen_.order = fairness_of(all.ended());
        all.throw_failure();
        seen_.bad += options_.gets - all.good();
        return true;
    }

    bool cancel_all() {
        many_gets all(context_, *cache_, options_.gets);
        if (!gather(all, true, seen_.cancellable_heap_bytes, seen_.cancellable_rss_bytes))
            return false;
        const auto began = steady::now();
        all.cancel();
        seen_.emit_ms = in_ms(steady::now() - began);
        context_.restart();
        while (!all.over())
            if (context_.run_one_for(30s) == 0 || steady::now() - began > 60s)
                throw std::runtime_error("inflight: a cancelled get does not end");
        seen_.cancel_ms = in_ms(steady::now() - began);
        server_.release();
        all.throw_failure();
        seen_.bad += options_.gets - all.cancelled();
        return true;
    }

    /// Issues them while the server stalls, and sees what they take.
    bool gather(many_gets& all, bool cancellable, double& heap_bytes, double& rss_bytes) {
        server_.hold();
        const memory_use before = memory_use::now(true);
        all.issue(cancellable);
        if (!run_until([&] { return all.issued() == options_.gets; }, all)) return false;
        context_.restart();
        context_.run_for(200ms); // whatever still has to settle
        const memory_use after = memory_use::now();
        if (!all.ended().empty()) throw std::runtime_error("inflight: the server did not stall");
        heap_bytes = static_cast<double>(after.heap_bytes - before.heap_bytes) / options_.gets;
        rss_bytes = static_cast<double>(after.rss_bytes - before.rss_bytes) / options_.gets;
        return true;
    }

    template <class Over>
    bool run_until(Over over, const many_gets& all) {
        context_.restart();
        while (!over()) {
            const auto until = steady::now() + 100ms;
            while (!over() && steady::now() < until)
                context_.run_one_until(until);
            const auto done = static_cast<double>(all.issued() + all.ended().size());
            if (guard_.look(done / 2 / options_.gets, all.ended().size())) return false;
        }
        return true;
    }

    const inflight_options& options_;
    served_process& server_;
    run_guard& guard_;
    asio::io_context context_{1};
    std::optional<byte_cache> cache_;
    figures seen_;
};

/// With single gets nobody is overtaken by who was issued that much later: each connection may be
/// so far behind as the others are quick. Batches end as a whole.
std::size_t fair_overtaking(const inflight_options& options, const figures& seen) {
    return (seen.batching == "off" ? 2 : 200) * std::size_t{options.connections};
}

void print(const inflight_options& options, const figures& seen, std::FILE* to) {
    std::fprintf(to, "%u gets in flight over %u connections, batching %s\n", options.gets,
                 options.connections, seen.batching.c_str());
    const std::pair<const char*, double> rows[] = {
        {"heap bytes each", seen.heap_bytes},
        {"RSS bytes each", seen.rss_bytes},
        {"heap, each cancellable", seen.cancellable_heap_bytes},
        {"RSS, each cancellable", seen.cancellable_rss_bytes},
        {"ms to complete all", seen.complete_ms},
        {"largest displacement", static_cast<double>(seen.order.displacement)},
        {"largest overtaking", static_cast<double>(seen.order.overtaking)},
        {"ms to emit signals", seen.emit_ms},
        {"ms to cancel all", seen.cancel_ms},
        {"wrong ends", seen.bad}};
    for (const auto& [name, value] : rows)
        std::fprintf(to, "  %-24s %10.1f\n", name, value);
}

boost::json::object as_json(const figures& seen, bool fair) {
    return {{"batching", seen.batching},
            {"heap_bytes_per_get", seen.heap_bytes},
            {"rss_bytes_per_get", seen.rss_bytes},
            {"cancellable_heap_bytes_per_get", seen.cancellable_heap_bytes},
            {"cancellable_rss_bytes_per_get", seen.cancellable_rss_bytes},
            {"complete_ms", seen.complete_ms},
            {"largest_displacement", seen.order.displacement},
            {"largest_overtaking", seen.order.overtaking},
            {"fair", fair},
            {"emit_ms", seen.emit_ms},
            {"cancel_ms", seen.cancel_ms},
            {"wrong", seen.bad}};
}

} // namespace

void add_inflight_options(CLI::App& app, inflight_options& options) {
    app.add_option("--gets", options.gets, "Gets in flight")
        ->check(support::in_range(100U, 10'000'000U))
        ->capture_default_str();
    app.add_option("--connections", options.connections, "Most connections")
        ->check(support::in_range(1U, 1000U))
        ->capture_default_str();
    app.add_option("--batching", options.batching, "off, on; or both: off,on")
        ->delimiter(',')
        ->check(CLI::IsMember({"off", "on"}))
        ->capture_default_str();
    support::add_json_option(app, options.json);
}

int run_inflight(const inflight_options& options) {
    const interruption signals;
    served_process server;
    guard_options guarded;
    guarded.json = options.json;
    guarded.server_pids = {server.pid()};
    run_guard guard("inflight", "gets", std::move(guarded));
    boost::json::array results;
    bool good = true;
    guard.begin_window();
    for (const std::string& batching : options.batching) {
        const auto seen = inflight_run(options, server, guard, batching).measure();
        if (!seen) break;
        const bool fair = seen->order.overtaking <= fair_overtaking(options, *seen);
        good = good && fair && seen->bad == 0;
        guard.progress().clear();
        print(options, *seen, guard.table_stream());
        if (!fair) std::fprintf(stderr, "inflight: the order was not fair\n");
        results.push_back(as_json(*seen, fair));
    }
    guard.end_window();
    guard.print_load(guard.table_stream());
    boost::json::object out{{"gets", options.gets},
                            {"connections", options.connections},
                            {"results", std::move(results)}};
    guard.describe(out, "inflight");
    guard.write(out);
    return guard.exit_code(good);
}

} // namespace bench
