// SPDX-License-Identifier: BSL-1.0
// Every fault on every operation: the right error or the right bytes, in time, retried or not, and
// never again on a connection that cannot be trusted.
#include "fault_operations.hpp"
#include "fault_table.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/harness.hpp"
#include "support/json_mutations.hpp"
#include "support/scripted_server.hpp"
#include "support/secrets.hpp"
#include "support/tap.hpp"

#include <codynamo/aws/credentials.hpp>

#include <boost/asio/io_context.hpp>

#include <thread>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::test;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

// Short where time-outs are what is tried, long where they would only tell of a machine under load.
// Several rows run at once on each core, and what is good must end in time.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr auto short_attempt = 2000ms;
#else
constexpr auto short_attempt = 600ms;
#endif
constexpr auto long_attempt = 5000ms;
constexpr int attempts_per_call = 4; // as time goes
constexpr auto slack = 1500ms;       // for machines under load
constexpr unsigned max_attempts = 3;
constexpr unsigned rows_at_once = 32;

enum class mode {
    once,   ///< the first attempt meets the fault
    always, ///< all attempts of the call do
    reused, ///< the first attempt on a connection that has served before does
};
constexpr const char* words_of[] = {"once", "always", "on a reused connection"};

struct setting {
    std::shared_ptr<const stub_tls> tls;
    std::string ca_file;
};

dynamodb::client_config config_for(std::uint16_t port, const setting& where,
                                   std::chrono::milliseconds attempt = long_attempt) {
    dynamodb::client_config config;
    config.region = "us-east-1";
    config.endpoint =
        (where.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port);
    config.credentials =
        aws::static_credentials({"AKIDEXAMPLE", std::string(testing_support::secrets::key),
                                 std::string(testing_support::secrets::token)});
    config.call_timeout = attempt * attempts_per_call;
    config.attempt_timeout = attempt;
    config.retry.max_attempts = max_attempts;
    config.retry.base = 1ms;
    config.retry.throttling_base = 1ms;
    config.pool.max_head_bytes = 4096;
    config.pool.max_body_bytes = 100'000;
    config.tls.ca_file = where.ca_file;
    config.env = testing_support::tapped();
    config.env.variable = [](const char*) { return std::nullopt; };
    return config;
}

/// One fault, one operation, one mode.
class trial {
public:
    trial(const fault& what, const fault_operation& on, mode how, const setting& where)
        : fault_(what), operation_(on), mode_(how),
          retried_(
              what.value == gives::failure &&
              (what.retry == again::always || (what.retry == again::if_safe && on.replay_safe))),
          server_({.turns = turns(), .answer = good_answer, .tls = where.tls}),
          attempt_(what.code == errc::timeout ? short_attempt : long_attempt),
          client_(config_for(server_.port(), where, attempt_)) {}

    /// Whether the mode differs from the others.
    [[nodiscard]] static bool makes_sense(const fault& what, const fault_operation& on, mode how) {
        if (!what.only_for.empty() && what.only_for != on.name) return false;
        if (how == mode::reused) return !what.before_tls;
        const bool safe = what.retry == again::always || on.replay_safe;
        return how == mode::once ||
               (what.value == gives::failure && what.retry != again::never && safe);
    }

    /// What went wrong; empty when nothing did.
    std::string run() {
        try {
            if (mode_ == mode::reused) expect_good(0);
            const std::size_t before = server_.turns();
            expect(call(operation_));
            expect_count("attempts", server_.turns() - before, expected_attempts());
            std::this_thread::sleep_for(fault_.rest);
            expect_good(1);
            expect_count("connections", server_.connections(), expected_connections());
            if (client_.stats().waiting != 0) complain("somebody still waits");
        } catch (const std::exception& e) {
            complain(std::string("threw ") + e.what());
        }
        return std::move(problems_);
    }

private:
    [[nodiscard]] std::vector<turn> turns() const {
        const turn good{{read_request(), answer_it()}};
        const turn bad{fault_.acts(operation_.good_body), fault_.before_tls};
        switch (mode_) {
        case mode::once:
            return {bad, good};
        case mode::always: {
            std::vector<turn> all(max_attempts, bad);
            all.push_back(good);
            return all;
        }
        case mode::reused:
            break;
        }
        return {good, bad, good};
    }

