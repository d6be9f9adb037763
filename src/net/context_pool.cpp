// SPDX-License-Identifier: BSL-1.0
// The shell around pool_core: lock, timer, handlers, and the end of the context.
#include "net/context_pool.hpp"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace codynamo::net {
namespace {

/// Tells the pools of a context that it is being destroyed, before the services of its sockets and
/// timers are (those are made first, and services are shut down in reverse order), and that they
/// are in the child of a fork.
class pool_service : public asio::execution_context::service {
public:
    using key_type = pool_service;
    static inline asio::execution_context::id id;

    explicit pool_service(asio::execution_context& context)
        : asio::execution_context::service(context) {}

    void add(const std::shared_ptr<context_pool>& pool) {
        const std::lock_guard lock(mutex_);
        std::erase_if(pools_, [](const auto& p) { return p.expired(); });
        pools_.push_back(pool);
    }

private:
    void shutdown() override {
        std::vector<std::weak_ptr<context_pool>> pools;
        {
            const std::lock_guard lock(mutex_);
            pools.swap(pools_);
        }
        for (const auto& weak : pools)
            if (const auto pool = weak.lock()) pool->shutdown();
    }

    void notify_fork(asio::execution_context::fork_event event) override {
        if (event != asio::execution_context::fork_child) return;
        for (const auto& weak : pools_) // no other thread uses a context that is told
            if (const auto pool = weak.lock()) pool->leave_parent();
    }

    std::mutex mutex_;
    std::vector<std::weak_ptr<context_pool>> pools_;
};

connection& as_connection(pooled& p) noexcept {
    return static_cast<connection&>(p);
}

} // namespace

std::shared_ptr<context_pool> context_pool::make(const asio::any_io_executor& executor,
                                                 std::shared_ptr<const transport_settings> settings,
                                                 std::weak_ptr<pool_owner> owner) {
    auto pool = std::make_shared<context_pool>(executor, std::move(settings), std::move(owner));
    const asio::ip::tcp::socket socket_service_first(executor);
    const asio::ip::tcp::resolver resolver_service_first(executor);
    // And strands: once they are shut down, what is posted to one is destroyed at once. The pool
    // posts with its lock held, and a coroutine that is destroyed gives back its connection, which
    // takes that lock. When strands are shut down the pool has no waiters left.
    const auto strand_service_first = asio::make_strand(executor);
    asio::use_service<pool_service>(asio::query(executor, asio::execution::context)).add(pool);
    return pool;
}

context_pool::context_pool(const asio::any_io_executor& executor,
                           std::shared_ptr<const transport_settings> settings,
                           std::weak_ptr<pool_owner> owner)
    : settings_(std::move(settings)), owner_(std::move(owner)),
      core_({settings_->config.max_connections, settings_->config.min_idle,
             settings_->config.max_waiting, settings_->config.idle_limit}),
      executor_(executor), timer_(std::in_place, executor) {}

connection* context_pool::new_connection() const {
    return new connection(executor_, settings_->server, settings_->config, settings_->tls);
}

context_pool::~context_pool() {
    pool_core::doomed idle;
    core_.take_idle(idle);
    destroy(idle);
}

void context_pool::destroy(pool_core::doomed& what) noexcept {
    while (pooled* const p = what.pop_front())
        delete &as_connection(*p);
}

admission context_pool::checkout(steady_time now, steady_time deadline, bool again,
                                 connection*& out) {
    pool_core::doomed old;
    admission what;
    {
        const std::lock_guard lock(mutex_);
        drop_inherited(old);
        const auto answer = again ? core_.readmit(now, old) : core_.admit(now, old, deadline);
        what = answer.what;
        if (what == admission::reuse) {
            out = &as_connection(*answer.connection);
        } else if (what == admission::open) {
            out = new_connection();
            core_.adopt(*out, now);
        }
        if (out) {
            out->deadline = deadline;
            arm(now, deadline);
        }
    }
    destroy(old);
    return what;
}

