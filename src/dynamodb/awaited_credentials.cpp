// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/awaited_credentials.hpp"

#include "aws/parked.hpp"
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
#include <optional>
#include <utility>

namespace codynamo::dynamodb {

namespace asio = boost::asio;

namespace {

/// Owned by both branches, because the provider's may go on when nobody waits for it any more.
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

asio::awaitable<bool> ask(std::shared_ptr<wanted> what) {
    std::exception_ptr thrown;
    aws::credentials_ptr found;
    try {
        found = co_await what->provider->resolve();
    } catch (...) {
        thrown = std::current_exception();
    }
    if (what->answer) co_return false; // too late, and somebody may be reading it
    if (thrown) {
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) std::rethrow_exception(thrown);
        what->answer.emplace(failure_of(thrown, what->provider->name()));
    } else if (found) {
        what->answer.emplace(std::move(found));
    } else {
        what->answer.emplace(make_failure(
            errc::no_credentials, std::string(what->provider->name()) + " has no credentials"));
    }
    co_return true;
}

/// How much of what is left of a call's time it waits for a renewal while there are valid ones.
std::chrono::nanoseconds longest_hold(std::chrono::nanoseconds left) {
    return std::min<std::chrono::nanoseconds>(left / 4, std::chrono::seconds(1));
}

asio::awaitable<bool> give_up_in_time(std::shared_ptr<wanted> what) {
    // Most answers are a few turns of the executor away: shared with a refresh under way, read from
    // a file. That long a timer is not worth its price.
    constexpr int turns = 32;
    for (int i = 0; i < turns; ++i)
        co_await asio::post(asio::deferred);
    const auto now = what->time->steady_now();
    if (const auto hold = longest_hold(what->deadline - now); hold > std::chrono::nanoseconds(0)) {
        co_await what->time->sleep_until(now + hold);
        if (what->answer) co_return false; // the sleep was over before its cancellation came
        if (auto valid = what->provider->valid()) {
            what->answer.emplace(std::move(valid));
            co_return true;
        }
    }
    co_await what->time->sleep_until(what->deadline);
    if (what->answer) co_return false;
    what->answer = make_failure(errc::timeout, what->provider->describe() +
                                                   " did not return credentials before the "
                                                   "deadline");
    co_return true;
}

asio::awaitable<bool> obtain(std::shared_ptr<wanted> what) {
    co_await race(ask(what), give_up_in_time(what), race_end::first_decided);
    co_return true;
}

asio::awaitable<bool> end_when_closed(std::shared_ptr<wanted> what) {
    using aws::detail::parked;
    const auto place = std::make_shared<parked>();
    auto add = [what, place] { what->closing->add(place); };
    const auto why = co_await parked::wait(place, std::move(add));
    if (why != aws::detail::wakeup::done || what->answer) co_return false;
    what->answer = make_failure(errc::closed, "the client was closed while the call waited for " +
                                                  what->provider->describe());
    co_return true;
}

} // namespace

asio::awaitable<result<aws::credentials_ptr>>
credentials_before(std::chrono::steady_clock::time_point deadline,
                   aws::credentials_provider_ptr provider, std::shared_ptr<const clock> time,
                   std::shared_ptr<close_signal> closing) {
    auto what = std::make_shared<wanted>();
    what->provider = std::move(provider);
    what->time = std::move(time);
    what->deadline = deadline;
    what->closing = std::move(closing);
    co_await race(obtain(what), end_when_closed(what), race_end::first_decided);
    // What this call was the last to wait for is not to go on.
    if (!*what->answer && what->answer->error().code == errc::closed)
        what->provider->abandon_renewal();
    co_return *what->answer;
}

} // namespace codynamo::dynamodb
