// SPDX-License-Identifier: BSL-1.0
// The transport: one coroutine that borrows a connection, does the exchange, and gives it back.
#include "net/config_check.hpp"
#include "net/connect.hpp"
#include "net/context_pool.hpp"
#include "net/exchange_op.hpp"
#include "net/innermost.hpp"
#include "net/turn.hpp"

#include <codynamo/detail/recycled.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace codynamo::net {
namespace {

// Idle for longer than this, a connection is looked at before use. In a busy loop it never is, and
// the system call is spared.
constexpr auto trusted_idle = 5ms;

/// What the transport and its running coroutines share.
class hub final : public pool_owner, public std::enable_shared_from_this<hub> {
public:
    explicit hub(std::shared_ptr<const transport_settings> shared) : settings(std::move(shared)) {}

    ~hub() override {
        for (const auto& [context, pool] : pools_)
            pool->drop();
    }

    /// The pool of the executor's context; null when closed, unless `to_close`.
    std::shared_ptr<context_pool> pool_of(const asio::any_io_executor& executor, bool to_close) {
        const auto* const context = &asio::query(executor, asio::execution::context);
        const std::lock_guard lock(mutex_);
        if (closed_ && !to_close) return nullptr;
        for (const auto& [c, pool] : pools_)
            if (c == context) return pool;
        auto pool = context_pool::make(innermost(executor), settings, weak_from_this());
        pools_.emplace_back(context, pool);
        return pool;
    }

    void close() {
        std::unique_lock lock(mutex_);
        closed_ = true;
        const auto pools = pools_;
        lock.unlock();
        for (const auto& [context, pool] : pools)
            pool->close();
    }

    void drained() noexcept override {
        // Under the lock, because a copy of the list may not be had.
        const std::lock_guard lock(mutex_);
        for (const auto& [context, pool] : pools_)
            if (!pool->is_drained()) return;
        for (const auto& [context, pool] : pools_)
            pool->wake_closers();
    }

    void gone(context_pool& dying) noexcept override {
        {
            const std::lock_guard lock(mutex_);
            dying.add_to(past_);
            past_.open = past_.idle = past_.waiting = 0;
            std::erase_if(pools_, [&](const auto& entry) { return entry.second.get() == &dying; });
            if (!closed_) return;
        }
        drained();
    }

    transport_stats stats() const {
        const std::lock_guard lock(mutex_);
        transport_stats sum = past_;
        for (const auto& [context, pool] : pools_)
            pool->add_to(sum);
        return sum;
    }

    const std::shared_ptr<const transport_settings> settings;

private:
    mutable std::mutex mutex_;
    std::vector<std::pair<const asio::execution_context*, std::shared_ptr<context_pool>>> pools_;
    transport_stats past_; // of contexts that are gone
    bool closed_ = false;
};

send_outcome failed(errc code, bool sent, std::string message) {
    return {make_error_code(code), sent, std::move(message)};
}

/// The copy of an exchange that its parent process goes on with.
send_outcome forked(bool sent, const transport_settings& settings) {
    return failed(errc::closed, sent,
                  "the program was forked during the exchange with " + settings.name +
                      ", which goes on in the parent process");
}

std::string within(steady_time started, steady_time deadline) {
    const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - started);
    return " within " + std::to_string(span.count()) + " ms";
}