void context_pool::wait(pool_waiter& waiter, unique_handler<wake> handler, steady_time deadline) {
    const auto now = settings_->now();
    pool_core::doomed old;
    {
        const std::lock_guard lock(mutex_);
        // Things may have changed since checkout.
        const auto answer =
            waiter.after_failure ? core_.readmit(now, old) : core_.admit(now, old, deadline);
        wake result = wake::granted;
        switch (answer.what) {
        case admission::wait:
            waiter.handler = std::move(handler);
            core_.enqueue(waiter, now, deadline);
            publish_waiting();
            arm(now, std::min(deadline, core_.next_growth()));
            break;
        case admission::reuse:
            waiter.granted = answer.connection;
            break;
        case admission::open:
            // Within an initiation: what it threw would destroy the coroutine.
            try {
                waiter.granted = new_connection();
                core_.adopt(*waiter.granted, now);
            } catch (const std::bad_alloc&) {
                result = wake::no_memory;
            }
            break;
        case admission::overloaded:
            result = wake::overloaded;
            break;
        case admission::hopeless:
            result = wake::hopeless;
            break;
        case admission::closed:
            result = wake::closed;
            break;
        }
        if (waiter.granted) {
            waiter.granted->deadline = deadline;
            arm(now, deadline);
        }
        // NOLINTNEXTLINE(bugprone-use-after-move): only who waits gives it away
        if (answer.what != admission::wait) handler.post(result);
    }
    destroy(old);
}

queue_state context_pool::queue() const {
    const std::lock_guard lock(mutex_);
    return core_.queue(settings_->now());
}

void context_pool::cancel(pool_waiter& waiter) noexcept {
    const std::lock_guard lock(mutex_);
    if (!timer_) return; // the frame of the waiter may be gone with its context
    if (!core_.leave(waiter)) return;
    publish_waiting();
    auto handler = std::move(waiter.handler);
    handler.post(wake::aborted);
}

void context_pool::cancel_close(pool_waiter& waiter) noexcept {
    const std::lock_guard lock(mutex_);
    if (!timer_ || !waiter.in_queue) return;
    closers_.erase(waiter);
    waiter.in_queue = false;
    cancel_timer_if_unused();
    auto handler = std::move(waiter.handler);
    handler.post(wake::aborted);
}

connection* context_pool::forsake(pool_waiter& waiter) noexcept {
    const std::lock_guard lock(mutex_);
    pooled* const granted = std::exchange(waiter.granted, nullptr);
    return granted ? &as_connection(*granted) : nullptr;
}

void context_pool::give_back(connection& borrowed) noexcept {
    const auto now = settings_->now();
    bool retired = false;
    bool drained = false;
    {
        const std::lock_guard lock(mutex_);
        const bool keep = borrowed.usable && now < borrowed.retire_at && !borrowed.was_cut();
        if (!keep) borrowed.close();
        // An exchange that did not begin, or did not end, counts as cut.
        const bool complete = std::exchange(borrowed.current.state, advance::more) == advance::done;
        const auto end = core_.release(borrowed, now, keep,
                                       complete ? exchange_end::complete : exchange_end::cut_short);
        refuse_late(now);
        if (end.what == fate::handed) {
            auto handler = std::move(static_cast<pool_waiter*>(end.to)->handler);
            handler.post(wake::granted);
        }
        if (core_.waiting() != published_waiting_) publish_waiting();
        retired = end.what == fate::retired;
        drained = core_.closed() && core_.busy() == 0;
        if (drained) cancel_timer_if_unused();
    }
    if (retired) delete &borrowed;
    if (!drained) return;
    if (const auto owner = owner_.lock()) owner->drained();
}

void context_pool::refuse_late(steady_time now) noexcept {
    while (queued* const waiter = core_.pop_refused()) {
        const bool expired = waiter->deadline <= now;
        auto handler = std::move(static_cast<pool_waiter*>(waiter)->handler);
        handler.post(expired ? wake::timeout : wake::too_late);
    }
}

connection& context_pool::replace(connection& dead, steady_time now) {
    pool_core::doomed old;
    connection* other = nullptr;
    {
        const std::lock_guard lock(mutex_);
        dead.close();
        if (pooled* const p = core_.replace(dead, now, old)) other = &as_connection(*p);
    }
    destroy(old);
    if (!other) return dead;
    delete &dead;
    return *other;
}

bool context_pool::open_failed(connection& borrowed, steady_time now) noexcept {
    {
        const std::lock_guard lock(mutex_);
        borrowed.close();
        if (!core_.open_failed(borrowed, now, borrowed.lack)) {
            while (queued* const waiter = core_.pop_failed_waiter()) {
                auto handler = std::move(static_cast<pool_waiter*>(waiter)->handler);
                handler.post(wake::unreachable);
            }
            publish_waiting();
            return false;
        }
    }
    delete &borrowed;
    return true;
}

