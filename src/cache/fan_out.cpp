// SPDX-License-Identifier: BSL-1.0
#include "cache/fan_out.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
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

using strand = asio::strand<asio::any_io_executor>;

/// Shared by the workers; touched on the strand only, once they have started.
class crew : public std::enable_shared_from_this<crew> {
public:
    crew(strand home, std::size_t count, std::size_t workers, fan_out_job job)
        : home_(std::move(home)), count_(count), job_(std::move(job)), signals_(workers) {}
    virtual ~crew() = default;

    void start() {
        running_ = signals_.size();
        for (asio::cancellation_signal& signal : signals_) {
            // The crew outlives its workers, so the signal outlives the slot that points to it.
            asio::co_spawn(home_, work(shared_from_this()),
                           asio::bind_cancellation_slot(
                               signal.slot(), [self = shared_from_this()](std::exception_ptr why) {
                                   self->ended(std::move(why));
                               }));
        }
    }

    void cancel(asio::cancellation_type type) {
        if (!first_failure_) {
            first_failure_ = std::make_exception_ptr(
                boost::system::system_error(asio::error::operation_aborted));
        }
        for (asio::cancellation_signal& signal : signals_)
            signal.emit(type);
    }

    [[nodiscard]] const strand& home() const noexcept { return home_; }

protected:
    virtual void complete(std::exception_ptr why) = 0;

private:
    static asio::awaitable<void> work(std::shared_ptr<crew> self) {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        while (!self->first_failure_ && self->next_ < self->count_) {
            co_await self->job_(self->next_++);
        }
    }

    void ended(std::exception_ptr why) {
        if (why && !first_failure_) first_failure_ = std::move(why);
        if (--running_ == 0) complete(first_failure_);
    }

    strand home_;
    std::size_t count_;
    fan_out_job job_;
    std::vector<asio::cancellation_signal> signals_;
    std::size_t next_ = 0;
    std::size_t running_ = 0;
    std::exception_ptr first_failure_;
};

template <class Handler>
class crew_of final : public crew {
public:
    template <class... Args>
    explicit crew_of(Handler handler, Args&&... args)
        : crew(std::forward<Args>(args)...), handler_(std::move(handler)) {}

private:
    void complete(std::exception_ptr why) override {
        auto executor = asio::get_associated_executor(handler_);
        asio::post(executor, [handler = std::move(handler_), why = std::move(why)]() mutable {
            std::move(handler)(std::move(why));
        });
    }

    Handler handler_;
};

struct launch {
    template <class Handler>
    void operator()(Handler handler, strand home, std::size_t count, std::size_t workers,
                    fan_out_job job) const {
        auto slot = asio::get_associated_cancellation_slot(handler);
        auto team = std::make_shared<crew_of<Handler>>(std::move(handler), std::move(home), count,
                                                       workers, std::move(job));
        if (slot.is_connected()) {
            slot.assign([weak = std::weak_ptr<crew>(team)](asio::cancellation_type type) {
                auto alive = weak.lock();
                if (!alive) return;
                asio::post(alive->home(), [alive, type] { alive->cancel(type); });
            });
        }
        asio::post(team->home(), [team] { team->start(); });
    }
};

} // namespace

asio::awaitable<void> fan_out(std::size_t count, std::size_t concurrency, fan_out_job job) {
    if (count == 0) co_return;
    if (count == 1) {
        co_await job(0);
        co_return;
    }
    strand home = asio::make_strand(co_await asio::this_coro::executor);
    auto all = asio::async_initiate<const asio::deferred_t&, void(std::exception_ptr)>(
        launch{}, asio::deferred, std::move(home), count, std::min(count, concurrency),
        std::move(job));
    co_await std::move(all);
}

} // namespace codynamo::detail
