// SPDX-License-Identifier: BSL-1.0
#include "cache/fan_out.hpp"

#include "net/strand_work.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace codynamo::detail {

namespace asio = boost::asio;

namespace {

/// Shared by the workers; touched on the strand only, once they have started.
class crew final : public net::strand_work<crew> {
public:
    crew(strand home, std::size_t count, std::size_t workers, fan_out_job job)
        : strand_work(std::move(home)), count_(count), job_(std::move(job)), signals_(workers) {}

    void cancel(asio::cancellation_type type) {
        if (!first_failure_) {
            first_failure_ = std::make_exception_ptr(
                boost::system::system_error(asio::error::operation_aborted));
        }
        for (asio::cancellation_signal& signal : signals_)
            signal.emit(type);
    }

    void start() {
        running_ = 1; // until all have been started, or one could not be
        std::exception_ptr failure;
        for (asio::cancellation_signal& signal : signals_) {
            ++running_;
            try {
                spawn(signal);
            } catch (...) { // out of memory
                --running_;
                failure = std::current_exception();
                break;
            }
        }
        ended(std::move(failure));
    }

private:
    void spawn(asio::cancellation_signal& signal) {
        // The crew outlives its workers, so the signal outlives the slot that points to it.
        asio::co_spawn(home_, work(shared_from_this()),
                       asio::bind_cancellation_slot(
                           signal.slot(), [self = shared_from_this()](std::exception_ptr) {
                               // work() has reported its result itself.
                           }));
    }

    /// Reports its result itself: co_spawn does not call its handler when it has no memory for
    /// that.
    static asio::awaitable<void> work(std::shared_ptr<crew> self) {
        std::exception_ptr failure;
        try {
            co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
            while (!self->first_failure_ && self->next_ < self->count_) {
                co_await self->job_(self->next_++);
            }
        } catch (...) {
            failure = std::current_exception();
        }
        self->ended(std::move(failure));
    }

    void ended(std::exception_ptr failure) {
        if (failure && !first_failure_) first_failure_ = std::move(failure);
        if (--running_ == 0) complete(first_failure_);
    }

    std::size_t count_;
    fan_out_job job_;
    std::vector<asio::cancellation_signal> signals_;
    std::size_t next_ = 0;
    std::size_t running_ = 0;
    std::exception_ptr first_failure_;
};

} // namespace

asio::awaitable<void> fan_out(std::size_t count, std::size_t concurrency, fan_out_job job) {
    if (count == 0) co_return;
    if (count == 1) {
        co_await job(0);
        co_return;
    }
    crew::strand home = asio::make_strand(co_await asio::this_coro::executor);
    auto all = std::make_shared<crew>(std::move(home), count, std::min(count, concurrency),
                                      std::move(job));
    co_await crew::run(std::move(all));
}

} // namespace codynamo::detail
