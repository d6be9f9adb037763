// SPDX-License-Identifier: BSL-1.0
// Small exchanges: what goes out, when it is tried again, and what it is bounded by.
#include "aws/http_fetch.hpp"
#include "aws/network_source.hpp"
#include "support/run.hpp"
#include "support/scripted_services.hpp"

#include <algorithm>

using namespace codynamo;
using namespace codynamo::aws;
using namespace std::chrono_literals;
using aws::detail::fetch_limits;
using aws::detail::http_answer;
using aws::detail::http_fetcher;
using aws::detail::http_request;
using aws::detail::secret_string;
using testing_support::answer;
using testing_support::broken;
using testing_support::message_of;
using testing_support::scripted_services;

namespace {

const net::origin server = net::parse_origin("http://127.0.0.1:8080", "test");

http_answer fetch(const scripted_services& services, http_request request,
                  fetch_limits limits = fetch_limits()) {
    http_fetcher fetcher(services.options(), server, limits, true);
    return test_support::run([&] {
        return fetcher.fetch(request, [](const http_answer& one) { return is_transient(one); });
    });
}

/// Writes the options of each send down, and lets each take its time.
class slow_transport final : public net::transport {
public:
    slow_transport(std::shared_ptr<testing::manual_clock> time, std::chrono::milliseconds takes)
        : time_(std::move(time)), takes_(takes) {}

    boost::asio::awaitable<net::send_outcome> send(net::exchange&,
                                                   net::send_options options) override {
        seen.push_back(options);
        time_->advance(takes_);
        co_return net::send_outcome{make_error_code(errc::timeout), true, "too slow"};
    }
    boost::asio::awaitable<void> close() override { co_return; }
    [[nodiscard]] net::transport_stats stats() const override { return {}; }

    std::vector<net::send_options> seen;

private:
    std::shared_ptr<testing::manual_clock> time_;
    std::chrono::milliseconds takes_;
};

} // namespace

TEST_CASE("A fetched request is a whole one") {
    scripted_services services({}, {answer(200, "hello", {{"X-Y", "z"}})});
    http_request request;
    request.method = "POST";
    request.target = "/a?b=c";
    request.headers.emplace_back("Authorization", secret_string("word"));
    request.body = secret_string("content");
    const http_answer got = fetch(services, request);
    CHECK(got.ok());
    CHECK(got.attempts == 1);
    CHECK(got.body.text() == "hello");
    CHECK(got.header("x-y") == "z");
    CHECK(got.header("x").empty());
    CHECK(services.requests().at(0).head ==
          "POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: word\r\n"
          "Content-Length: 7\r\nAccept-Encoding: identity\r\nUser-Agent: codynamo/0.1.0\r\n\r\n");
    CHECK(services.requests().at(0).body == "content");
}

TEST_CASE("A request without content says so unless it is a GET") {
    for (const auto& [method, says] : {std::pair{"GET", false}, std::pair{"PUT", true}}) {
        scripted_services services({}, {answer(200)});
        http_request request;
        request.method = method;
        (void)fetch(services, request);
        CHECK((services.requests().at(0).header("content-length") == "0") == says);
    }
}

TEST_CASE("A fetch is tried again with growing waits, and no more often than allowed") {
    scripted_services services(
        {}, {answer(500), broken(errc::timeout, true), answer(429), answer(200, "at last")});
    fetch_limits limits;
    limits.attempts = 4;
    const http_answer got = fetch(services, http_request(), limits);
    CHECK(got.ok());
    CHECK(got.attempts == 4);
    const auto sleeps = services.time->sleeps();
    REQUIRE(sleeps.size() == 3);
    for (std::size_t n = 0; n != 3; ++n) {
        CHECK(sleeps[n] <= 1s * (1 << n));
        CHECK(sleeps[n] > 990ms * (1 << n));
    }
    CHECK(services.exhausted());

    scripted_services failing({}, {answer(503), answer(502), answer(500)});
    limits.attempts = 3;
    const http_answer last = fetch(failing, http_request(), limits);
    CHECK(last.status == 500);
    CHECK(last.outcome() == "answered 500 (3 attempts)");
    CHECK(failing.exhausted());
}

TEST_CASE("What would end the same way is not tried again") {
    struct row {
        testing::fake_response given;
        const char* outcome;
    };

    for (const auto& [given, outcome] :
         {row{answer(400), "answered 400"}, row{answer(404), "answered 404"},
          row{answer(301), "answered 301"}, row{broken(errc::tls_failed), ""},
          row{broken(errc::response_too_large, true), ""}}) {
        scripted_services services({}, {given});
        const http_answer got = fetch(services, http_request());
        CHECK(got.attempts == 1);
        CHECK_FALSE(got.ok());
        CHECK_THAT(got.outcome(), Catch::StartsWith(outcome));
        CHECK_FALSE(got.outcome().empty());
        CHECK(services.exhausted());
    }
}

TEST_CASE("A request that may not arrive twice is repeated only when it did not arrive") {
    for (const bool arrived : {false, true}) {
        scripted_services services({}, {broken(errc::connection_lost, arrived), answer(200)});
        http_request request;
        request.repeatable = false;
        const http_answer got = fetch(services, request);
        CHECK(got.ok() == !arrived);
        CHECK(got.attempts == (arrived ? 1 : 2));
    }
}

