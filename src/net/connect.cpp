// SPDX-License-Identifier: BSL-1.0
// How a connection comes about.
#include "net/connect.hpp"

#include "net/connect_race.hpp"
#include "net/growth_schedule.hpp"
#include "net/tunnel.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace codynamo::net {
namespace {

/// What is being attempted, for words and bounds.
struct attempt {
    const transport_settings& settings;
    lease& held;
    steady_time started;
    steady_time limit;
    bool by_deadline;    // the call's; else by the connect time-out
    std::string reasons; // one for each address that failed

    [[nodiscard]] send_outcome fail(errc code, std::string message) const {
        held.pool()->note_connect_error(message);
        settings.env.log.write(log_level::warning, message);
        return {make_error_code(code), false, std::move(message)};
    }
    [[nodiscard]] std::string took_longer(const std::string& doing) const {
        const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(limit - started);
        // What begins just before its deadline is not measured in milliseconds.
        auto message =
            doing + (span.count() > 0 ? " took longer than " + std::to_string(span.count()) + " ms"
                                      : " had no time: less than 1 ms of the deadline was left");
        if (!reasons.empty()) message += " (" + reasons + ")";
        return message;
    }
    [[nodiscard]] send_outcome too_late(const char* doing) const {
        return fail(errc::timeout, took_longer(doing + settings.name));
    }
    /// Or the sweep has cut the connection while nothing was pending that would have failed.
    [[nodiscard]] send_outcome still_in_time() const {
        if (held.pool()->set_deadline(*held, settings.now(), limit)) return {};
        return fail(errc::timeout, took_longer("connecting to " + target()));
    }
    /// As a proxy's fault: `what` it did.
    [[nodiscard]] send_outcome blame_proxy(const std::string& what) const {
        return fail(errc::connect_failed, "the proxy " + settings.proxy_name + " on the way to " +
                                              settings.name + " " + what);
    }
    /// Who is connected to.
    [[nodiscard]] std::string target() const {
        return settings.proxy
                   ? "the proxy " + settings.proxy_name + " on the way to " + settings.name
                   : settings.name;
    }
};

void rethrow_if_aborted(const boost::system::error_code& ec, const connection& c) {
    if (ec == asio::error::operation_aborted && !c.was_cut()) throw boost::system::system_error(ec);
}

/// Lets the sweep end the wait for a name.
class cuttable {
public:
    cuttable(connection& c, resolve_waiter& waiter) : connection_(c), whole_(c.watch(&waiter)) {}
    ~cuttable() { (void)connection_.watch(nullptr); }
    cuttable(const cuttable&) = delete;
    cuttable& operator=(const cuttable&) = delete;
    [[nodiscard]] bool was_cut() const noexcept { return !whole_; }

private:
    connection& connection_;
    const bool whole_;
};

auto wait_for(resolution& names, resolve_waiter& waiter) {
    return asio::async_initiate<const asio::deferred_t, void(wake)>(
        [](auto handler, resolution* what, resolve_waiter* who) {
            const auto alive = what->shared_from_this();
            auto slot = asio::get_associated_cancellation_slot(handler);
            // A slot may outlive the context, which a look-up must not.
            if (slot.is_connected())
                slot.assign([weak = std::weak_ptr(alive), who](asio::cancellation_type) {
                    if (const auto still = weak.lock()) still->end(*who, wake::aborted);
                });
            alive->join(*who, unique_handler<wake>(std::move(handler)));
        },
        asio::deferred, &names, &waiter);
}

/// Empty `endpoints` and a code in the outcome when there are none.
asio::awaitable<send_outcome> find_addresses(attempt& now, std::vector<tcp::endpoint>& endpoints) {
    const auto& [host, port] = now.settings.target;
    boost::system::error_code not_literal;
    const auto literal = asio::ip::make_address(host, not_literal);
    if (!not_literal) {
        endpoints.emplace_back(literal, port);
        co_return send_outcome{};
    }
    for (;;) {
        const auto names = now.held.pool()->resolve();
        resolve_waiter waiter(names);
        wake why = wake::granted;
        {
            const cuttable guard(*now.held, waiter);
            if (guard.was_cut()) co_return now.too_late("resolving ");
            why = co_await wait_for(*names, waiter);
        }
        if (why == wake::aborted) throw boost::system::system_error(asio::error::operation_aborted);
        if (why == wake::timeout) co_return now.too_late("resolving ");
        if (names->given_up()) continue;
        now.held->lack = shortage_of(names->error());
        if (names->error())
            co_return now.fail(errc::resolve_failed,
                               "cannot resolve " + host + ": " + names->words());
        endpoints = names->endpoints();
        co_return send_outcome{};
    }
}

std::vector<tcp::endpoint> by_turns(const std::vector<tcp::endpoint>& given) {
    std::vector<bool> is_v6;
    is_v6.reserve(given.size());
    for (const auto& endpoint : given)
        is_v6.push_back(endpoint.address().is_v6());
    std::vector<tcp::endpoint> order;
    for (const auto i : take_turns(is_v6))
        if (std::find(order.begin(), order.end(), given[i]) == order.end())
            order.push_back(given[i]);
    return order;
}

/// Connects the socket to whichever address answers first.
asio::awaitable<send_outcome> reach(attempt& now, std::vector<tcp::endpoint> endpoints) {
    connection& c = *now.held;
    race_state state{c.socket().get_executor(),
                     by_turns(endpoints),
                     now.settings.network.attempt_delay,
                     now.settings.env.time,
                     {},
                     {}};
    wake why = wake::granted;
    {
        race_watch watch(c);
        auto race = std::make_shared<connect_race>(state);
        why = co_await run_race(std::move(race), watch);
    }
    if (why == wake::aborted) throw boost::system::system_error(asio::error::operation_aborted);
    now.reasons = std::move(state.reasons);
    // Not when a server has refused, or is not reachable, at one of its addresses.
    c.lack = state.shortages == state.endpoints.size() ? state.least : shortage::none;
    if (state.winner) {
        c.adopt(std::move(*state.winner));
        co_return send_outcome{};
    }
    const auto doing = "connecting to " + now.target();
    if (why == wake::timeout || now.settings.now() >= now.limit)
        co_return now.fail(errc::timeout, now.took_longer(doing));
    co_return now.fail(errc::connect_failed,
                       "cannot connect to " + now.target() + ": " + now.reasons);
}

/// Why there is no tunnel, when the socket failed.
send_outcome no_tunnel(attempt& now, const tunnel& gate, const boost::system::error_code& ec) {
    connection& c = *now.held;
    rethrow_if_aborted(ec, c);
    if (!gate.words().empty()) return now.blame_proxy(gate.words());
    if (!c.was_cut()) return now.blame_proxy("broke off: " + ec.message());
    if (now.by_deadline)
        return now.fail(errc::timeout, now.took_longer("the tunnel through " + now.target()));
    return now.blame_proxy(now.took_longer("did not answer: it"));
}

asio::awaitable<send_outcome> open_tunnel(attempt& now) {
    connection& c = *now.held;
    tunnel gate(*now.settings.proxy, now.settings.server);
    const auto words = asio::buffer(gate.request().data(), gate.request().size());
    auto [ec, sent] = co_await asio::async_write(c.socket(), words, asio::as_tuple(asio::deferred));
    std::array<char, 2048> space;
    while (!ec) {
        const auto to = asio::buffer(space);
        const auto [failure, n] =
            co_await c.socket().async_read_some(to, asio::as_tuple(asio::deferred));
        ec = failure;
        if (ec && (ec != asio::error::eof || c.was_cut())) break;
        const auto state = ec ? gate.ended() : gate.received({space.data(), n});
        if (state == tunnel::state::open) co_return send_outcome{};
        if (state == tunnel::state::refused) break;
    }
    co_return no_tunnel(now, gate, ec);
}

asio::awaitable<send_outcome> shake_hands(attempt& now) {
    connection& c = *now.held;
    wire& protocol = c.protocol();
    auto state = protocol.handshake();
    for (;;) {
        boost::system::error_code ec;
        if (const auto words = protocol.outgoing(); !words.empty()) {
            const auto out = asio::buffer(words.data(), words.size());
            const auto [failure, n] =
                co_await asio::async_write(c.socket(), out, asio::as_tuple(asio::deferred));
            ec = failure;
            protocol.outgoing_sent();
        }
        if (!ec && state == advance::done) co_return send_outcome{};
        if (!ec && state == advance::more) {
            const auto space = protocol.space();
            const auto to = asio::buffer(space.data(), space.size());
            const auto [failure, n] =
                co_await c.socket().async_read_some(to, asio::as_tuple(asio::deferred));
            if (!failure) {
                state = protocol.received(n);
                continue;
            }
            if (failure == asio::error::eof)
                state = protocol.ended();
            else
                ec = failure;
        }
        rethrow_if_aborted(ec, c);
        if (c.was_cut()) co_return now.too_late("the TLS handshake with ");
        // A refusal counts even when the peer did not wait for our alert.
        const bool refused = state == advance::failed;
        co_return now.fail(refused ? protocol.failure().code : errc::connect_failed,
                           "TLS handshake with " + now.settings.name + ": " +
                               (refused ? protocol.failure().message : ec.message()));
    }
}

} // namespace

