// SPDX-License-Identifier: BSL-1.0
// Runs a coroutine to its end on an io_context of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace codynamo::test_support {

namespace detail {

/// Everything is spawned as an awaitable<void>, which is the only one that co_spawn is compiled
/// for.
inline void drive(boost::asio::awaitable<void> what) {
    boost::asio::io_context context;
    bool completed = false;
    std::exception_ptr failed;
    boost::asio::co_spawn(context, std::move(what), [&](std::exception_ptr e) {
        completed = true;
        failed = std::move(e);
    });
    context.run();
    if (!completed) throw std::logic_error("the coroutine did not complete");
    if (failed) std::rethrow_exception(failed);
}

template <class T>
boost::asio::awaitable<void> keep(boost::asio::awaitable<T> what, std::optional<T>& answer) {
    answer.emplace(co_await std::move(what));
}

} // namespace detail

/// What the coroutine returns or throws; std::logic_error when it has not completed although there
/// is nothing left to wait for.
template <class T>
T run(boost::asio::awaitable<T> what) {
    if constexpr (std::is_void_v<T>) {
        detail::drive(std::move(what));
    } else {
        std::optional<T> answer;
        detail::drive(detail::keep(std::move(what), answer));
        return std::move(*answer);
    }
}

/// Likewise for a function that makes the coroutine; the function lives until it is over, so a
/// lambda with captures may be a coroutine.
template <class Make>
    requires std::is_invocable_v<Make&>
auto run(Make make) {
    return run(make());
}

} // namespace codynamo::test_support
