// SPDX-License-Identifier: BSL-1.0
// error.hpp and environment.hpp.
#include "support/catch.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/environment.hpp>
#include <codynamo/error.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <set>
#include <thread>
#include <vector>

using namespace codynamo;
namespace asio = boost::asio;
using boost::system::system_error;

TEST_CASE("every errc has words of its own") {
    std::set<std::string> seen;
    const int last = static_cast<int>(errc::backend_failed);
    for (int value = 1; value <= last; ++value) {
        const auto code = make_error_code(static_cast<errc>(value));
        INFO(value << " " << code.message());
        CHECK(code.message() != "unknown error");
        CHECK(seen.insert(code.message()).second);
        CHECK(code.failed());
    }
    CHECK(make_error_code(static_cast<errc>(last + 1)).message() == "unknown error");
}

TEST_CASE("an errc is an error code of the category codynamo") {
    const boost::system::error_code code = errc::throttled;
    CHECK(code == errc::throttled);
    CHECK(code != errc::timeout);
    CHECK(code.category() == codynamo_category());
    CHECK(std::string(codynamo_category().name()) == "codynamo");
}

TEST_CASE("what() puts the service's words behind the message") {
    struct row {
        diagnostics words;
        const char* what;
    };
    diagnostics full;
    full.message = "The conditional request failed";
    full.service_code = "ConditionalCheckFailedException";
    full.http_status = 400;
    full.request_id = "X";
    diagnostics status_only;
    status_only.message = "Bad Gateway";
    status_only.http_status = 502;
    diagnostics plain;
    plain.message = "table_name \"ab\" is too short: 3 to 255 characters";
    diagnostics wordless;
    wordless.service_code = "Odd";
    diagnostics lost;
    lost.message = "the connection was lost";
    lost.attempts = 3;
    lost.outcome_unknown = true;
    const row rows[] = {
        {full, "The conditional request failed (ConditionalCheckFailedException, HTTP 400, request "
               "id X)"},
        {status_only, "Bad Gateway (HTTP 502)"},
        {lost, "the connection was lost (3 attempts); outcome unknown: it may have taken effect"},
        {plain, "table_name \"ab\" is too short: 3 to 255 characters"},
        {wordless, "the service reported an error (Odd)"},
    };
    for (const row& each : rows) {
        const error thrown(make_failure(errc::service_error, each.words));
        CHECK(std::string(thrown.what()) == each.what);
        CHECK(thrown.code() == errc::service_error);
        CHECK(thrown.info().service_code == each.words.service_code);
    }
}

TEST_CASE("a failure without words speaks by its code") {
    const failure bare{errc::timeout, nullptr};
    CHECK(bare.message() == "the deadline passed");
    const error thrown(bare);
    CHECK(std::string(thrown.what()) == "the deadline passed");
    CHECK(thrown.info().message.empty());
}

TEST_CASE("a failure is thrown as error, and a cancellation as system_error") {
    CHECK_THROWS_AS(throw_failure(make_failure(errc::closed, "the client is closed")), error);
    try {
        throw_failure({asio::error::operation_aborted, nullptr});
        FAIL("nothing was thrown");
    } catch (const error&) {
        FAIL("a cancellation is not an error of codynamo");
    } catch (const system_error& caught) {
        CHECK(caught.code() == asio::error::operation_aborted);
    }
}

TEST_CASE("value() of a failed result throws what the failure stands for") {
    const result<int> good = 7;
    CHECK(good.value() == 7);
    const result<int> bad = make_failure(errc::throttled, "slow down");
    CHECK_THROWS_AS(bad.value(), error);
    const result<int> cancelled = failure{asio::error::operation_aborted, nullptr};
    CHECK_THROWS_AS(cancelled.value(), system_error);
}