std::string in_ms(steady_time::duration span) {
    const auto tenths = std::chrono::duration_cast<std::chrono::microseconds>(span).count() / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

std::string in_ms_left(const transport_settings& settings, steady_time deadline) {
    return in_ms(std::max(deadline - settings.now(), steady_time::duration::zero()));
}

std::string hopeless(const queue_state& queue, const transport_settings& settings,
                     steady_time deadline) {
    return "the deadline would pass before a connection to " + settings.name +
           " becomes free: " + std::to_string(queue.waiting) + " exchanges wait for " +
           std::to_string(queue.connections) + " connections, each held for about " +
           in_ms(queue.hold) + ", and " + in_ms_left(settings, deadline) + " are left";
}

std::string too_late(const queue_state& queue, const transport_settings& settings,
                     steady_time started, steady_time deadline) {
    return "a connection to " + settings.name + " became free after " +
           in_ms(settings.now() - started) + ", too late: exchanges take up to " +
           in_ms(queue.need) + ", and " + in_ms_left(settings, deadline) + " are left";
}

send_outcome not_admitted(wake why, const context_pool& pool, const transport_settings& settings,
                          steady_time started, steady_time deadline) {
    switch (why) {
    case wake::timeout: {
        auto message =
            "no connection to " + settings.name + " became free" + within(started, deadline);
        if (const auto last = pool.last_connect_error(); !last.empty())
            message += "; last connect error: " + last;
        auto outcome = failed(errc::timeout, false, std::move(message));
        outcome.queued = true;
        return outcome;
    }
    case wake::overloaded:
        return failed(errc::overloaded, false,
                      std::to_string(settings.config.max_waiting) +
                          " exchanges are waiting for a connection to " + settings.name +
                          " already");
    case wake::hopeless:
        return failed(errc::overloaded, false, hopeless(pool.queue(), settings, deadline));
    case wake::forked:
        return forked(false, settings);
    case wake::too_late:
        return failed(errc::overloaded, false, too_late(pool.queue(), settings, started, deadline));
    default:
        return failed(errc::closed, false, "the transport to " + settings.name + " was closed");
    }
}

send_outcome lost(connection& c, const transport_settings& settings, steady_time started,
                  steady_time deadline) {
    const auto& at = c.current;
    if (c.is_inherited()) return forked(at.sent, settings);
    if (c.was_cut())
        return failed(errc::timeout, at.sent,
                      "no complete response from " + settings.name + within(started, deadline));
    if (at.state == advance::failed) {
        const auto& failure = c.protocol().failure();
        const bool seen = at.sent && failure.code != errc::tls_failed; // nothing was decrypted
        return failed(failure.code, seen, settings.name + ": " + failure.message);
    }
    const char* const when =
        c.protocol().answered() ? "in the middle of the response" : "before the response";
    auto message = settings.name + ": the connection ended " + when;
    if (const auto& why = at.code ? at.code : at.write_error) message += ": " + why.message();
    return failed(errc::connection_lost, at.sent, std::move(message));
}

/// Encodes the request and sends what the socket takes at once, which is all of it as a rule.
void begin_sending(connection& c) {
    c.current = {};
    if (c.protocol().request())
        (void)send_some(c);
    else
        c.current.state = advance::stale;
}

/// What is known of an earlier copy of the request, beside this one.
send_outcome after(bool sent_before, send_outcome outcome) {
    outcome.sent_twice = sent_before && outcome.sent;
    outcome.sent = outcome.sent || sent_before;
    return outcome;
}

/// A connection, or why there is none: what `place` has come to, or nothing where one has to wait.
std::optional<wake> admit(lease& held, turn*& place, steady_time now, steady_time deadline) {
    if (place && place->held.pool() == held.pool()) {
        held.take_over(place->held, now, deadline);
        return place->how;
    }
    if (place) std::exchange(place, nullptr)->held.drop(); // another way was chosen meanwhile
    return held.checkout(now, deadline);
}

/// How to go on when the connection could not be opened, as admit(); unreachable: not at all. That
/// the pool cannot grow is no failure of the exchange while another connection can serve it.
std::optional<wake> instead(lease& held, steady_time now, steady_time deadline) {
    if (now >= deadline || !held.open_failed(now)) return wake::unreachable;
    return held.checkout(now, deadline);
}

/// A timeout of an exchange that had spent most of its time in the queue is not the server's.
asio::awaitable<send_outcome> open_connection(lease& held, const transport_settings& settings,
                                              steady_time started, steady_time deadline) {
    held->busy_since = steady_time::max(); // connect() sets it when it has opened it
    const auto granted = held->granted_at;
    send_outcome opened = co_await connect(held, settings, deadline);
    if (opened.code == errc::timeout) opened.queued |= settings.now() - granted < granted - started;
    co_return opened;
}

asio::awaitable<send_outcome> send_on(std::shared_ptr<hub> self, exchange& what,
                                      send_options options, std::optional<steady_time> now,
                                      turn* place, codynamo::detail::recycled) {
    const auto& settings = *self->settings;
    const auto started = now ? *now : settings.now();
    const auto deadline = options.deadline;
    if (deadline <= started && (!place || place->how == wake::granted))
        co_return failed(errc::timeout, false, "the deadline had passed before sending");

    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    lease held(self->pool_of(executor, false));
    if (!held.pool())
        co_return failed(errc::closed, false, "the transport to " + settings.name + " is closed");

    std::optional<wake> how = admit(held, place, started, deadline);
    send_outcome opened;
    auto taken_at = started;
    bool sent_before = false;
    for (bool replayed = false;;) {
        if (!how) {
            how = co_await held.wait(deadline);
            if (how == wake::granted) held.take();
        }
        if (how == wake::aborted) co_return codynamo::detail::cancelled();
        if (how == wake::no_memory) throw std::bad_alloc();
        if (how == wake::unreachable) co_return after(sent_before, std::move(opened));
        if (how != wake::granted)
            co_return after(sent_before, not_admitted(*how, *held.pool(), settings,
                                                      place ? place->since : started, deadline));
        while (held->usable && taken_at - held->idle_since > trusted_idle && !held->alive())
            held.replace(taken_at);

        connection& c = *held;
        // Granted in the parent process, and not taken before the fork.
        if (c.is_inherited()) co_return after(sent_before, forked(false, settings));
        const bool reused = c.usable;
        if (!reused) {
            opened = co_await open_connection(held, settings, started, deadline);
            if (c.is_inherited()) co_return after(sent_before, forked(false, settings));
            if (opened.code) {
                taken_at = settings.now();
                how = instead(held, taken_at, deadline);
                if (how == wake::no_memory) throw std::bad_alloc();
                if (how == wake::unreachable) co_return after(sent_before, std::move(opened));
                continue;
            }
        }
        wire& protocol = c.protocol();
        protocol.begin();
        what.write(protocol.head(), protocol.body());

        c.usable = false;
        exchange_state& at = c.current;
        begin_sending(c);
        if (!at.is_over()) {
            make_room(c);
            co_await run_exchange(c);
        }
        if (at.exception) std::rethrow_exception(std::exchange(at.exception, nullptr));

        if (at.state == advance::done) {
            c.usable = protocol.reusable();
            if (reused) ++held.pool()->counters.reused;
            what.read(protocol.response());
            c.usable = c.usable && what.keep_connection();
            protocol.trim();
            co_return after(sent_before, {{}, true, {}});
        }
        const bool dead = reused && !protocol.answered() && at.state != advance::failed;
        if (!dead || replayed || c.was_cut() || (at.sent && !options.replay_safe))
            co_return after(sent_before, lost(c, settings, started, deadline));
        replayed = true;
        sent_before = at.sent;
        ++held.pool()->counters.replayed;
        c.close();
    }
}

asio::awaitable<void> close_all(std::shared_ptr<hub> self) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    self->close();
    lease here(self->pool_of(executor, true));
    here.pool()->close();
    const wake why = co_await here.wait_for_close(self);
    if (why == wake::aborted) throw boost::system::system_error(asio::error::operation_aborted);
}

