// SPDX-License-Identifier: BSL-1.0
// What the gather has running: batches in flight, those who are resumed, the sweep.
#include "cache/dynamodb_backend_core.hpp"
#include "cache/gather.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <new>
#include <string_view>

namespace codynamo::detail {

namespace asio = boost::asio;

struct airborne {
    airborne(merge_waiter::self_ptr s, std::shared_ptr<gather> w, merge_kind k) noexcept
        : self(std::move(s)), where(std::move(w)), kind(k) {}
    airborne(const airborne&) = delete;
    airborne& operator=(const airborne&) = delete;
    ~airborne() { where->ended(self, kind); }

    const merge_waiter::self_ptr self;
    const std::shared_ptr<gather> where;
    const merge_kind kind;
};

namespace {

/// Waiters of one executor, resumed one after the other by handlers that are posted for all of
/// them, where one post for each would cost as much as their share of the request. Whatever resumes
/// a waiter has been posted for before, again: a continuation that blocks, or never returns, holds
/// up its own thread only. The next waiter is resumed by another thread, as if each had been posted
/// by itself, or by a nested run() on the same thread (one level of it where the context has a
/// concurrency hint of 1: Asio then keeps what a handler posts until it has returned).
/// The request counts as under way until all have been resumed: on one thread they have asked for
/// what they want next by then, and that is sent in one batch again.
class drain : public std::enable_shared_from_this<drain> {
public:
    drain(asio::any_io_executor executor, std::shared_ptr<airborne> token) noexcept
        : executor_(std::move(executor)), token_(std::move(token)) {}

    std::vector<std::pair<net::unique_handler<merge_wake>, merge_wake>> handlers;

    void start() {
        post();
        post();
    }

private:
    // Without memory to post, waiters would be lost: it ends the program, as unique_handler does.
    void post() noexcept {
        posted_.fetch_add(1, std::memory_order_relaxed);
        asio::post(executor_, [self = shared_from_this()] { self->run(); });
    }

    // Whenever a waiter is resumed another handler is posted: for the waiters that are left, or
    // else to find that there are none. So it is after an exception, too.
    void run() {
        const std::size_t size = handlers.size();
        const bool was_last = posted_.fetch_sub(1, std::memory_order_relaxed) == 1;
        if (was_last && next_.load(std::memory_order_relaxed) < size) post();
        for (;;) {
            const std::size_t at = next_.fetch_add(1, std::memory_order_relaxed);
            if (at == size) token_.reset();
            if (at >= size) return;
            auto& [handler, how] = handlers[at];
            handler(how);
        }
    }

    const asio::any_io_executor executor_; ///< of all of them
    std::atomic<std::size_t> next_{0};
    std::atomic<unsigned> posted_{0}; ///< handlers that have not begun
    std::shared_ptr<airborne> token_; ///< dropped by the first handler that finds no waiter left
};

} // namespace

/// Travels with a flight, and sees to it that nobody waits for it any more when it is over, be it
/// before its first step.
class gather::flight_promise {
public:
    flight_promise(std::shared_ptr<airborne> token, std::shared_ptr<merge_batch> what) noexcept
        : token_(std::move(token)), what_(std::move(what)) {}
    flight_promise(flight_promise&&) noexcept = default;
    flight_promise& operator=(flight_promise&&) = delete;
    ~flight_promise() {
        if (token_) token_->where->abandon(token_->self, *what_);
    }

