// SPDX-License-Identifier: BSL-1.0
// What a handle without anything behind it answers.
#pragma once

#include <codynamo/error.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace codynamo::detail {

/// errc::closed.
[[nodiscard]] inline failure empty_handle() {
    return make_failure(make_error_code(errc::closed),
                        "the backend is empty: it was default-constructed or moved from");
}

template <class T>
boost::asio::awaitable<T> answer_empty() {
    throw_failure(empty_handle());
    if constexpr (!std::is_void_v<T>) co_return T();
}

/// Closing what is not open is no failure.
inline boost::asio::awaitable<void> close_empty() {
    co_return;
}

/// An outcome for each of `count`.
template <class Outcome>
boost::asio::awaitable<std::vector<Outcome>> answer_empty_each(std::size_t count) {
    co_return std::vector<Outcome>(count, Outcome(empty_handle()));
}

} // namespace codynamo::detail