class https_transport final : public queueing_transport {
public:
    explicit https_transport(std::shared_ptr<hub> shared) : hub_(std::move(shared)) {}

    asio::awaitable<send_outcome> send(exchange& what, send_options options) override {
        return send_on(hub_, what, options, std::nullopt, nullptr, codynamo::detail::recycled());
    }
    asio::awaitable<send_outcome> send_now(exchange& what, send_options options, steady_time now,
                                           turn* place) override {
        return send_on(hub_, what, options, now, place, codynamo::detail::recycled());
    }
    [[nodiscard]] bool crowded() const noexcept override {
        return hub_->settings->waiting->load(std::memory_order_relaxed) != 0;
    }
    std::shared_ptr<context_pool> pool_of(const asio::any_io_executor& executor) override {
        return hub_->pool_of(executor, false);
    }
    asio::awaitable<void> close() override { return close_all(hub_); }
    [[nodiscard]] transport_stats stats() const override { return hub_->stats(); }

private:
    const std::shared_ptr<hub> hub_;
};

} // namespace

std::shared_ptr<transport> make_transport(origin server, pool_config pool, tls_config tls,
                                          environment env, network_config network) {
    check(server);
    check(pool);
    check(network);
    transport_settings settings;
    settings.proxy = resolve_proxy(network.proxy, env, server);
    wipe(network.proxy.url);
    settings.name = describe(server.host, server.port);
    settings.target = {server.host, server.port};
    if (settings.proxy) {
        settings.target = {settings.proxy->host, settings.proxy->port};
        settings.proxy_name = describe(settings.target.host, settings.target.port);
        env.log.write(log_level::info, "connections to " + settings.name +
                                           " pass through the proxy " + settings.proxy_name);
    }
    settings.tls = server.tls ? make_tls_context(tls) : nullptr;
    settings.server = std::move(server);
    settings.config = pool;
    settings.env = std::move(env);
    settings.network = std::move(network);
    return std::make_shared<https_transport>(
        std::make_shared<hub>(std::make_shared<const transport_settings>(std::move(settings))));
}

} // namespace codynamo::net
