// SPDX-License-Identifier: BSL-1.0
// How an aggregate is passed to a coroutine so that `co_await cache.set("k", {"Alice", 41})` works.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

namespace codynamo::detail {

/// A T made from another T or from its members. g++ 12 copies the members of an aggregate bit by
/// bit when the aggregate is a temporary inside a co_await expression, and then destroys them
/// twice; here the temporary is this class, whose constructor makes the aggregate elsewhere.
template <class T>
class value_argument {
    template <class... Members>
    static constexpr bool is_self =
        sizeof...(Members) == 1 &&
        ((std::same_as<std::remove_cvref_t<Members>, T> ||
          std::same_as<std::remove_cvref_t<Members>, value_argument>)&&...);

public:
    value_argument(const T& value) // NOLINT(google-explicit-constructor)
        requires std::copy_constructible<T>
        : value_(value) {}
    value_argument(T&& value) : value_(std::move(value)) {} // NOLINT(google-explicit-constructor)
    value_argument()
        requires std::default_initializable<T>
        : value_{} {}
    template <class... Members>
        requires(sizeof...(Members) > 0 && !is_self<Members...> &&
                 std::constructible_from<T, Members...>)
    value_argument(Members&&... members) // NOLINT(google-explicit-constructor)
        : value_(std::forward<Members>(members)...) {}

    [[nodiscard]] T&& take() && noexcept { return std::move(value_); }

private:
    T value_;
};

template <class T>
[[nodiscard]] T&& take(value_argument<T>& argument) noexcept {
    return std::move(argument).take();
}
template <class T>
[[nodiscard]] T&& take(T& argument) noexcept {
    return std::move(argument);
}

} // namespace codynamo::detail
