// SPDX-License-Identifier: BSL-1.0
// Frames of coroutines that every operation passes through come from blocks kept per thread.
//
// Asio keeps two frames a thread, none above 1020 bytes: of the four that a get is made of, two or
// three would be allocated each time. How many it keeps is a macro that everybody who shares the
// program would have to set alike.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <utility>

namespace codynamo::detail {

/// A parameter of this type, anywhere among those of a coroutine, makes its frame a recycled one.
struct recycled {};

/// Blocks for frames; any thread may give back what another one took. A thread keeps up to 256 KiB
/// until it ends.
[[nodiscard]] void* take_frame(std::size_t bytes);
void give_frame(void* block, std::size_t bytes) noexcept;

/// Asio's promise with another operator new; it adds no member, so that a handle made from the base
/// is a handle of the whole.
template <class T, class Executor>
struct recycled_frame : boost::asio::detail::awaitable_frame<T, Executor> {
    using base = boost::asio::detail::awaitable_frame<T, Executor>;
    using base::await_transform;

    /// Asio's awaitables know the handle of its own promise only.
    template <class U>
    auto await_transform(boost::asio::awaitable<U, Executor> what) const {
        struct awaiter : boost::asio::awaitable<U, Executor> {
            void await_suspend(std::coroutine_handle<recycled_frame> who) {
                boost::asio::awaitable<U, Executor>::await_suspend(
                    std::coroutine_handle<base>::from_promise(who.promise()));
            }
        };
        return awaiter{base::await_transform(std::move(what))};
    }

    static void* operator new(std::size_t bytes) { return take_frame(bytes); }
    static void operator delete(void* block, std::size_t bytes) noexcept {
        give_frame(block, bytes);
    }
};

} // namespace codynamo::detail

template <class T, class Executor, class... Args>
    requires(std::same_as<Args, codynamo::detail::recycled> || ...)
struct std::coroutine_traits<boost::asio::awaitable<T, Executor>, Args...> {
    using promise_type = codynamo::detail::recycled_frame<T, Executor>;
    static_assert(sizeof(promise_type) ==
                  sizeof(boost::asio::detail::awaitable_frame<T, Executor>));
};