TEST_CASE("Attempts and the whole are bounded in time") {
    scripted_services services;
    auto options = services.options();
    const auto slow = std::make_shared<slow_transport>(services.time, 10s);
    options.connect = [&](const net::origin&) { return slow; };
    fetch_limits limits;
    limits.attempts = 100;
    limits.attempt_timeout = 10s;
    limits.total_timeout = 25s;
    const auto start = services.time->steady_now();
    http_fetcher fetcher(options, server, limits, true);
    const http_answer got = test_support::run(
        [&] { return fetcher.fetch(http_request(), [](const http_answer&) { return true; }); });
    CHECK(got.failure == errc::timeout);
    CHECK(got.outcome() == "too slow (3 attempts)");
    REQUIRE(slow->seen.size() == 3);
    CHECK(slow->seen[0].deadline == start + 10s);
    CHECK(slow->seen[2].deadline == start + 25s);
    CHECK(std::all_of(slow->seen.begin(), slow->seen.end(),
                      [](const net::send_options& one) { return one.replay_safe; }));
}

TEST_CASE("Nothing that could end a line gets into a request") {
    struct row {
        const char* target;
        const char* name;
        const char* value;
    };
    for (const auto& [target, name, value] : std::vector<row>{
             {"/a b", "N", "v"},
             {"/a\r\nX: y", "N", "v"},
             {"", "N", "v"},
             {"/", "N\r\n", "v"},
             {"/", "N N", "v"},
             {"/", "N", "s3cret\r\nX: y"},
             {"/", "N", "s3cret\n"},
             {"/", "N", "s3cret\x01"},
             {"/", "N", ""},
         }) {
        scripted_services services;
        http_request request;
        request.target = target;
        request.headers.emplace_back(name, secret_string(value));
        const std::string words =
            message_of(errc::invalid_argument, [&] { (void)fetch(services, request); });
        CHECK_THAT(words, !Catch::Contains("s3cret"));
        CHECK(services.requests().empty());
    }
}

TEST_CASE("Forms are percent-encoded") {
    aws::detail::text_fields fields;
    fields.emplace_back("A", secret_string("a b&c=d/e+f~g-h_i.j"));
    fields.emplace_back("B", secret_string("\xc3\xa9\n"));
    CHECK(aws::detail::form_encode(fields).text() == "A=a%20b%26c%3Dd%2Fe%2Bf~g-h_i.j&B=%C3%A9%0A");
    CHECK(aws::detail::form_encode({}).empty());
}

TEST_CASE("The words of a service are quoted unless they tell a secret") {
    using aws::detail::service_words;
    const std::string token = "FwoGZXIvYXdzEJr//////////wEaD";
    struct row {
        const char* code;
        std::string message;
        std::string shown;
    };
    for (const auto& [code, message, shown] : std::vector<row>{
             {"AccessDenied", "User: arn:x is not", "AccessDenied: User: arn:x is not"},
             {"AccessDenied", "", "AccessDenied"},
             {"", "only words", "only words"},
             {"A\r\nB", "c\x1b[31md", "A??B: c?[31md"},
             {"Bad", "token " + token + " is bad", "Bad"},
             {"Bad", "token " + token.substr(5, 14) + " is bad", "Bad"},
             {"Bad", "key hush! is bad", "Bad"},
             {"FwoGZXIvYXdzEJr", "words", "words"},
             {"Long", std::string(400, 'x'), "Long: " + std::string(300, 'x') + "..."},
         }) {
        INFO(message);
        CHECK(service_words(code, message, {token, "hush!", ""}) == shown);
    }
}

TEST_CASE("A way over TLS is remembered with its authorities, and no other way") {
    const auto memory = std::make_shared<aws::detail::source_memory>();
    source_options options;
    const auto reach = [&](const char* url, bool direct, const std::string& ca_file = {}) {
        options.tls.ca_file = ca_file;
        const auto where = net::parse_origin(url, "test");
        const http_fetcher made(options, where, fetch_limits(), direct, memory);
        return memory->transport_of({where, direct, ca_file});
    };
    const auto first = reach("https://127.0.0.1:1", false);
    REQUIRE(first);
    CHECK(reach("https://127.0.0.1:1", false) == first);
    CHECK(reach("https://127.0.0.1:1", true) != first);
    CHECK(reach("https://127.0.0.1:2", false) != first);
    CHECK_FALSE(reach("http://127.0.0.1:1", false));
    message_of(errc::tls_failed, [&] { (void)reach("https://127.0.0.1:1", false, "/no/such"); });
    // It does not grow: the oldest one is forgotten.
    for (const char* url : {"https://127.0.0.1:3", "https://127.0.0.1:4", "https://127.0.0.1:5"})
        CHECK(reach(url, false));
    CHECK_FALSE(
        memory->transport_of({net::parse_origin("https://127.0.0.1:1", "test"), false, {}}));
    // What a caller makes is his.
    scripted_services services({}, {answer(200), answer(200)});
    const auto other = std::make_shared<aws::detail::source_memory>();
    for (int n = 0; n != 2; ++n)
        const http_fetcher made(services.options(), net::parse_origin("https://h", "test"),
                                fetch_limits(), false, other);
    CHECK(services.connected() == 2);
}
