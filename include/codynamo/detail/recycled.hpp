// SPDX-License-Identifier: BSL-1.0
// Frames of coroutines that every operation passes through come from blocks kept per thread.
//
// Asio keeps two frames a thread, none above 1020 bytes: of the four that a get is made of, two or
// three would be allocated each time. How many it keeps is a macro that everybody who shares the
// program would have to set alike.
#pragma once

#include <codynamo/export.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

namespace codynamo::detail {

/// A parameter of this type, anywhere among those of a coroutine, makes its frame a recycled one.
struct recycled {};

/// Blocks for frames; any thread may give back what another one took. A thread keeps up to 256 KiB
/// until it ends.
[[nodiscard]] CODYNAMO_API void* take_frame(std::size_t bytes);
CODYNAMO_API void give_frame(void* block, std::size_t bytes) noexcept;
/// Frees what the calling thread keeps.
CODYNAMO_API void free_kept_frames() noexcept;

/// `co_return thrown{why}` in a recycled coroutine that returns a value ends it as `throw` would,
/// for a tenth of the price: nothing is unwound.
struct thrown {
    std::exception_ptr why;
};

/// What a cancelled operation throws: one object for all, or what making it threw.
[[nodiscard]] CODYNAMO_API thrown cancelled() noexcept;

/// Asio's awaitables know the handle of Asio's own promise only.
template <class T, class Executor>
struct awaited_by_recycled : boost::asio::awaitable<T, Executor> {
    template <class Frame>
    void await_suspend(std::coroutine_handle<Frame> who) {
        using asio_frame = typename Frame::asio_frame;
        boost::asio::awaitable<T, Executor>::await_suspend(
            std::coroutine_handle<asio_frame>::from_promise(who.promise()));
    }
};

/// The promise that Asio gives to a coroutine, found the way the compiler finds it.
template <class T, class Executor>
using asio_promise =
    typename std::coroutine_traits<boost::asio::awaitable<T, Executor>>::promise_type;

/// Asio's promise with another operator new; it adds no member, so that a handle made from the base
/// is a handle of the whole.
template <class T, class Executor>
struct recycled_base : asio_promise<T, Executor> {
    using asio_frame = asio_promise<T, Executor>;
    using asio_frame::await_transform;

    template <class U>
    auto await_transform(boost::asio::awaitable<U, Executor> what) const { // NOLINT(*-nodiscard)
        return awaited_by_recycled<U, Executor>{asio_frame::await_transform(std::move(what))};
    }

    static void* operator new(std::size_t bytes) { return take_frame(bytes); }
    static void operator delete(void* block, std::size_t bytes) noexcept {
        give_frame(block, bytes);
    }
};

template <class T, class Executor>
struct recycled_frame : recycled_base<T, Executor> {
    using recycled_base<T, Executor>::asio_frame::return_value;
    /// Boost 1.87 renamed the function that stores an exception. An Asio with neither name stores
    /// what is thrown, which is right and slower.
    void return_value(thrown ended) {
        if constexpr (requires { this->set_disposition(std::move(ended.why)); })
            this->set_disposition(std::move(ended.why));
        else if constexpr (requires { this->set_except(std::move(ended.why)); })
            this->set_except(std::move(ended.why));
        else
            std::rethrow_exception(std::move(ended.why));
    }
};

template <class Executor>
struct recycled_frame<void, Executor> : recycled_base<void, Executor> {};

} // namespace codynamo::detail

template <class T, class Executor, class... Args>
    requires(std::same_as<Args, codynamo::detail::recycled> || ...)
struct std::coroutine_traits<boost::asio::awaitable<T, Executor>, Args...> {
    using promise_type = codynamo::detail::recycled_frame<T, Executor>;
    static_assert(sizeof(promise_type) == sizeof(codynamo::detail::asio_promise<T, Executor>));
};