bool context_pool::set_opening(connection& borrowed, steady_time now, steady_time deadline) {
    const std::lock_guard lock(mutex_);
    core_.opening(borrowed);
    return arm_deadline(borrowed, now, deadline);
}

bool context_pool::set_opened(connection& borrowed, steady_time now, steady_time deadline) {
    const std::lock_guard lock(mutex_);
    if (!arm_deadline(borrowed, now, deadline)) return false; // cut: it is closed
    core_.opened(borrowed);
    grow(now);
    publish_waiting();
    return true;
}

bool context_pool::set_deadline(connection& borrowed, steady_time now, steady_time deadline) {
    const std::lock_guard lock(mutex_);
    return arm_deadline(borrowed, now, deadline);
}

bool context_pool::arm_deadline(connection& borrowed, steady_time now, steady_time deadline) {
    if (borrowed.was_cut()) return false;
    borrowed.deadline = deadline;
    arm(now, deadline);
    return true;
}

std::shared_ptr<resolution> context_pool::resolve() {
    const auto now = settings_->now();
    const std::lock_guard lock(mutex_);
    if (resolution_ && resolution_->joinable(now, 2 * settings_->config.connect_timeout))
        return resolution_;
    if (resolution_ && resolution_->given_up()) given_up_ = std::move(resolution_);
    auto next = std::make_shared<resolution>(executor_);
    if (given_up_ && !given_up_->precede(next)) given_up_.reset();
    next->start(now, settings_->target.host, settings_->target.port, settings_->network.resolve);
    return resolution_ = std::move(next); // one that could not be started would never end
}

void context_pool::note_connect_error(std::string message) {
    const std::lock_guard lock(mutex_);
    last_connect_error_ = std::move(message);
}

std::string context_pool::last_connect_error() const {
    const std::lock_guard lock(mutex_);
    return last_connect_error_;
}

void context_pool::arm(steady_time now, steady_time deadline) {
    if (!timer_) return;
    const auto interval = deadline == steady_time::max() ? 25ms : sweep_interval(deadline - now);
    if (armed_ && next_sweep_ <= now + interval) return;
    armed_ = false; // this ends the wait there is, and async_wait may throw
    timer_->expires_after(interval);
    timer_->async_wait([self = shared_from_this(), generation = ++generation_](
                           const boost::system::error_code&) { self->sweep(generation); });
    armed_ = true;
    next_sweep_ = now + interval;
}

void context_pool::publish_waiting() noexcept {
    const std::size_t waiting = core_.waiting();
    settings_->waiting->fetch_add(waiting - published_waiting_, std::memory_order_relaxed);
    published_waiting_ = waiting;
}

// New connections for waiters, after opening one had failed. Returns when to call it again.
steady_time context_pool::grow(steady_time now) noexcept {
    while (core_.may_grow(now)) {
        connection* fresh = nullptr;
        try {
            fresh = new_connection();
        } catch (const std::bad_alloc&) {
            break; // the next sweep tries again
        }
        auto handler = std::move(static_cast<pool_waiter&>(core_.grant(*fresh, now)).handler);
        handler.post(wake::granted);
    }
    return core_.next_growth();
}

void context_pool::cancel_timer_if_unused() {
    if (!timer_ || !armed_ || core_.busy() != 0 || core_.waiting() != 0 || !closers_.empty())
        return;
    armed_ = false;
    ++generation_;
    timer_->cancel();
}

void context_pool::sweep(std::uint64_t generation) noexcept {
    const auto now = settings_->now();
    pool_core::doomed old;
    bool closing = false;
    {
        const std::lock_guard lock(mutex_);
        if (!timer_ || generation != generation_) return;
        armed_ = false;
        core_.expire_idle(now, old);
        while (queued* const waiter = core_.expire_waiter(now)) {
            auto handler = std::move(static_cast<pool_waiter*>(waiter)->handler);
            handler.post(wake::timeout);
        }
        const auto growth = grow(now);
        publish_waiting();
        const auto next = std::min(
            growth, core_.for_each_overdue(now, [](pooled& p) { as_connection(p).cut(); }));
        closing = !closers_.empty();
        if (closing || core_.busy() + core_.waiting() != 0) arm(now, next);
    }
    destroy(old);
    // A context that is stopped tells nobody.
    if (closing)
        if (const auto owner = owner_.lock()) owner->drained();
}

