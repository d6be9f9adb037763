// SPDX-License-Identifier: BSL-1.0
// The seam between values and bytes, and the two policies that need no format.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace codynamo {

/// S has `std::string serialize(const T&) const`.
template <class S, class T>
concept serializes_to_string = requires(const S& policy, const T& value) {
    { policy.serialize(value) } -> std::same_as<std::string>;
};

/// S has `T deserialize(std::string_view) const`.
template <class S, class T>
concept deserializes_from_bytes = requires(const S& policy, std::string_view bytes) {
    { policy.deserialize(bytes) } -> std::same_as<T>;
};

/// A serializer policy for values of type T is two functions:
///
///     std::string serialize(const T& value) const;
///     T           deserialize(std::string_view bytes) const;
///
/// What they throw becomes errc::serialize_failed or errc::deserialize_failed with the words of the
/// std::exception; std::bad_alloc is thrown as it is, also by functions named try_… or …_many. They
/// may be called from several threads at once. The cache passes rvalues, so a policy that can move
/// may add `serialize(T&&)` and `deserialize(std::string&&)`. `codynamo/testing/contract.hpp`
/// checks that a policy gives back what it was given.
template <class S, class T>
concept serializer = std::copy_constructible<S> && std::movable<T> && serializes_to_string<S, T> &&
                     deserializes_from_bytes<S, T>;

/// Text as it is: the stored bytes are the string's. Not checked to be UTF-8.
struct text_serializer {
    [[nodiscard]] std::string serialize(const std::string& value) const { return value; }
    [[nodiscard]] std::string serialize(std::string&& value) const { return std::move(value); }
    [[nodiscard]] std::string deserialize(std::string_view bytes) const {
        return std::string(bytes);
    }
    [[nodiscard]] std::string deserialize(std::string&& bytes) const { return std::move(bytes); }
};

/// Bytes is a container of bytes: std::string, or std::vector of std::byte, char or unsigned char.
template <class Bytes>
concept byte_container =
    std::same_as<Bytes, std::string> || std::same_as<Bytes, std::vector<std::byte>> ||
    std::same_as<Bytes, std::vector<unsigned char>> || std::same_as<Bytes, std::vector<char>>;

/// Bytes as they are, in whichever of the usual containers.
template <byte_container Bytes = std::string>
struct bytes_serializer {
    [[nodiscard]] std::string serialize(const Bytes& value) const {
        return std::string(reinterpret_cast<const char*>(value.data()), value.size());
    }
    [[nodiscard]] Bytes deserialize(std::string_view bytes) const {
        const auto* first = reinterpret_cast<const typename Bytes::value_type*>(bytes.data());
        return Bytes(first, first + bytes.size());
    }
};

template <>
struct bytes_serializer<std::string> : text_serializer {};

} // namespace codynamo
