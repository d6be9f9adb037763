// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/awaited_credentials.hpp"

#include "aws/parked.hpp"
#include "aws/refresh_schedule.hpp"
#include "dynamodb/race.hpp"
#include "exception_words.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <optional>
#include <utility>

namespace codynamo::dynamodb {

namespace asio = boost::asio;

namespace {

/// Shared by both branches, because the provider's may outlive the wait.
struct wanted {
    aws::credentials_provider_ptr provider;
    std::shared_ptr<const clock> time;
    std::chrono::steady_clock::time_point deadline;
    std::shared_ptr<close_signal> closing;
    std::optional<result<aws::credentials_ptr>> answer;
};

failure failure_of(const std::exception_ptr& why, std::string_view provider) {
    try {
        std::rethrow_exception(why);
    } catch (const boost::system::system_error& caught) {
        // A cancellation of the provider's own is none of ours.
        if (caught.code() != asio::error::operation_aborted) return current_failure();
    } catch (...) {
    }
    return make_failure(errc::no_credentials,
                        std::string(provider) +
                            " threw: " + detail::words_of(why, "something that is no exception"));
}

asio::awaitable<bool> ask(std::shared_ptr<wanted> request) {
    std::exception_ptr thrown;
    aws::credentials_ptr resolved;
    try {
        resolved = co_await request->provider->resolve();
    } catch (const std::bad_alloc&) { // a failure of this process, not of the provider
        throw;
    } catch (...) {
        thrown = std::current_exception();
    }
    if (request->answer) co_return false; // too late: it may be read already
    if (thrown) {
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) std::rethrow_exception(thrown);
        request->answer.emplace(failure_of(thrown, request->provider->name()));
    } else if (resolved) {
        request->answer.emplace(std::move(resolved));
    } else {
        request->answer.emplace(make_failure(
            errc::no_credentials, std::string(request->provider->name()) + " has no credentials"));
    }
    co_return true;
}

/// How long a call with `left` to its deadline waits for a renewal while there are valid
/// credentials.
std::chrono::nanoseconds hold_of(std::chrono::nanoseconds left) {
    return std::min<std::chrono::nanoseconds>(left / 4, aws::detail::longest_hold);
}

asio::awaitable<bool> give_up_in_time(std::shared_ptr<wanted> request) {
    // Most answers are a few turns of the executor away: shared with a refresh under way, read from
    // a file. That long a timer is not worth its price.
    constexpr int turns = 32;
    for (int i = 0; i < turns; ++i)
        co_await asio::post(asio::deferred);
    const auto now = request->time->steady_now();
    if (const auto hold = hold_of(request->deadline - now); hold > std::chrono::nanoseconds(0)) {
        co_await request->time->sleep_until(now + hold);
        if (request->answer) co_return false; // the sleep was over before its cancellation came
        if (auto valid = request->provider->valid()) {
            request->answer.emplace(std::move(valid));
            co_return true;
        }
    }
    co_await request->time->sleep_until(request->deadline);
    if (request->answer) co_return false;
    request->answer = make_failure(errc::timeout, request->provider->describe() +
                                                      " did not return credentials before the "
                                                      "deadline");
    co_return true;
}

asio::awaitable<bool> obtain(std::shared_ptr<wanted> request) {
    co_await race(ask(request), give_up_in_time(request), race_end::first_decided);
    co_return true;
}

asio::awaitable<bool> end_when_closed(std::shared_ptr<wanted> request) {
    using aws::detail::parked;
    const auto place = std::make_shared<parked>();
    auto add = [request, place] { request->closing->add(place); };
    const auto wait_result = co_await parked::wait(place, std::move(add));
    if (wait_result == aws::detail::wakeup::no_memory) throw std::bad_alloc();
    if (wait_result != aws::detail::wakeup::done || request->answer) co_return false;
    request->answer =
        make_failure(errc::closed, "the client was closed while the call waited for " +
                                       request->provider->describe());
    co_return true;
}

} // namespace

asio::awaitable<result<aws::credentials_ptr>>
credentials_before(std::chrono::steady_clock::time_point deadline,
                   aws::credentials_provider_ptr provider, std::shared_ptr<const clock> time,
                   std::shared_ptr<close_signal> closing) {
    auto request = std::make_shared<wanted>();
    request->provider = std::move(provider);
    request->time = std::move(time);
    request->deadline = deadline;
    request->closing = std::move(closing);
    co_await race(obtain(request), end_when_closed(request), race_end::first_decided);
    // The renewal may have begun after close() had ended the one before.
    if (!*request->answer && request->answer->error().code == errc::closed)
        request->provider->abandon_renewal();
    co_return *request->answer;
}

} // namespace codynamo::dynamodb
