// SPDX-License-Identifier: BSL-1.0
// Runs a coroutine to its end within a limit, so that a hang is a failure; and an exchange that
// remembers.
#pragma once

#include <codynamo/net/transport.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace codynamo::testing {

/// Runs `what` on `io` alone; throws what it throws.
template <class T>
T run(boost::asio::io_context& io, boost::asio::awaitable<T> what,
      std::chrono::seconds limit = std::chrono::seconds(10)) {
    std::exception_ptr error;
    bool done = false;
    std::optional<std::conditional_t<std::is_void_v<T>, char, T>> value;
    if constexpr (std::is_void_v<T>)
        boost::asio::co_spawn(io, std::move(what), [&](std::exception_ptr e) {
            error = e;
            done = true;
        });
    else
        boost::asio::co_spawn(io, std::move(what), [&](std::exception_ptr e, T result) {
            error = e;
            value = std::move(result);
            done = true;
        });
    io.restart();
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!done && std::chrono::steady_clock::now() < until)
        if (io.run_one_until(until) == 0) break;
    if (!done) throw std::runtime_error("the coroutine did not end in time");
    if (error) std::rethrow_exception(error);
    if constexpr (!std::is_void_v<T>) return std::move(*value);
}

/// A request text and a copy of the response.
class remembering_exchange final : public net::exchange {
public:
    explicit remembering_exchange(std::string path = "/", std::string content = {},
                                  std::string method = "POST")
        : head_(method + " " + path + " HTTP/1.1\r\nHost: test\r\nContent-Length: " +
                std::to_string(content.size()) + "\r\n\r\n"),
          content_(std::move(content)) {}

    void write(std::string& head, std::string& content) override {
        ++writes;
        if (on_write) on_write();
        head += head_;
        content += content_;
    }

    void read(const net::response_view& response) override {
        ++reads;
        status = response.status;
        body.assign(response.body);
        headers.clear();
        for (const auto& h : response.headers)
            headers.emplace_back(h.name, h.value);
        if (on_read) on_read();
    }

    std::function<void()> on_write, on_read;
    int writes = 0;
    int reads = 0;
    unsigned status = 0;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;

private:
    std::string head_, content_;
};

inline net::origin loopback(std::uint16_t port, bool tls = false, std::string host = "127.0.0.1") {
    return {tls, std::move(host), port};
}

} // namespace codynamo::testing