std::string describe(const std::string& host, std::uint16_t port) {
    const bool ipv6 = host.find(':') != std::string::npos;
    return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

asio::awaitable<send_outcome> connect(lease& held, const transport_settings& settings,
                                      steady_time deadline) {
    connection& c = *held;
    const auto started = settings.now();
    const auto bound = started + settings.config.connect_timeout;
    attempt now{settings, held, started, std::min(deadline, bound), deadline <= bound, {}};
    c.close();
    c.lack = shortage::none;
    if (!held.pool()->set_opening(c, started, now.limit)) co_return now.too_late("connecting to ");

    std::vector<tcp::endpoint> endpoints;
    send_outcome result = co_await find_addresses(now, endpoints);
    if (!result.code) result = co_await reach(now, std::move(endpoints));
    if (!result.code) result = now.still_in_time();
    if (!result.code && settings.proxy) result = co_await open_tunnel(now);
    if (!result.code) {
        c.protocol().reset();
        result = now.still_in_time();
    }
    if (!result.code && settings.tls) result = co_await shake_hands(now);
    if (result.code) co_return result;

    const auto opened = settings.now();
    const std::chrono::duration<double, std::milli> age(
        static_cast<double>(settings.config.max_age.count()) *
        (1.0 - 0.1 * settings.env.random->uniform()));
    c.busy_since = opened; // what took so long is no measure of exchanges
    c.retire_at = opened + std::chrono::duration_cast<steady_time::duration>(age);
    if (!held.pool()->set_opened(c, opened, deadline)) co_return now.too_late("connecting to ");
    ++held.pool()->counters.opened;
    if (c.protocol().resumed()) ++held.pool()->counters.resumed;
    c.usable = true;
    co_return send_outcome{};
}

} // namespace codynamo::net
