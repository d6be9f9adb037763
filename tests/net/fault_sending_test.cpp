// SPDX-License-Identifier: BSL-1.0
// Faults while a request is being sent that is larger than what the sockets hold.
#include "fault_operations.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/harness.hpp"
#include "support/scripted_server.hpp"
#include "support/tap.hpp"

#include <codynamo/aws/credentials.hpp>

namespace asio = boost::asio;
using namespace codynamo;
using namespace codynamo::testing;
using namespace std::chrono_literals;

namespace {

/// To send ten megabytes, where the attempt's end is what is tested; the sanitizers look at every
/// byte of them. Other attempts have five times as long.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr auto long_enough = 3000ms;
#else
constexpr auto long_enough = 1000ms;
#endif

/// 25 puts of 390 KB.
dynamodb::batch_write_item_input large_batch() {
    dynamodb::batch_write_item_input in;
    auto& writes = in.request_items["table"];
    for (int i = 0; i < 25; ++i)
        writes.push_back(
            {.is_put = true,
             .item = {{"key", "k" + std::to_string(i)}, {"value", std::string(390'000, 'v')}}});
    return in;
}

const char* const throttling =
    R"({"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"})";

dynamodb::client_config config_for(const scripted_server& server, const authority* ca,
                                   std::chrono::milliseconds attempt_timeout) {
    dynamodb::client_config config;
    config.region = "us-east-1";
    config.endpoint =
        (ca ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(server.port());
    if (ca) config.tls.ca_file = ca->ca_file();
    config.credentials = aws::static_credentials({"AKIDEXAMPLE", "secret"});
    config.attempt_timeout = attempt_timeout;
    config.call_timeout = 5 * attempt_timeout;
    config.retry.max_attempts = 2;
    config.retry.base = 1ms;
    config.env = testing_support::tapped();
    config.env.variable = [](const char*) { return std::nullopt; };
    return config;
}

} // namespace

TEST_CASE("a large request that breaks off is sent again whole, or fails in time") {
    struct row {
        const char* name;
        std::vector<act> acts;
        boost::system::error_code code; // when every attempt meets it
        bool retried;
    };
    const row rows[] = {
        {"nothing is read", {wait_end()}, errc::timeout, true},
        {"reading stops after 100,000 bytes",
         {read_head(), read_body(100'000), pause(5 * long_enough), wait_end()},
         errc::timeout,
         true},
        {"closed after the head", {read_head(), end()}, errc::connection_lost, true},
        {"reset after 100,000 bytes",
         {read_head(), read_body(100'000), reset()},
         errc::connection_lost,
         true},
        {"reset before the last byte",
         {read_head(), read_body(9'000'000), reset()},
         errc::connection_lost,
         true},
        {"refused after the head, read all the same",
         {read_head(), say(response("<html>too large</html>", 413)), read_request()},
         errc::validation_failed,
         false},
        {"refused after the head, and closed",
         {read_head(), say(response("<html>too large</html>", 413)), end()},
         errc::validation_failed,
         false},
        {"refused after the head, and reset",
         {read_head(), say(response("<html>too large</html>", 413)), pause(50ms), reset()},
         errc::validation_failed,
         false},
        {"refused after the head, and nothing is read",
         {read_head(), say(response("<html>too large</html>", 413)), pause(5 * long_enough),
          wait_end()},
         errc::validation_failed,
         false},
        {"refused after 5,000,000 bytes, and closed",
         {read_head(), read_body(5'000'000), say(response("<html>too large</html>", 413)), end()},
         errc::validation_failed,
         false},
        {"refused by a response without a length, and closed",
         {read_head(), say("HTTP/1.1 413 Too Large\r\n\r\ntoo large"), end()},
         errc::validation_failed,
         false},
        {"throttled after the head, and closed",
         {read_head(), say(response(throttling, 400)), end()},
         errc::throttled,
         true},
        {"throttled after the head, and nothing is read",
         {read_head(), say(response(throttling, 400)), pause(5 * long_enough), wait_end()},
         errc::throttled,
         true},
    };
    const authority ca;
    const auto leaf = ca.issue({.dns_names = {"localhost"}, .addresses = {}});
    const bool with_tls = GENERATE(false, true);
    for (const row& r : rows)
        for (const bool always : {false, true}) {
            if (always && !r.retried) continue;
            if (with_tls && r.code == errc::timeout) continue; // the same, and slow
            INFO(r.name << (always ? ", always" : ", once") << (with_tls ? ", TLS" : ""));
            const turn good{{read_request(), answer_it()}};
            const turn bad{r.acts};
            scripted_server server(
                {.turns = always ? std::vector<turn>{bad, bad, good} : std::vector<turn>{bad, good},
                 .answer = test::good_answer,
                 .tls = with_tls ? std::make_shared<stub_tls>(
                                       stub_tls{leaf.certificate_pem, leaf.key_pem})
                                 : nullptr});
            const auto limit = (r.code == errc::timeout ? 1 : 5) * long_enough;
            const dynamodb::client client(config_for(server, with_tls ? &ca : nullptr, limit));
            boost::system::error_code code;
            const auto write = [&]() -> asio::awaitable<void> {
                const auto answer = co_await dynamodb::client(client).attempt(large_batch());
                code = answer ? boost::system::error_code() : answer.error().code;
            };
            asio::io_context io;
            testing::run(io, write());
            CHECK(code == (r.retried && !always ? boost::system::error_code() : r.code));
            CHECK(server.turns() == (r.retried ? 2 : 1));
            testing::run(io, write());
            CHECK_FALSE(code);
            REQUIRE_FALSE(server.requests().empty());
            CHECK(server.requests().back().size() > 25 * 390'000);
        }
}

TEST_CASE("a refusal that only the connection's reset delimits is a refusal, whatever was sent") {
    struct row {
        const char* name;
        std::string answer;
        errc code;
    };
    for (const row& r :
         {row{"413", "HTTP/1.1 413 Too Large\r\n\r\ntoo large", errc::validation_failed},
          // Of a success a part may be missing.
          row{"200", "HTTP/1.1 200 OK\r\n\r\n{}", errc::connection_lost}})
        for (const std::size_t size : {100U, 20'000U, 200'000U}) {
            INFO(r.name << ", " << size << " bytes");
            scripted_server server(
                {.turns = {{{read_head(), say(r.answer), pause(20ms), reset()}}}});
            auto config = config_for(server, nullptr, 5 * long_enough);
            config.retry.max_attempts = 1;
            dynamodb::client client(config);
            dynamodb::put_item_input in{.table_name = "table",
                                        .item = {{"key", "k"}, {"value", std::string(size, 'v')}}};
            asio::io_context io;
            const auto answer = testing::run(io, client.attempt(std::move(in)));
            REQUIRE(answer.has_error());
            INFO(answer.error().message());
            CHECK(answer.error().code == r.code);
        }
}
