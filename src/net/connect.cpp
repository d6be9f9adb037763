// SPDX-License-Identifier: BSL-1.0
// How a connection comes about.
#include "net/connect.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
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
    std::string reasons; // one for each address that failed

    [[nodiscard]] send_outcome fail(errc code, std::string message) const {
        held.pool()->note_connect_error(message);
        settings.env.log.write(log_level::warning, message);
        return {make_error_code(code), false, std::move(message)};
    }
    [[nodiscard]] send_outcome too_late(const char* doing) const {
        const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(limit - started);
        auto message = std::string(doing) + settings.name + " took longer than " +
                       std::to_string(span.count()) + " ms";
        if (!reasons.empty()) message += " (" + reasons + ")";
        return fail(errc::timeout, std::move(message));
    }
};

void rethrow_if_aborted(const boost::system::error_code& ec, const connection& c) {
    if (ec == asio::error::operation_aborted && !c.was_cut()) throw boost::system::system_error(ec);
}

/// Lets the sweep end the wait for a name.
class cuttable {
public:
    cuttable(connection& c, resolve_waiter& waiter) : connection_(c) { c.resolving(&waiter); }
    ~cuttable() { connection_.resolving(nullptr); }
    cuttable(const cuttable&) = delete;
    cuttable& operator=(const cuttable&) = delete;

private:
    connection& connection_;
};

auto wait_for(resolution& names, resolve_waiter& waiter) {
    return asio::async_initiate<const asio::deferred_t, void(wake)>(
        [](auto handler, resolution* what, resolve_waiter* who) {
            const auto alive = what->shared_from_this();
            auto slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected())
                slot.assign(
                    [alive, who](asio::cancellation_type) { alive->end(*who, wake::aborted); });
            alive->join(*who, unique_handler<wake>(std::move(handler)));
        },
        asio::deferred, &names, &waiter);
}

/// Empty `endpoints` and a code in the outcome when there are none.
asio::awaitable<send_outcome> find_addresses(attempt& now, std::vector<tcp::endpoint>& endpoints) {
    const auto& server = now.settings.server;
    boost::system::error_code not_literal;
    const auto literal = asio::ip::make_address(server.host, not_literal);
    if (!not_literal) {
        endpoints.emplace_back(literal, server.port);
        co_return send_outcome{};
    }
    const auto names = now.held.pool()->resolve();
    resolve_waiter waiter(names);
    wake why = wake::granted;
    {
        const cuttable guard(*now.held, waiter);
        if (now.held->was_cut()) co_return now.too_late("resolving ");
        why = co_await wait_for(*names, waiter);
    }
    if (why == wake::aborted) throw boost::system::system_error(asio::error::operation_aborted);
    if (why == wake::timeout) co_return now.too_late("resolving ");
    if (names->error())
        co_return now.fail(errc::resolve_failed,
                           "cannot resolve " + server.host + ": " + names->error().message());
    endpoints = names->endpoints();
    co_return send_outcome{};
}

/// Tries the addresses in order; each gets its share of the time that is left.
asio::awaitable<send_outcome> reach(attempt& now, std::vector<tcp::endpoint> endpoints) {
    connection& c = *now.held;
    auto left = endpoints.size();
    for (const auto& endpoint : endpoints) {
        const auto time = now.settings.now();
        if (time >= now.limit) break;
        const auto share = time + (now.limit - time) / static_cast<int>(left--);
        c.close();
        boost::system::error_code ec = c.open(endpoint.protocol());
        if (!ec && !now.held.pool()->set_deadline(c, time, share)) break;
        if (!ec) {
            const auto [failure] =
                co_await c.socket().async_connect(endpoint, asio::as_tuple(asio::deferred));
            ec = failure;
        }
        rethrow_if_aborted(ec, c);
        if (c.was_cut()) ec = asio::error::timed_out;
        if (!ec) co_return send_outcome{};
        if (!now.reasons.empty()) now.reasons += "; ";
        now.reasons += endpoint.address().to_string() + ": " + ec.message();
    }
    if (now.settings.now() >= now.limit) co_return now.too_late("connecting to ");
    co_return now.fail(errc::connect_failed,
                       "cannot connect to " + now.settings.name + ": " + now.reasons);
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

std::string describe(const origin& server) {
    const bool ipv6 = server.host.find(':') != std::string::npos;
    return (ipv6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
}

asio::awaitable<send_outcome> connect(lease& held, const transport_settings& settings,
                                      steady_time deadline) {
    connection& c = *held;
    const auto started = settings.now();
    attempt now{
        settings, held, started, std::min(deadline, started + settings.config.connect_timeout), {}};
    c.close();
    if (!held.pool()->set_deadline(c, started, now.limit)) co_return now.too_late("connecting to ");

    std::vector<tcp::endpoint> endpoints;
    send_outcome result = co_await find_addresses(now, endpoints);
    if (!result.code) result = co_await reach(now, std::move(endpoints));
    if (!result.code) {
        c.protocol().reset();
        const auto time = settings.now();
        if (!held.pool()->set_deadline(c, time, now.limit))
            result = now.too_late("connecting to ");
        else if (settings.tls)
            result = co_await shake_hands(now);
    }
    if (result.code) co_return result;

    const auto opened = settings.now();
    const std::chrono::duration<double, std::milli> age(
        static_cast<double>(settings.config.max_age.count()) *
        (1.0 - 0.1 * settings.env.random->uniform()));
    c.retire_at = opened + std::chrono::duration_cast<steady_time::duration>(age);
    if (!held.pool()->set_deadline(c, opened, deadline)) co_return now.too_late("connecting to ");
    ++held.pool()->counters.opened;
    if (c.protocol().resumed()) ++held.pool()->counters.resumed;
    c.usable = true;
    co_return send_outcome{};
}

} // namespace codynamo::net
