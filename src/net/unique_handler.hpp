// SPDX-License-Identifier: BSL-1.0
// A completion handler of any type, erased: move-only, without allocation for coroutines.
// (asio::any_completion_handler of Boost 1.81 recurses without end on lvalues.)
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace codynamo::net {

/// Holds a handler callable as void(Result). It is never called on the stack of whoever completes
/// it by post().
template <class Result>
class unique_handler {
public:
    unique_handler() noexcept = default;

    template <class Handler>
    explicit unique_handler(Handler&& handler)
        requires(!std::is_same_v<std::decay_t<Handler>, unique_handler>)
    {
        using stored = std::decay_t<Handler>;
        if constexpr (fits<stored>) {
            ::new (static_cast<void*>(space_)) stored(std::forward<Handler>(handler));
            actions_ = &actions_of<stored>;
        } else {
            ::new (static_cast<void*>(space_))
                boxed<stored>(std::make_unique<stored>(std::forward<Handler>(handler)));
            actions_ = &actions_of<boxed<stored>>;
        }
    }

    unique_handler(unique_handler&& other) noexcept
        : actions_(std::exchange(other.actions_, nullptr)) {
        if (actions_) actions_->move(other.space_, space_);
    }

    unique_handler& operator=(unique_handler&& other) noexcept {
        if (this == &other) return *this;
        reset();
        actions_ = std::exchange(other.actions_, nullptr);
        if (actions_) actions_->move(other.space_, space_);
        return *this;
    }

    ~unique_handler() { reset(); }

    explicit operator bool() const noexcept { return actions_ != nullptr; }

    /// Destroys the handler without calling it, and with it the coroutine that it owns.
    void reset() noexcept {
        if (const auto* taken = std::exchange(actions_, nullptr)) taken->destroy(space_);
    }

    /// Has the handler called by its own executor. Empty afterwards.
    /// Memory for this that cannot be had (about a hundred bytes, which Asio recycles) ends the
    /// program: the handler is lost with what was to be posted, so that its waiter could not be
    /// told. An exception would leave that waiter waiting for ever, the later ones in their list,
    /// and the invariants of the caller's lock broken.
    void post(Result result) noexcept {
        if (const auto* taken = std::exchange(actions_, nullptr)) taken->post(space_, result);
    }

    /// Calls the handler, on this stack: for who has been posted to the handler's own executor.
    /// Empty afterwards.
    void operator()(Result result) {
        if (const auto* taken = std::exchange(actions_, nullptr)) taken->call(space_, result);
    }

private:
    static constexpr std::size_t space_bytes = 4 * sizeof(void*);

    template <class T>
    static constexpr bool fits = sizeof(T) <= space_bytes && alignof(T) <= alignof(void*) &&
                                 std::is_nothrow_move_constructible_v<T>;

    template <class T>
    struct boxed {
        explicit boxed(std::unique_ptr<T> h) noexcept : handler(std::move(h)) {}
        void operator()(Result result) { (*std::exchange(handler, nullptr))(result); }
        auto get_executor() const noexcept {
            return boost::asio::get_associated_executor(*handler);
        }
        using executor_type = boost::asio::associated_executor_t<T>;
        std::unique_ptr<T> handler;
    };

    struct vtable {
        void (*move)(void* from, void* to) noexcept;
        void (*destroy)(void* at) noexcept;
        void (*post)(void* at, Result result) noexcept;
        void (*call)(void* at, Result result);
    };

    template <class T>
    static T take(void* at) noexcept {
        T* stored = std::launder(static_cast<T*>(at));
        T taken(std::move(*stored));
        stored->~T();
        return taken;
    }

    template <class T>
    static void post_stored(void* at, Result result) noexcept {
        T handler = take<T>(at);
        const auto executor = boost::asio::get_associated_executor(handler);
        boost::asio::post(executor,
                          [handler = std::move(handler), result]() mutable { handler(result); });
    }

    template <class T>
    static void call_stored(void* at, Result result) {
        T handler = take<T>(at);
        std::move(handler)(result);
    }

    template <class T>
    static constexpr vtable actions_of{
        [](void* from, void* to) noexcept { ::new (to) T(take<T>(from)); },
        [](void* at) noexcept { std::launder(static_cast<T*>(at))->~T(); }, &post_stored<T>,
        &call_stored<T>};

    alignas(void*) unsigned char space_[space_bytes];
    const vtable* actions_ = nullptr;
};

} // namespace codynamo::net
