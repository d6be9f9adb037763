// SPDX-License-Identifier: BSL-1.0
// What a fork may do with a client: before it is used, between two uses and in the middle of one;
// on the same context and on another; with a child that works, exits or does nothing.
#include "echo_process.hpp"
#include "support/catch.hpp"
#include "support/harness.hpp"
#include "support/longest_jitter.hpp"
#include "support/tap.hpp"

#include <codynamo/dynamodb/client.hpp>

#include <algorithm>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

/// Longer than any of these tests takes, under a sanitizer too.
constexpr unsigned child_seconds = 60;

/// A client that lives before and after the fork.
struct world {
    explicit world(bool tls, std::size_t connections = 4, bool any_jitter = false) : server(tls) {
        dynamodb::client_config config;
        config.region = "us-east-1";
        config.endpoint =
            (tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(server.port());
        config.credentials = aws::static_credentials({"AKIDEXAMPLE", "secret-of-this-test"});
        if (!any_jitter) config.env.random = std::make_shared<test_support::longest_jitter>();
        config.env.log.level = log_level::info;
        config.env.log.sink = [this](log_level, std::string_view line) {
            failures += line.find(" failed: ") != line.npos ? 1 : 0;
        };
        config.env = testing_support::tapped(std::move(config.env));
        config.retry.base = 200ms;
        config.tls.dangerously_skip_certificate_verification = true;
        config.pool.max_connections = connections;
        db.emplace(std::move(config));
    }

    /// Whether a GetItem answers with its own key.
    bool get(asio::io_context& on, const std::string& key) {
        const auto got = run(on, db->attempt(request(key)));
        return got && got->item == dynamodb::item{{"k", key}};
    }
    bool transact(asio::io_context& on) {
        dynamodb::transact_write_items_input in;
        in.items = {{.table_name = "table", .item = {{"k", "x"}}}};
        return run(on, db->attempt(in)).has_value();
    }
    static dynamodb::get_item_input request(const std::string& key) {
        return {.table_name = "table", .key = {{"k", key}}};
    }
    /// Runs what is due until `done`; false after ten seconds.
    template <class F>
    bool run_until(F done) {
        const auto until = std::chrono::steady_clock::now() + 10s;
        while (!done() && std::chrono::steady_clock::now() < until)
            io->run_one_for(1ms);
        return done();
    }
    /// Forks; the child's exit status is 0 when `child` returns true. A child
    /// that hangs is ended by SIGALRM, so the parent's wait has a bound.
    template <class F>
    pid_t fork_off(F child, bool notify = true) {
        if (notify) io->notify_fork(asio::execution_context::fork_prepare);
        const pid_t pid = ::fork();
        if (pid != 0) {
            if (notify) io->notify_fork(asio::execution_context::fork_parent);
            return pid;
        }
        int status = 2;
        ::alarm(child_seconds);
        try {
            if (notify) io->notify_fork(asio::execution_context::fork_child);
            status = child() ? 0 : 1;
        } catch (...) {
            status = 3;
        }
        ::_exit(status); // Catch is the parent's
    }

    int failures = 0; ///< of attempts
    echo_process server;
    std::optional<asio::io_context> io{std::in_place};
    std::optional<dynamodb::client> db;
};

int status_of(pid_t child) {
    int status = -1;
    if (::waitpid(child, &status, 0) != child) return -1;
    if (WIFSIGNALED(status)) FAIL("the child was ended by signal " << WTERMSIG(status));
    return WEXITSTATUS(status);
}

} // namespace

TEST_CASE("fork: workers made from one client send different tokens") {
    world w(false, 4, true);
    std::vector<pid_t> workers;
    for (int i = 0; i < 3; ++i)
        workers.push_back(w.fork_off([&] { return w.transact(*w.io) && w.transact(*w.io); }));
    for (const pid_t worker : workers)
        CHECK(status_of(worker) == 0);
    CHECK(w.transact(*w.io));
    auto tokens = w.server.tokens();
    REQUIRE(tokens.size() == 7);
    std::ranges::sort(tokens);
    CHECK(std::ranges::adjacent_find(tokens) == tokens.end());
}

TEST_CASE("fork: jitter of parent and child differs") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const environment env = testing_support::tapped();
    world w(false);
    const pid_t child = w.fork_off([&] {
        const std::uint64_t drawn = env.random->next();
        return ::write(ends[1], &drawn, sizeof drawn) == sizeof drawn;
    });
    CHECK(status_of(child) == 0);
    std::uint64_t drawn = 0;
    REQUIRE(::read(ends[0], &drawn, sizeof drawn) == sizeof drawn);
    CHECK(env.random->next() != drawn);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_CASE("fork: before and between uses, parent and child both go on") {
    const bool tls = GENERATE(false, true);
    const bool used_before = GENERATE(false, true);
    const bool own_context = GENERATE(false, true);
    CAPTURE(tls, used_before, own_context);
    world w(tls);
    if (used_before) REQUIRE(w.get(*w.io, "warm"));
    const auto before = w.server.connections();
    const pid_t child = w.fork_off(
        [&] {
            asio::io_context other;
            asio::io_context& mine = own_context ? other : *w.io;
            for (int i = 0; i < 20; ++i)
                if (!w.get(mine, "child")) return false;
            run(mine, w.db->close());
            return true;
        },
        !own_context);
    for (int i = 0; i < 20; ++i)
        CHECK(w.get(*w.io, "parent"));
    CHECK(status_of(child) == 0);
    for (int i = 0; i < 20; ++i)
        CHECK(w.get(*w.io, "parent"));
    // The parent keeps the connection it has; the child opens one of its own.
    CHECK(w.server.connections() == before + (used_before ? 1 : 2));
    CHECK(w.db->stats().replayed == 0);
}

