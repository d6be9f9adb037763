// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/race.hpp"

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
#include <boost/system/system_error.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace codynamo::dynamodb {

namespace asio = boost::asio;

namespace {

using strand = asio::strand<asio::any_io_executor>;

/// Shared by the branches and whoever waits; touched on the strand only, once it has started.
class contest : public std::enable_shared_from_this<contest> {
public:
    contest(strand home, asio::awaitable<bool> first, asio::awaitable<bool> second, race_end until)
        : home_(std::move(home)), until_(until) {
        branches_[0].what.emplace(std::move(first));
        branches_[1].what.emplace(std::move(second));
    }
    virtual ~contest() = default;

    void start() {
        if (decided_) return; // cancelled before
        spawn(0);
        if (decided_) return finish_if_over();
        spawn(1);
        // The second one may have decided before the first one had its signal's attention.
        finish_if_over();
    }

    void cancel() {
        if (decided_) return;
        decide(
            std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)));
        finish_if_over();
    }

    [[nodiscard]] const strand& home() const noexcept { return home_; }

protected:
    virtual void complete(std::exception_ptr why) = 0;

private:
    struct branch {
        std::optional<asio::awaitable<bool>> what;
        asio::cancellation_signal signal;
        bool running = false;
    };

    void spawn(std::size_t which) {
        branch& one = branches_[which];
        one.running = true;
        asio::awaitable<bool> what = *std::move(one.what);
        one.what.reset();
        // The contest outlives its branches, so the signal outlives the slot that points to it.
        asio::co_spawn(home_, enable_cancellation(std::move(what)),
                       asio::bind_cancellation_slot(
                           one.signal.slot(), [self = shared_from_this(),
                                               which](std::exception_ptr why, bool has_decided) {
                               self->ended(which, std::move(why), has_decided);
                           }));
    }

    static asio::awaitable<bool> enable_cancellation(asio::awaitable<bool> what) {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        const bool has_decided = co_await std::move(what);
        co_return has_decided;
    }

    void ended(std::size_t which, std::exception_ptr why, bool has_decided) {
        branches_[which].running = false;
        if (!decided_ && (why || has_decided)) decide(std::move(why));
        finish_if_over();
    }

    void decide(std::exception_ptr why) {
        decided_ = true;
        why_ = std::move(why);
        for (branch& one : branches_) {
            one.what.reset(); // not started, and never will be
            if (one.running) one.signal.emit(asio::cancellation_type::terminal);
        }
    }

    void finish_if_over() {
        const bool all_over = !branches_[0].running && !branches_[1].running &&
                              !branches_[0].what && !branches_[1].what;
        if (completed_ || !(all_over || (decided_ && until_ == race_end::first_decided))) return;
        completed_ = true;
        complete(why_);
    }

    strand home_;
    race_end until_;
    std::array<branch, 2> branches_;
    bool decided_ = false;
    bool completed_ = false;
    std::exception_ptr why_;
};

template <class Handler>
class contest_of final : public contest {
public:
    template <class... Args>
    explicit contest_of(Handler handler, Args&&... args)
        : contest(std::forward<Args>(args)...), handler_(std::move(handler)) {}

private:
    void complete(std::exception_ptr why) override {
        // Moved out, so that a branch which never ends does not keep the caller's frame alive.
        Handler handler = *std::move(handler_);
        handler_.reset();
        auto executor = asio::get_associated_executor(handler);
        asio::post(executor, [handler = std::move(handler), why = std::move(why)]() mutable {
            std::move(handler)(std::move(why));
        });
    }

    std::optional<Handler> handler_;
};

struct launch {
    template <class Handler>
    void operator()(Handler handler, strand home, asio::awaitable<bool> first,
                    asio::awaitable<bool> second, race_end until) const {
        auto slot = asio::get_associated_cancellation_slot(handler);
        auto both = std::make_shared<contest_of<Handler>>(
            std::move(handler), std::move(home), std::move(first), std::move(second), until);
        if (slot.is_connected()) {
            slot.assign([weak = std::weak_ptr<contest>(both)](asio::cancellation_type) {
                auto alive = weak.lock();
                if (!alive) return;
                asio::post(alive->home(), [alive] { alive->cancel(); });
            });
        }
        asio::post(both->home(), [both] { both->start(); });
    }
};

} // namespace

asio::awaitable<void> race(asio::awaitable<bool> first, asio::awaitable<bool> second,
                           race_end until) {
    strand home = asio::make_strand(co_await asio::this_coro::executor);
    auto both = asio::async_initiate<const asio::deferred_t&, void(std::exception_ptr)>(
        launch{}, asio::deferred, std::move(home), std::move(first), std::move(second), until);
    co_await std::move(both);
}

} // namespace codynamo::dynamodb