TEST_CASE("current_failure gives back what is being handled, and rethrows what it cannot") {
    try {
        throw error(errc::deserialize_failed, "not JSON");
    } catch (...) {
        const failure why = current_failure();
        CHECK(why.code == errc::deserialize_failed);
        CHECK(why.message() == "not JSON");
    }
    try {
        throw system_error(asio::error::operation_aborted);
    } catch (...) {
        CHECK(current_failure().code == asio::error::operation_aborted);
    }
    const auto rethrow = [] {
        try {
            throw std::out_of_range("a bug");
        } catch (...) {
            (void)current_failure();
        }
    };
    CHECK_THROWS_AS(rethrow(), std::out_of_range);
}

TEST_CASE("a logger writes from its level upward, and nothing without a sink") {
    std::vector<std::string> lines;
    logger log;
    CHECK_FALSE(log.wants(log_level::error));
    log.write(log_level::error, "no sink");
    log.sink = [&](log_level, std::string_view line) { lines.emplace_back(line); };
    log.write(log_level::error, "still off");
    log.level = log_level::warning;
    log.write(log_level::info, "too low");
    log.write(log_level::warning, "at the level");
    log.write(log_level::error, "above");
    CHECK(lines == std::vector<std::string>{"at the level", "above"});
}

TEST_CASE("uniform stays from zero to below one and reaches both ends") {
    struct fixed final : random_source {
        std::uint64_t value = 0;
        std::uint64_t next() noexcept override { return value; }
    } source;
    CHECK(source.uniform() == 0.0);
    source.value = ~std::uint64_t{0};
    CHECK(source.uniform() < 1.0);
    CHECK(source.uniform() > 0.9999999);
}

TEST_CASE(
    "the system's random source never repeats itself, in many threads, and fills the interval") {
    const auto source = environment::system_random();
    constexpr int per_thread = 5000;
    std::vector<std::vector<std::uint64_t>> drawn(4);
    {
        std::vector<std::jthread> threads;
        for (auto& mine : drawn) {
            threads.emplace_back([&] {
                for (int i = 0; i < per_thread; ++i)
                    mine.push_back(source->next());
            });
        }
    }
    std::set<std::uint64_t> all;
    for (const auto& mine : drawn)
        all.insert(mine.begin(), mine.end());
    CHECK(all.size() == 4 * per_thread);
    int upper_half = 0;
    for (int i = 0; i < 10000; ++i)
        upper_half += source->uniform() >= 0.5;
    CHECK(upper_half > 4500);
    CHECK(upper_half < 5500);
    CHECK(environment::system_random()->next() != environment::system_random()->next());
}

TEST_CASE("system_variable tells unset from empty") {
    CHECK_FALSE(environment::system_variable("CODYNAMO_NO_SUCH_VARIABLE"));
    CHECK(environment::system_variable("PATH"));
}

TEST_CASE("sleep_until is over at once when the moment has passed") {
    const auto clock = environment::system_clock();
    const auto sleeper = [](std::shared_ptr<const codynamo::clock> time) -> asio::awaitable<int> {
        co_await time->sleep_until(time->steady_now());
        co_return 1;
    };
    CHECK(testing_support::run(sleeper(clock)) == 1);
    const auto year =
        std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(clock->now())).year();
    CHECK(year > std::chrono::year(2020));
}

TEST_CASE("sleep_until is cut short by a cancellation, with operation_aborted") {
    const auto clock = environment::system_clock();
    asio::io_context context;
    asio::cancellation_signal signal;
    boost::system::error_code ended;
    const auto sleeper = [](std::shared_ptr<const codynamo::clock> time) -> asio::awaitable<void> {
        co_await time->sleep_until(time->steady_now() + std::chrono::hours(1));
    };
    asio::co_spawn(context, sleeper(clock),
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr thrown) {
                       try {
                           if (thrown) std::rethrow_exception(thrown);
                       } catch (const system_error& caught) {
                           ended = caught.code();
                       }
                   }));
    asio::post(context, [&] { signal.emit(asio::cancellation_type::terminal); });
    context.run();
    CHECK(ended == asio::error::operation_aborted);
}