TEST_CASE("fork: a child that exits leaves the parent's connection alone") {
    const bool tls = GENERATE(false, true);
    const bool notified = GENERATE(false, true);
    const bool destroys = GENERATE(false, true);
    CAPTURE(tls, notified, destroys);
    world w(tls);
    REQUIRE(w.get(*w.io, "warm"));
    const pid_t child = w.fork_off(
        [&] {
            if (!destroys) return true;
            w.db.reset();
            w.io.reset();
            return true;
        },
        notified);
    CHECK(status_of(child) == 0);
    for (int i = 0; i < 5; ++i)
        CHECK(w.get(*w.io, "parent"));
    CHECK(w.server.connections() == 1);
    CHECK(w.db->stats().replayed == 0);
}

TEST_CASE("fork: calls under way go on in the parent and fail in the child") {
    const bool tls = GENERATE(false, true);
    CAPTURE(tls);
    world w(tls, 1);
    // One on the wire, one in the queue behind it.
    std::vector<result<dynamodb::get_item_output>> answers;
    for (const char* const key : {"slow", "queued"})
        asio::co_spawn(*w.io, w.db->attempt(world::request(key)),
                       [&](const std::exception_ptr& e, result<dynamodb::get_item_output> r) {
                           if (e) std::rethrow_exception(e);
                           answers.push_back(std::move(r));
                       });
    REQUIRE(w.run_until([&] { return w.server.requests() == 1; }));
    const pid_t child = w.fork_off([&] {
        w.io->run_for(10s);
        const bool ended = answers.size() == 2 && std::ranges::all_of(answers, [](const auto& r) {
                               return r.has_error() && r.error().code == errc::closed &&
                                      r.error().message().find("forked") != std::string::npos;
                           });
        w.io->restart();
        return ended && w.get(*w.io, "child"); // on a connection of its own
    });
    CHECK(status_of(child) == 0);
    CHECK(answers.empty());
    w.server.release();
    w.io->run_for(10s);
    REQUIRE(answers.size() == 2);
    for (const auto& one : answers) {
        INFO((one ? std::string() : one.error().message()));
        CHECK((one.has_value() && one->item));
    }
    CHECK(w.server.requests() == 3);
    CHECK(w.server.connections() == 2);
}

TEST_CASE("fork: a call that was granted a connection, and not resumed yet, is the parent's") {
    world w(false, 1);
    std::vector<result<dynamodb::get_item_output>> answers;
    const auto start = [&](const char* key) {
        asio::co_spawn(*w.io, w.db->attempt(world::request(key)),
                       [&](const std::exception_ptr&, result<dynamodb::get_item_output> r) {
                           answers.push_back(std::move(r));
                       });
    };
    start("first");
    start("second");
    // When the first one has ended the second has been granted its connection.
    while (answers.empty() && w.io->run_one_for(10s) != 0) {
    }
    REQUIRE(answers.size() == 1);
    const pid_t child = w.fork_off([&] {
        w.io->run_for(10s);
        return answers.size() == 2 && answers[1].has_error() &&
               answers[1].error().code == errc::closed;
    });
    CHECK(status_of(child) == 0);
    w.io->run_for(10s);
    REQUIRE(answers.size() == 2);
    CHECK(answers[1].has_value());
    CHECK(w.server.requests() == 2);
}

TEST_CASE("fork: a child that leaves the parent's context alone can close the client") {
    world w(false, 1);
    std::optional<result<dynamodb::get_item_output>> answer;
    asio::co_spawn(*w.io, w.db->attempt(world::request("slow")),
                   [&](const std::exception_ptr&, result<dynamodb::get_item_output> r) {
                       answer = std::move(r);
                   });
    REQUIRE(w.run_until([&] { return w.server.requests() == 1; }));
    const pid_t child = w.fork_off(
        [&] {
            asio::io_context own;
            if (!w.get(own, "child")) return false;
            bool closed = false;
            asio::co_spawn(own, w.db->close(), [&](const std::exception_ptr&) { closed = true; });
            own.restart();
            own.run_for(5s);
            return closed;
        },
        false);
    CHECK(status_of(child) == 0);
    w.server.release();
    w.io->run_for(10s);
    REQUIRE(answer);
    CHECK(answer->has_value());
}

TEST_CASE("fork: a call that waits for its retry is retried by the parent alone") {
    world w(false);
    std::optional<result<dynamodb::get_item_output>> answer;
    asio::co_spawn(*w.io, w.db->attempt(world::request("failing")),
                   [&](const std::exception_ptr&, result<dynamodb::get_item_output> r) {
                       answer = std::move(r);
                   });
    while (w.failures == 0 && w.io->run_one_for(10s) != 0) {
    }
    REQUIRE(w.failures == 1);
    const pid_t child = w.fork_off([&] {
        w.io->run_for(10s);
        return answer && answer->has_error() && answer->error().code == errc::closed &&
               w.failures == 1;
    });
    CHECK(status_of(child) == 0);
    w.io->run_for(10s);
    REQUIRE(answer);
    CHECK(answer->error().code == errc::service_failed);
    CHECK(w.failures == 3);
    CHECK(w.server.requests() == 3);
}
