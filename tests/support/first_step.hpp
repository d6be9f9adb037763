// SPDX-License-Identifier: BSL-1.0
// From which step on a test that cancels at each step may cancel. With Boost 1.83 a coroutine that
// is cancelled before its first step throws out of io_context::run() (docs/toolchains.md).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <exception>

namespace codynamo::testing {

/// 0, or 1 where Asio has that fault: how many handlers have to run before a cancellation.
[[nodiscard]] inline int first_step_to_cancel() {
    namespace asio = boost::asio;
    asio::io_context context;
    asio::cancellation_signal signal;
    auto nothing = []() -> asio::awaitable<void> { co_return; };
    asio::co_spawn(context, nothing(),
                   asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
    signal.emit(asio::cancellation_type::terminal);
    try {
        context.run();
    } catch (const boost::system::system_error&) {
        return 1;
    }
    return 0;
}

} // namespace codynamo::testing