void context_pool::fail_waiting(wake why) {
    while (queued* const waiter = core_.pop_waiter()) {
        auto handler = std::move(static_cast<pool_waiter*>(waiter)->handler);
        handler.post(why);
    }
    publish_waiting();
}

void context_pool::drop_inherited(pool_core::doomed& idle) noexcept {
    if (forks_ == codynamo::detail::fork_count()) return;
    forks_ = codynamo::detail::fork_count();
    core_.take_idle(idle);
    (void)core_.for_each_overdue(steady_time::max(), [](pooled& p) { as_connection(p).abandon(); });
    fail_waiting(wake::forked);
    resolution_.reset(); // its thread may be the parent's
    given_up_.reset();
}

void context_pool::leave_parent() noexcept {
    pool_core::doomed idle;
    {
        const std::lock_guard lock(mutex_);
        drop_inherited(idle);
    }
    destroy(idle);
}

void context_pool::close() noexcept {
    pool_core::doomed idle;
    const std::lock_guard lock(mutex_);
    core_.close();
    fail_waiting(wake::closed);
    core_.take_idle(idle);
    // Under the lock: shutdown() of a context that dies in another thread waits for it.
    destroy(idle);
    cancel_timer_if_unused();
}

bool context_pool::is_drained() const {
    const std::lock_guard lock(mutex_);
    if (!core_.closed()) return false;
    // In the child of a fork that does not run the context: nothing can end there.
    if (forks_ != codynamo::detail::fork_count()) return true;
    const auto* const context = executor_.target<asio::io_context::executor_type>();
    return core_.busy() == 0 || (context && context->context().stopped());
}

void context_pool::wait_for_close(pool_waiter& waiter, unique_handler<wake> handler) {
    const std::lock_guard lock(mutex_);
    arm(settings_->now(), steady_time::max());
    waiter.handler = std::move(handler);
    waiter.in_queue = true;
    closers_.push_back(waiter);
}

void context_pool::wake_closers() noexcept {
    const std::lock_guard lock(mutex_);
    while (queued* const waiter = closers_.pop_front()) {
        waiter->in_queue = false;
        auto handler = std::move(static_cast<pool_waiter*>(waiter)->handler);
        handler.post(wake::closed);
    }
    cancel_timer_if_unused();
}

void context_pool::let_go(node_list<queued>& waiting) noexcept {
    core_.close();
    while (queued* const waiter = core_.pop_waiter())
        waiting.push_back(*waiter);
    publish_waiting();
    while (queued* const waiter = closers_.pop_front()) {
        waiter->in_queue = false;
        waiting.push_back(*waiter);
    }
    pool_core::doomed idle;
    core_.take_idle(idle);
    destroy(idle);
    timer_.reset();
    executor_ = {};
}

void context_pool::shutdown() noexcept {
    node_list<queued> waiting;
    std::shared_ptr<resolution> looking_up, left_behind;
    {
        const std::lock_guard lock(mutex_);
        let_go(waiting);
        looking_up = std::move(resolution_);
        left_behind = std::move(given_up_);
    }
    // Each handler owns the waiting coroutine and no other; it is destroyed without the lock.
    while (queued* const waiter = waiting.pop_front()) {
        const auto ended = std::move(static_cast<pool_waiter*>(waiter)->handler);
    }
    if (looking_up) looking_up->drop();
    if (left_behind) left_behind->drop();
    if (const auto owner = owner_.lock()) owner->gone(*this);
}

void context_pool::drop() noexcept {
    node_list<queued> none;
    const std::lock_guard lock(mutex_);
    let_go(none);
    resolution_.reset();
    given_up_.reset();
}

void context_pool::add_to(transport_stats& sum) const {
    {
        const std::lock_guard lock(mutex_);
        sum.open += core_.busy() + core_.idle();
        sum.idle += core_.idle();
        sum.waiting += core_.waiting();
    }
    sum.opened += counters.opened.load(std::memory_order_relaxed);
    sum.resumed += counters.resumed.load(std::memory_order_relaxed);
    sum.reused += counters.reused.load(std::memory_order_relaxed);
    sum.replayed += counters.replayed.load(std::memory_order_relaxed);
}

} // namespace codynamo::net
