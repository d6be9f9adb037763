// SPDX-License-Identifier: BSL-1.0
// A clock that is corrected by what the services' answers say of theirs.
#pragma once

#include "aws/clock_skew.hpp"

#include <codynamo/environment.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace codynamo::aws::detail {

/// Wall-clock time is that of `base` and the offset in use; the rest is that of `base`.
class learnt_clock final : public clock {
public:
    learnt_clock(std::shared_ptr<const clock> base, std::shared_ptr<const clock_skew> skew) noexcept
        : base_(std::move(base)), skew_(std::move(skew)) {}

    [[nodiscard]] timestamp now() const noexcept override { return base_->now() + skew_->offset(); }
    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const noexcept override {
        return base_->steady_now();
    }
    [[nodiscard]] boost::asio::awaitable<void>
    sleep_until(std::chrono::steady_clock::time_point when) const override {
        return base_->sleep_until(when);
    }

private:
    const std::shared_ptr<const clock> base_;
    const std::shared_ptr<const clock_skew> skew_;
};

} // namespace codynamo::aws::detail