    [[nodiscard]] std::size_t expected_attempts() const {
        return !retried_ ? 1 : mode_ == mode::always ? max_attempts : 2;
    }
    [[nodiscard]] std::size_t expected_connections() const {
        if (fault_.reused) return 1;
        return mode_ == mode::always ? max_attempts + 1 : 2;
    }

    call_result call(const fault_operation& what) {
        const auto started = std::chrono::steady_clock::now();
        call_result result;
        testing::run(io_, keep(what.call(client_), result), 30s);
        const auto took = std::chrono::steady_clock::now() - started;
        if (took > attempt_ * attempts_per_call + slack)
            complain("took " +
                     std::to_string(
                         std::chrono::duration_cast<std::chrono::milliseconds>(took).count()) +
                     " ms");
        return result;
    }

    static asio::awaitable<void> keep(asio::awaitable<call_result> what, call_result& to) {
        to = co_await std::move(what);
    }

    void expect(const call_result& got) {
        const bool succeeds = fault_.value != gives::failure || (retried_ && mode_ != mode::always);
        if (succeeds != !got.why) {
            complain(got.why ? "failed: " + got.why->code.message() + ": " + got.why->message()
                             : "succeeded: " + got.text);
        } else if (succeeds) {
            if (got.text != operation_.right) complain("WRONG BYTES: " + got.text);
        } else if (got.why->code != make_error_code(fault_.code)) {
            complain("wrong error: " + got.why->code.message() + ": " + got.why->message());
        } else if (got.why->message().empty()) {
            complain("an error without words");
        }
    }

    void expect_good(int which) {
        const auto got = call(fault_operations().front());
        if (got.why)
            complain("good request " + std::to_string(which) + " failed: " + got.why->message());
        else if (got.text != fault_operations().front().right)
            complain("good request " + std::to_string(which) + ": WRONG BYTES: " + got.text);
    }

    void expect_count(const char* what, std::size_t got, std::size_t wanted) {
        if (got != wanted)
            complain(std::to_string(got) + ' ' + what + " where " + std::to_string(wanted) +
                     " are expected");
    }

    void complain(const std::string& what) {
        problems_ += fault_.name + " / " + operation_.name + " / " +
                     words_of[static_cast<int>(mode_)] + ": " + what + '\n';
    }

    const fault& fault_;
    const fault_operation& operation_;
    mode mode_;
    bool retried_;
    scripted_server server_;
    std::chrono::milliseconds attempt_;
    asio::io_context io_;
    dynamodb::client client_;
    std::string problems_;
};

/// Runs all trials, several at once, and says how many.
void try_all(const char* title, const std::vector<fault>& faults, const setting& where) {
    struct one {
        const fault* what;
        const fault_operation* on;
        mode how;
    };
    std::vector<one> trials;
    for (const fault& what : faults)
        for (const fault_operation& on : fault_operations())
            for (const mode how : {mode::once, mode::always, mode::reused})
                if (trial::makes_sense(what, on, how)) trials.push_back({&what, &on, how});

    std::vector<std::string> problems(trials.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t i = next++; i < trials.size(); i = next++)
            problems[i] = trial(*trials[i].what, *trials[i].on, trials[i].how, where).run();
    };
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < rows_at_once; ++i)
        threads.emplace_back(work);
    for (std::thread& thread : threads)
        thread.join();

    std::size_t survived = 0;
    for (const std::string& problem : problems) {
        if (problem.empty())
            ++survived;
        else
            FAIL_CHECK(problem);
    }
    WARN("faults (" << title << ", " << faults.size() << " kinds): " << trials.size() << " tried, "
                    << survived << " survived");
    REQUIRE(trials.size() > faults.size());
}

