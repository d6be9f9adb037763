// SPDX-License-Identifier: BSL-1.0
// A cache of which one key is read over and over, and what has to be found there.
#pragma once

#include "arguments.hpp"

#include <codynamo/cache.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>

namespace bench {

using byte_cache = codynamo::cache<std::string, codynamo::bytes_serializer<>>;

struct one_key {
    byte_cache cache;
    std::string key;
    std::string expected;

    /// With `prepare` the table is created and a value of 1 KiB
    /// stored first. What every get has to return is what the first one returned.
    [[nodiscard]] static boost::asio::awaitable<one_key> open(wire_options options, bool prepare);
    /// One get; empty, or what was wrong.
    [[nodiscard]] boost::asio::awaitable<std::string> get() const;
};

/// Where the options say, by as many connections as may be in flight, batching off.
[[nodiscard]] codynamo::dynamodb_backend_config backend_config(const wire_options& options);

} // namespace bench