    [[nodiscard]] const std::shared_ptr<airborne>& token() const noexcept { return token_; }
    [[nodiscard]] merge_batch& what() const noexcept { return *what_; }

private:
    std::shared_ptr<airborne> token_;
    std::shared_ptr<merge_batch> what_;
};

asio::awaitable<void> gather::run(self_ptr self, flight_promise promise) {
    co_await promise.what().fly(std::move(self), *promise.token()->where, promise.token());
}

void gather::launch(const self_ptr& self, departures& what) noexcept {
    wake(what.woken, nullptr);
    while (std::shared_ptr<merge_batch> one = std::move(what.batches)) {
        what.batches = std::move(one->next_);
        try {
            launch_batch(self, one);
        } catch (const std::bad_alloc&) {
            abandon(self, *one); // twice does no harm
        }
    }
    if (what.sweep != 0) start_sweep(self, what.sweep);
}

void gather::launch_batch(const self_ptr& self, const std::shared_ptr<merge_batch>& what) {
    std::shared_ptr<airborne> token;
    try {
        token = std::make_shared<airborne>(self, shared_from_this(), what->kind_);
    } catch (const std::bad_alloc&) {
        ended(self, what->kind_);
        throw;
    }
    flight_promise promise(std::move(token), what);
    std::optional<merge_batch::strand> strand;
    {
        const std::lock_guard lock(mutex_);
        if (gone_ || what->waiters_ == 0) return;
        strand.emplace(asio::make_strand(executor_));
    }
    asio::co_spawn(*strand, run(self, std::move(promise)),
                   asio::bind_cancellation_slot(what->stop_.slot(), [what](std::exception_ptr) {
                       // Its promise has told those who wait.
                   }));
    // Known to others only now that its slot is in place: stop_ is used on the strand.
    const std::lock_guard lock(mutex_);
    if (gone_ || what->over_) return;
    what->strand_ = std::move(strand);
    if (what->waiters_ == 0) stop(what);
}

void gather::wake(age_list& woken, std::shared_ptr<airborne> token) noexcept {
    std::shared_ptr<drain> home;
    if (token && woken.size() > 1) {
        try {
            asio::any_io_executor executor;
            {
                const std::lock_guard lock(mutex_);
                executor = executor_;
            }
            home = std::make_shared<drain>(std::move(executor), std::move(token));
            home->handlers.reserve(woken.size());
        } catch (const std::bad_alloc&) { // then one by one
            home.reset();
        }
    }
    while (age_link* const link = woken.pop_front()) {
        merge_waiter& who = merge_waiter::of(*link);
        net::unique_handler<merge_wake> handler = std::move(who.handler_);
        const merge_wake how = who.early_;
        if (home && who.home_)
            home->handlers.emplace_back(std::move(handler), how);
        else
            handler.post(how); // the coroutine may run on, and the waiter end, from here on
    }
    if (home && !home->handlers.empty()) home->start();
}

void gather::end_alone(const self_ptr& self, merge_kind kind) noexcept {
    asio::any_io_executor executor;
    {
        const std::lock_guard lock(mutex_);
        if (gone_) return;
        if (lane_of(kind).core.gathered() != 0) executor = executor_;
    }
    if (!executor) return ended(self, kind);
    // The next request of the same caller flies with those who wait.
    std::shared_ptr<airborne> token;
    try {
        token = std::make_shared<airborne>(self, shared_from_this(), kind);
    } catch (const std::bad_alloc&) {
        return ended(self, kind);
    }
    try {
        asio::post(executor, [token] {});
    } catch (const std::bad_alloc&) { // then it flies later
    }
}

void gather::start_sweep(const self_ptr& self, std::uint64_t which) noexcept {
    const auto failed = [what = shared_from_this(), which] {
        const std::lock_guard lock(what->mutex_);
        if (which == what->sweeps_) what->sweep_at_ = time_point::max();
    };
    try {
        asio::any_io_executor executor;
        {
            const std::lock_guard lock(mutex_);
            if (gone_) return;
            executor = executor_;
        }
        asio::co_spawn(executor, sweep(self, shared_from_this(), which),
                       [failed](std::exception_ptr why) {
                           if (why) failed();
                       });
    } catch (const std::bad_alloc&) {
        failed(); // the next one who waits tries again
    }
}

asio::awaitable<void> gather::sweep(self_ptr self, std::shared_ptr<gather> what,
                                    std::uint64_t which) {
    time_point when;
    {
        const std::lock_guard lock(what->mutex_);
        when = what->sweep_at_;
    }
    for (;;) {
        co_await what->time_->sleep_until(when);
        what->tick(self);
        const std::lock_guard lock(what->mutex_);
        if (which != what->sweeps_) co_return;
        what->sweep_at_ = when = what->next_sweep(what->time_->steady_now());
        if (when == time_point::max()) co_return;
    }
}

} // namespace codynamo::detail
