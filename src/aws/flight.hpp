// SPDX-License-Identifier: BSL-1.0
// One fetch of credentials on its way: who waits for it, and whether it is worth that.
#pragma once

#include "aws/context_guest.hpp"
#include "aws/parked.hpp"

#include <codynamo/aws/credentials.hpp>
#include <codynamo/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace codynamo::aws::detail {

using steady_time = std::chrono::steady_clock::time_point;

/// What a fetch comes to.
struct fetch_outcome {
    credentials_ptr found;
    failure why;
    bool unset = false;
    bool out_of_memory = false; ///< in this process; not a failure of the source

    /// Anew for each caller: an exception object is not shared between threads.
    [[noreturn]] void raise() const {
        if (out_of_memory) throw std::bad_alloc();
        if (unset) throw not_configured(why);
        throw error(why);
    }
};

inline bool same_context(const boost::asio::any_io_executor& a,
                         const boost::asio::any_io_executor& b) {
    return &boost::asio::query(a, boost::asio::execution::context) ==
           &boost::asio::query(b, boost::asio::execution::context);
}

/// One fetch on its way, and those who wait for it. Thread-safe.
class flight final : public context_guest, public std::enable_shared_from_this<flight> {
public:
    using stop_signal = boost::asio::cancellation_signal;

    /// `where` is a strand, and `stop` that of the fetch, whose coroutine owns it.
    flight(const boost::asio::any_io_executor& where, steady_time began,
           std::chrono::milliseconds longest_stall, const std::shared_ptr<stop_signal>& stop)
        : began_(began), longest_stall_(longest_stall), stop_(stop), where_(where) {}

    /// How long it has been under way; zero when it is over.
    [[nodiscard]] std::chrono::nanoseconds age(steady_time now) const {
        const std::lock_guard lock(mutex_);
        return where_ ? now - began_ : std::chrono::nanoseconds(0);
    }
    /// True for the first call only.
    [[nodiscard]] bool is_first_report() noexcept { return !reported_.exchange(true); }

    /// Answered as soon as the context of the fetch runs a handler.
    struct probe {
        explicit probe(steady_time now) : sent(now) {}
        steady_time sent;
        std::atomic<bool> answered = false;
    };

    struct prospect {
        bool good = false;
        /// To come back with when there is no answer in time; null for a caller in the same
        /// context, who runs whenever the fetch does.
        std::shared_ptr<probe> sign{};
    };

    /// Whether it is worth waiting for, in the eyes of a caller with this executor who has waited
    /// too long for `overdue` to be answered.
    [[nodiscard]] prospect judge(const boost::asio::any_io_executor& caller, steady_time now,
                                 const std::shared_ptr<probe>& overdue) {
        const std::lock_guard lock(mutex_);
        if (!where_) return {};
        if (same_context(*where_, caller)) return {true};
        if (!probed_ || probed_->answered) {
            auto sent = std::make_shared<probe>(now);
            boost::asio::post(*where_, [sent] { sent->answered = true; });
            probed_ = std::move(sent);
            return {true, probed_};
        }
        return {probed_ != overdue && now - probed_->sent < longest_stall_, probed_};
    }

    [[nodiscard]] bool under_way() const {
        const std::lock_guard lock(mutex_);
        return where_.has_value();
    }

    void join(const std::shared_ptr<parked>& who) {
        {
            const std::lock_guard lock(mutex_);
            if (where_) {
                waiting_.push_back(who);
                return;
            }
        }
        who->wake(end_);
    }

    /// The first call counts.
    void land(wakeup how, fetch_outcome with = {}) noexcept {
        std::vector<std::shared_ptr<parked>> woken;
        {
            const std::lock_guard lock(mutex_);
            if (!where_) return;
            where_.reset(); // may be a strand's, which must not outlive its context
            end_ = how;
            result_ = std::move(with);
            woken.swap(waiting_);
        }
        for (const auto& who : woken)
            who->wake(how);
    }

    /// Ends it: cancels its coroutine and wakes its waiters.
    void cancel() {
        {
            const std::lock_guard lock(mutex_);
            if (!where_) return;
            boost::asio::post(*where_, [weak = stop_] {
                if (const auto stop = weak.lock())
                    stop->emit(boost::asio::cancellation_type::terminal);
            });
        }
        land(wakeup::abandoned);
    }

    void context_gone() noexcept override { land(wakeup::abandoned); }

    /// Valid for who was woken with wakeup::done.
    [[nodiscard]] const fetch_outcome& result() const noexcept { return result_; }

private:
    const steady_time began_;
    const std::chrono::milliseconds longest_stall_;
    const std::weak_ptr<stop_signal> stop_;
    std::atomic<bool> reported_ = false;
    mutable std::mutex mutex_;
    /// Empty when it is over.
    std::optional<boost::asio::any_io_executor> where_;
    std::shared_ptr<probe> probed_;
    std::vector<std::shared_ptr<parked>> waiting_;
    wakeup end_ = wakeup::done;
    fetch_outcome result_;
};

/// Travels with the fetch, and tells those who wait when its coroutine is destroyed, be it before
/// its first step.
class landing_promise {
public:
    explicit landing_promise(std::shared_ptr<flight> whose) noexcept : whose_(std::move(whose)) {}
    landing_promise(landing_promise&&) noexcept = default;
    landing_promise& operator=(landing_promise&&) = delete;
    ~landing_promise() {
        if (whose_) whose_->land(wakeup::abandoned);
    }
    [[nodiscard]] const std::shared_ptr<flight>& whose() const noexcept { return whose_; }

private:
    std::shared_ptr<flight> whose_;
};

} // namespace codynamo::aws::detail
