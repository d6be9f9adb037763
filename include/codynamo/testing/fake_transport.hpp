// SPDX-License-Identifier: BSL-1.0
// A server that is a function: no sockets, every request on record.
#pragma once

#include <codynamo/error.hpp>
#include <codynamo/net/transport.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing {

/// A request as the exchange wrote it.
struct fake_request {
    std::string head; ///< request line and headers, with the empty line
    std::string body;

    /// Value of the first header of that name, in any case; empty when there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept {
        std::string_view rest = head;
        while (!rest.empty()) {
            const std::string_view line = rest.substr(0, rest.find("\r\n"));
            rest.remove_prefix(std::min(rest.size(), line.size() + 2));
            const std::size_t colon = line.find(':');
            if (colon == name.size() && same_letters(line.substr(0, colon), name)) {
                const std::size_t value = line.find_first_not_of(' ', colon + 1);
                return value == line.npos ? std::string_view{} : line.substr(value);
            }
        }
        return {};
    }
    /// The operation's name: what follows the dot of X-Amz-Target.
    [[nodiscard]] std::string_view operation() const noexcept {
        const std::string_view target = header("x-amz-target");
        return target.substr(std::min(target.size(), target.find('.') + 1));
    }

private:
    static bool same_letters(std::string_view a, std::string_view b) noexcept {
        const auto lower = [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        };
        for (std::size_t i = 0; i != a.size(); ++i)
            if (lower(a[i]) != lower(b[i])) return false;
        return true;
    }
};

/// What the server answers, or how the network fails.
struct fake_response {
    unsigned status = 200;
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};
    /// When set, the network fails so instead of answering.
    boost::system::error_code error{};
    /// With an error: whether the server may have seen the request.
    bool sent = false;

    [[nodiscard]] static fake_response network_error(boost::system::error_code code, bool sent) {
        fake_response failed;
        failed.error = code;
        failed.sent = sent;
        return failed;
    }
};

/// A transport whose server is a function. Thread-safe when the function is.
class fake_transport final : public net::transport {
public:
    using server = std::function<fake_response(const fake_request&)>;

    /// With `suspends` every exchange goes through the caller's executor once before it is
    /// answered, as a real one does; cancellation is noticed there.
    explicit fake_transport(server answer, bool suspends = true)
        : answer_(std::move(answer)), suspends_(suspends) {}

    [[nodiscard]] boost::asio::awaitable<net::send_outcome> send(net::exchange& what,
                                                                 net::send_options) override {
        if (closed()) co_return net::send_outcome{make_error_code(errc::closed), false, "closed"};
        fake_request request;
        what.write(request.head, request.body);
        remember(request);
        if (suspends_) {
            co_await boost::asio::post(boost::asio::deferred);
            const auto state = co_await boost::asio::this_coro::cancellation_state;
            if (state.cancelled() != boost::asio::cancellation_type::none)
                throw boost::system::system_error(boost::asio::error::operation_aborted);
        }
        const fake_response response = answer_(request);
        if (response.error)
            co_return net::send_outcome{response.error, response.sent, response.error.message()};
        std::vector<net::header_view> headers;
        headers.reserve(response.headers.size());
        for (const auto& [name, value] : response.headers)
            headers.push_back({name, value});
        net::response_view view;
        view.status = response.status;
        view.headers = headers;
        view.body = response.body;
        what.read(view);
        co_return net::send_outcome{{}, true, {}};
    }

    [[nodiscard]] boost::asio::awaitable<void> close() override {
        const std::lock_guard guard(mutex_);
        closed_ = true;
        co_return;
    }

    [[nodiscard]] net::transport_stats stats() const override {
        const std::lock_guard guard(mutex_);
        net::transport_stats seen;
        seen.reused = requests_.size();
        return seen;
    }

    /// All requests so far, in the order in which they were written.
    [[nodiscard]] std::vector<fake_request> requests() const {
        const std::lock_guard guard(mutex_);
        return requests_;
    }

private:
    bool closed() const {
        const std::lock_guard guard(mutex_);
        return closed_;
    }
    void remember(const fake_request& request) {
        const std::lock_guard guard(mutex_);
        requests_.push_back(request);
    }

    const server answer_;
    const bool suspends_;
    mutable std::mutex mutex_;
    bool closed_ = false;
    std::vector<fake_request> requests_;
};

} // namespace codynamo::testing
