// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/race.hpp"

#include "net/strand_work.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
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

/// Shared by the branches and whoever waits; touched on the strand only, once it has started.
class contest final : public net::strand_work<contest> {
public:
    contest(strand home, asio::awaitable<bool> first, asio::awaitable<bool> second, race_end until)
        : strand_work(std::move(home)), until_(until) {
        branches_[0].what.emplace(std::move(first));
        branches_[1].what.emplace(std::move(second));
    }
    void cancel(asio::cancellation_type) {
        if (decided_) return;
        decide(
            std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)));
        finish_if_over();
    }

    void start() {
        if (decided_) return; // cancelled before
        spawn(0);
        if (decided_) return finish_if_over();
        spawn(1);
        // The second one may have decided before the first one had its signal's attention.
        finish_if_over();
    }

private:
    struct branch {
        std::optional<asio::awaitable<bool>> what;
        asio::cancellation_signal signal;
        bool running = false;
    };

    void spawn(std::size_t which) {
        branches_[which].running = true;
        try {
            start_branch(which);
        } catch (...) { // out of memory: it will never run
            branches_[which].running = false;
            decide(std::current_exception());
        }
    }

    void start_branch(std::size_t which) {
        branch& one = branches_[which];
        asio::awaitable<bool> what = *std::move(one.what);
        one.what.reset();
        // The contest outlives its branches, so the signal outlives the slot that points to it.
        asio::co_spawn(home_, run_branch(shared_from_this(), which, std::move(what)),
                       asio::bind_cancellation_slot(
                           one.signal.slot(), [self = shared_from_this()](std::exception_ptr) {
                               // run_branch() has reported its result itself.
                           }));
    }

    /// Reports its result itself: co_spawn does not call its handler when it has no memory for
    /// that.
    static asio::awaitable<void> run_branch(std::shared_ptr<contest> self, std::size_t which,
                                            asio::awaitable<bool> what) {
        std::exception_ptr failure;
        bool has_decided = false;
        try {
            co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
            has_decided = co_await std::move(what);
        } catch (...) {
            failure = std::current_exception();
        }
        self->ended(which, std::move(failure), has_decided);
    }

    void ended(std::size_t which, std::exception_ptr failure, bool has_decided) {
        branches_[which].running = false;
        if (!decided_ && (failure || has_decided)) decide(std::move(failure));
        finish_if_over();
    }

    void decide(std::exception_ptr failure) {
        decided_ = true;
        failure_ = std::move(failure);
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
        complete(failure_);
    }

    race_end until_;
    std::array<branch, 2> branches_;
    bool decided_ = false;
    bool completed_ = false;
    std::exception_ptr failure_;
};

} // namespace

asio::awaitable<void> race(asio::awaitable<bool> first, asio::awaitable<bool> second,
                           race_end until) {
    contest::strand home = asio::make_strand(co_await asio::this_coro::executor);
    auto both =
        std::make_shared<contest>(std::move(home), std::move(first), std::move(second), until);
    co_await contest::run(std::move(both));
}

} // namespace codynamo::dynamodb