std::vector<fault> all_faults() {
    std::vector<fault> all;
    for (const auto& some :
         {broken_connections(), framings(), contents(), compatible_answers(), error_answers()})
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

} // namespace

TEST_CASE("every fault on every operation, without TLS") {
    std::vector<fault> faults = all_faults();
    // Over TLS only: without close_notify a plain end says as much.
    std::erase_if(faults, [](const fault& f) {
        return f.name.find("without close_notify") != std::string::npos;
    });
    try_all("plain", faults, {});
}

TEST_CASE("every fault on every operation, with TLS") {
    const authority ca;
    const auto leaf = ca.issue({.dns_names = {}, .addresses = {"127.0.0.1"}});
    const setting where{
        std::make_shared<stub_tls>(stub_tls{leaf.certificate_pem, leaf.key_pem, false, false}),
        ca.ca_file()};
    try_all("TLS", all_faults(), where);
    try_all("TLS handshake", broken_handshakes(), where);
}

TEST_CASE("a reset as soon as a connection is accepted, whatever of it the client sees first") {
    const fault_operation& get = fault_operations().front();
    for (int i = 0; i < 50; ++i) {
        const turn bad{{reset()}};
        scripted_server server(
            {.turns = {bad, bad, {{read_request(), answer_it()}}}, .answer = good_answer});
        const dynamodb::client client(config_for(server.port(), {}));
        asio::io_context io;
        call_result got;
        const auto call = [&]() -> asio::awaitable<void> { got = co_await get.call(client); };
        testing::run(io, call());
        INFO((got.why ? got.why->message() : got.text));
        CHECK(got.text == get.right);
        CHECK(server.turns() == max_attempts);
    }
}

TEST_CASE("wrong JSON types through the socket: what the decoder says, and a fresh connection") {
    std::size_t tried = 0;
    for (const fault_operation& one : fault_operations()) {
        const auto changes = mutations_of(one.good_body);
        std::size_t next = 0, refused = 0;
        scripted_server server(
            {.turns = {{{read_request(), answer_it()}}},
             .answer = [&](const std::string&) { return response(changes.at(next).text); }});
        const dynamodb::client client(config_for(server.port(), {}));
        asio::io_context io;
        call_result got;
        const auto call = [&]() -> asio::awaitable<void> { got = co_await one.call(client); };
        for (; next < changes.size(); ++next, ++tried) {
            INFO(one.name << ' ' << changes[next].what);
            testing::run(io, call());
            if (got.why) {
                ++refused;
                CHECK(got.why->code == errc::bad_response);
                // What only the client knows is which keys of which tables were asked for.
                const std::string& what = changes[next].what;
                if (what.find("/key") == what.npos && what.find("/Responses") == what.npos &&
                    what.find("/Unprocessed") == what.npos)
                    CHECK_THROWS_AS(decoded_text(one, changes[next].text), error);
            } else {
                CHECK(got.text == decoded_text(one, changes[next].text));
            }
        }
        CHECK(refused > 0);
        const bool last_refused = got.why.has_value();
        CHECK(server.connections() == refused + (last_refused ? 0 : 1));
    }
    WARN("wrong types through the socket: " << tried << " tried");
}

TEST_CASE("a port that refuses, and then does not") {
    for (const fault_operation& one : fault_operations()) {
        INFO(one.name);
        scripted_server server({.turns = {{{read_request(), answer_it()}}},
                                .answer = good_answer,
                                .tls = {},
                                .refusing = true});
        const dynamodb::client client(config_for(server.port(), {}));
        asio::io_context io;
        call_result got;
        const auto call = [&]() -> asio::awaitable<void> { got = co_await one.call(client); };
        testing::run(io, call());
        REQUIRE(got.why);
        CHECK(got.why->code == errc::connect_failed);
        CHECK(got.why->info->attempts == max_attempts);
        CHECK(server.turns() == 0);
        server.listen();
        testing::run(io, call());
        CHECK_FALSE(got.why);
        CHECK(server.requests().size() == 1);
    }
}
