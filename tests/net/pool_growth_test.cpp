// SPDX-License-Identifier: BSL-1.0
// A pool that cannot open more connections: the process has no descriptors left, or the server
// takes no more.
#include "support/catch.hpp"
#include "support/harness.hpp"
#include "support/loopback_server.hpp"
#include "support/server_peer.hpp"
#include "support/stub_server.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <deque>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

/// Whether a test may take all descriptors: with GCC, UBSan is on where AddressSanitizer is, and
/// its check of virtual functions looks at memory through a pipe of its own.
bool can_run_out() {
#ifdef __SANITIZE_ADDRESS__
    WARN("not run: UndefinedBehaviorSanitizer needs descriptors");
    return false;
#else
    return true;
#endif
}

/// While it lives the process can open nothing more.
class no_descriptors {
public:
    no_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int lowest_free = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
        ::close(lowest_free);
        rlimit now = before_;
        now.rlim_cur = static_cast<rlim_t>(lowest_free);
        ::setrlimit(RLIMIT_NOFILE, &now);
    }
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    no_descriptors(const no_descriptors&) = delete;
    no_descriptors& operator=(const no_descriptors&) = delete;

private:
    rlimit before_{};
};

/// Accepts one connection and refuses all others; answers `most` requests on it.
class single_connection_server {
public:
    explicit single_connection_server(std::size_t most = SIZE_MAX) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        port_ = bind_loopback(listener_, false);
        ::listen(listener_, 1);
        thread_ = std::thread([this, most] { serve(most); });
    }
    ~single_connection_server() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    single_connection_server(const single_connection_server&) = delete;
    single_connection_server& operator=(const single_connection_server&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    void serve(std::size_t most) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        ::shutdown(listener_, SHUT_RDWR); // refuses from here on
        server_peer peer(fd, nullptr);
        for (std::size_t i = 0; i < most && !peer.request().empty(); ++i)
            peer.say(response("ok"));
        ::close(fd);
    }

    int listener_;
    std::uint16_t port_;
    std::thread thread_;
};

/// Many exchanges at once.
struct crowd {
    explicit crowd(std::uint16_t port, net::pool_config config = {})
        : transport(net::make_transport(loopback(port), config, {}, {})) {}

    void send(int count, steady::duration left) {
        net::send_options options;
        options.deadline = steady::now() + left;
        for (int i = 0; i < count; ++i)
            asio::co_spawn(io, transport->send(exchanges.emplace_back(), options),
                           [this](std::exception_ptr error, net::send_outcome outcome) {
                               CHECK_FALSE(error);
                               outcomes.push_back(std::move(outcome));
                           });
    }
    void run_for(steady::duration time) {
        io.restart();
        io.run_for(time);
    }
    void warm_up() {
        remembering_exchange first;
        REQUIRE_FALSE(testing::run(io, transport->send(first, {})).code);
    }
    [[nodiscard]] std::size_t count(boost::system::error_code code) const {
        return static_cast<std::size_t>(
            std::count_if(outcomes.begin(), outcomes.end(),
                          [&](const net::send_outcome& o) { return o.code == code; }));
    }

    asio::io_context io;
    asio::steady_timer reactor{io}; // which opens descriptors of its own when it is first used
    std::shared_ptr<net::transport> transport;
    std::deque<remembering_exchange> exchanges;
    std::vector<net::send_outcome> outcomes;
};

stub_config answering() {
    return {.answer = [](const std::string&) { return response("ok"); }};
}

} // namespace

TEST_CASE("without descriptors for more connections the one that is open serves all exchanges") {
    if (!can_run_out()) return;
    stub_server server(answering());
    crowd gets(server.port());
    gets.warm_up();
    {
        const no_descriptors left;
        gets.send(300, 20s);
        gets.run_for(20s);
    }
    CHECK(gets.count({}) == 300);
    CHECK(server.connections() == 1);
    CHECK(gets.transport->stats().open == 1);
    CHECK(gets.transport->stats().idle == 1);
}

TEST_CASE("a server that accepts one connection serves all exchanges over it") {
    single_connection_server server;
    crowd gets(server.port());
    gets.warm_up();
    gets.send(300, 20s);
    gets.run_for(20s);
    CHECK(gets.count({}) == 300);
    CHECK(gets.transport->stats().opened == 1);
    CHECK(gets.transport->stats().open == 1);
    gets.transport.reset();
}

TEST_CASE("without any connection exchanges wait until there are descriptors again") {
    if (!can_run_out()) return;
    stub_server server(answering());
    crowd gets(server.port());
    {
        const no_descriptors left;
        gets.send(100, 20s);
        gets.run_for(60ms);
        CHECK(gets.outcomes.empty());
        CHECK(gets.transport->stats().waiting == 100);
    }
    gets.run_for(20s);
    CHECK(gets.count({}) == 100);
    CHECK(gets.transport->stats().waiting == 0);
}

TEST_CASE("without any connection exchanges fail at their deadline, with the reason") {
    if (!can_run_out()) return;
    stub_server server(answering());
    crowd gets(server.port());
    const no_descriptors left;
    gets.send(100, 80ms);
    gets.run_for(20s);
    REQUIRE(gets.outcomes.size() == 100);
    for (const auto& outcome : gets.outcomes) {
        CHECK(outcome.code == errc::timeout);
        CHECK(outcome.queued); // no fault of the server's
        CHECK_FALSE(outcome.sent);
        CHECK_THAT(outcome.message, Catch::Contains("Too many open files"));
    }
    CHECK(gets.transport->stats().open == 0);
}

TEST_CASE("a server that refuses every connection fails all exchanges at once") {
    net::pool_config config;
    config.max_connections = 8;
    crowd gets(free_port(), config);
    const auto started = steady::now();
    gets.send(100, 20s);
    gets.run_for(20s);
    CHECK(gets.count(errc::connect_failed) == 100);
    CHECK(steady::now() - started < 10s);
    CHECK(gets.transport->stats().open == 0);
    CHECK(gets.transport->stats().waiting == 0);
}

TEST_CASE("exchanges that wait for the only connection fail when it ends and no other opens") {
    single_connection_server server(50);
    net::pool_config config;
    config.max_connections = 8;
    crowd gets(server.port(), config);
    gets.warm_up();
    const auto started = steady::now();
    gets.send(300, 20s);
    gets.run_for(20s);
    CHECK(gets.count({}) == 49);
    CHECK(gets.count(errc::connect_failed) + gets.count(errc::connection_lost) == 251);
    CHECK(steady::now() - started < 10s);
    CHECK(gets.transport->stats().open == 0);
    CHECK(gets.transport->stats().waiting == 0);
}
