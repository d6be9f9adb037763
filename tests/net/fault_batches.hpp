// SPDX-License-Identifier: BSL-1.0
// A store that leaves parts of batches unprocessed, and a backend on it.
#pragma once

#include "support/harness.hpp"
#include "support/scripted_server.hpp"

#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace codynamo::test {

using names = std::vector<std::string>;

constexpr std::chrono::milliseconds batch_timeout{400};

/// What every batch of these tests is about.
inline const names batch_keys{"five", "four", "one", "three", "two"};

/// What is under a key.
std::string value_of(const std::string& key);

boost::json::object key_object(const std::string& key);
boost::json::object item_object(const std::string& key);
/// The key of an item.
std::string name_in(const boost::json::value& item);
/// The body of a request.
boost::json::object body_of(const std::string& request);

/// A backend on that server whose calls end after batch_timeout.
dynamodb_backend_config config_for(const testing::scripted_server& server);

names first(const names& all, std::size_t count);
names behind(const names& all, std::size_t count);
names reversed(names all);

/// The same outcome for each key.
struct expectation {
    bool answered;
    errc code = errc::unprocessed;
};

/// Measures a call.
class stopwatch {
public:
    [[nodiscard]] bool in_time() const {
        return std::chrono::steady_clock::now() - started_ < batch_timeout + slack;
    }

private:
    static constexpr std::chrono::milliseconds slack{1500};
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

template <class T>
T run_to_end(boost::asio::awaitable<T> what) {
    boost::asio::io_context io;
    return testing::run(io, std::move(what));
}

} // namespace codynamo::test
