// SPDX-License-Identifier: BSL-1.0
// Looks around ten times a second, beside whatever else the context does.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <utility>

namespace bench {

class ticker {
public:
    /// Stops the context as soon as `look` says false. Both must outlive this.
    ticker(boost::asio::io_context& context, std::function<bool()> look)
        : context_(context), timer_(context), look_(std::move(look)) {
        arm();
    }
    /// Lets the context run out of work.
    void stop() {
        stopped_ = true;
        timer_.cancel();
    }

private:
    void arm() {
        timer_.expires_after(std::chrono::milliseconds(100));
        timer_.async_wait([this](boost::system::error_code) {
            if (stopped_) return;
            if (!look_()) return context_.stop();
            arm();
        });
    }

    boost::asio::io_context& context_;
    boost::asio::steady_timer timer_;
    std::function<bool()> look_;
    bool stopped_ = false;
};

} // namespace bench
