// SPDX-License-Identifier: BSL-1.0
// Who gets which connection, who waits, and what is too old: decisions only, no sockets, no clock.
#pragma once

#include "net/deadline_queue.hpp"
#include "net/growth_schedule.hpp"
#include "net/hold_estimate.hpp"
#include "net/service_bound.hpp"

#include <chrono>
#include <cstddef>

namespace codynamo::net {

using steady_time = std::chrono::steady_clock::time_point;

/// A doubly linked list of nodes that live elsewhere. A node is in at most one list.
template <class Node>
class node_list {
public:
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] Node* front() const noexcept { return first_; }
    [[nodiscard]] Node* back() const noexcept { return last_; }

    void push_back(Node& node) noexcept {
        node.prev = last_;
        node.next = nullptr;
        (last_ ? last_->next : first_) = &node;
        last_ = &node;
        ++size_;
    }

    void erase(Node& node) noexcept {
        (node.prev ? node.prev->next : first_) = node.next;
        (node.next ? node.next->prev : last_) = node.prev;
        node.prev = node.next = nullptr;
        --size_;
    }

    Node* pop_front() noexcept {
        Node* const node = first_;
        if (node) erase(*node);
        return node;
    }

private:
    Node* first_ = nullptr;
    Node* last_ = nullptr;
    std::size_t size_ = 0;
};

/// What the pool knows of a connection.
struct pooled {
    pooled* prev = nullptr;
    pooled* next = nullptr;
    steady_time retire_at = steady_time::max();  ///< not to be parked from then on
    steady_time idle_since{};                    ///< when it was last given back
    steady_time deadline = steady_time::max();   ///< of a busy one: to be cut from then on
    steady_time busy_since = steady_time::max(); ///< of a busy one; max(): not to be measured
    bool open = false;                           ///< can serve; set by the pool
    steady_time granted_at{};                    ///< of a busy one
};

/// What the pool knows of an exchange that waits.
struct queued : deadline_hook {
    queued* prev = nullptr;
    queued* next = nullptr;
    steady_time deadline = steady_time::max();
    /// Worth a connection until then, whatever exchanges seem to take.
    steady_time sure_until = steady_time::max();
    bool in_queue = false;
    bool after_failure = false; ///< could not open a connection; not to be changed while queued
    pooled* granted = nullptr;
};

struct pool_limits {
    std::size_t max_connections = 1;
    std::size_t min_idle = 0;
    std::size_t max_waiting = 0;
    std::chrono::steady_clock::duration idle_limit{};
};

enum class admission {
    reuse,
    open,
    wait,
    overloaded, ///< too many are waiting
    hopeless,   ///< the deadline would pass before the turn comes
    closed,
};

struct admitted {
    admission what;
    pooled* connection = nullptr; ///< for admission::reuse only
};

enum class fate {
    parked,  ///< idle now
    handed,  ///< belongs to `to` now, open or not
    retired, ///< forgotten by the pool; to be destroyed
};

struct released {
    fate what;
    queued* to = nullptr;
};

/// What the next one who waits would meet.
struct queue_state {
    std::size_t waiting = 0;
    std::size_t connections = 0;
    std::chrono::steady_clock::duration hold{}; ///< of a connection, on average; 0: not known
    std::chrono::steady_clock::duration need{}; ///< of an exchange, at most; 0: not known
};

/// How an exchange ended.
enum class exchange_end {
    complete,  ///< its answer is there
    cut_short, ///< by a deadline, a cancellation or a fault: it would have taken longer
};

/// The bookkeeping of one pool. Not thread-safe. Everything is O(1), except for enqueue and leave
/// (see deadline_queue) and for for_each_overdue, which is O(busy).
///
/// HTTP/1.1 cannot take back a request: an exchange that is cut by its deadline costs the
/// connection, and the next one has to open another. Under overload the first in the queue is
/// always about to time out, so exchanges that cannot end in time would be the rule. So a waiter
/// that has less time left than exchanges take (service_bound) gets no connection, unless it has
/// waited for less than three eighths of its time: a wrong estimate refuses only
/// exchanges that have waited, and none while connections are idle. A connection that must be
/// opened first takes more time: where the first waiter has less than twice the bound, it goes to
/// the newest waiter.
///
/// Invariant: while a waiter is queued nothing is idle, and nothing more may be opened unless
/// opening has failed lately.
class pool_core {
public:
    explicit pool_core(pool_limits limits) noexcept : limits_(limits) {}

    /// Connections that are to be destroyed by the caller, outside his lock.
    using doomed = node_list<pooled>;

    /// What a new exchange may do. `open`: the caller makes a connection and calls adopt.
    /// `wait`: the caller calls enqueue. `hopeless`: by what exchanges have taken lately, those who
    /// wait already will not be through early enough before `deadline`, and will not have left by
    /// then either.
    /// Who would be the first to wait is never refused for that.
    [[nodiscard]] admitted admit(steady_time now, doomed& out,
                                 steady_time deadline = steady_time::max()) noexcept;
    /// A new busy connection, since `now`. The time until it has been opened is not measured: the
    /// opener sets busy_since again.
    void adopt(pooled& connection, steady_time now = steady_time::max()) noexcept;

    /// A busy connection is being opened, for the first time or anew.
    void opening(pooled& connection) noexcept { set_open(connection, false); }
    /// A busy connection has been opened.
    void opened(pooled& connection) noexcept;
    /// A busy connection could not be opened. True: `connection` is forgotten, and the opener waits
    /// for one of those that are open, or, because of a shortage, for a later attempt: it calls
    /// readmit(). False: none is open, so the opener fails, and with it all that pop_failed_waiter
    /// returns. A lack of addresses counts as a shortage once a connection has been opened: until
    /// then it may be that the server's family of addresses is not there at all.
    [[nodiscard]] bool open_failed(pooled& connection, steady_time now, shortage lack) noexcept;
    /// As admit() for an exchange that was granted a connection which could not be opened: it is
    /// never refused, and waits before all others (queued::after_failure).
    [[nodiscard]] admitted readmit(steady_time now, doomed& out) noexcept;
    [[nodiscard]] queued* pop_failed_waiter() noexcept;
    /// Whether a waiter is to be granted a new connection, which the caller makes and passes to
    /// grant(). Ask again until false.
    [[nodiscard]] bool may_grow(steady_time now) noexcept;
    /// When may_grow should be asked; max() when nothing waits for it.
    [[nodiscard]] steady_time next_growth() const noexcept;
    /// Gives a waiter a new connection: the newest, which would wait longest, while connections are
    /// open, because the attempt may fail or take its time.
    queued& grant(pooled& connection, steady_time now) noexcept;

    void enqueue(queued& waiter, steady_time now, steady_time deadline) noexcept;
    /// False when it was not queued any more.
    bool leave(queued& waiter) noexcept;

    /// A busy connection comes back; `reusable` says that it is open and between two exchanges.
    /// One that is not, or that is to retire, is closed by the caller before, so that a waiter who
    /// is handed it opens it anew. Waiters that cannot be served any more leave the queue: see
    /// pop_refused().
    [[nodiscard]] released release(pooled& connection, steady_time now, bool reusable,
                                   exchange_end how = exchange_end::complete) noexcept;
    /// A waiter that a release has taken out of the queue without a connection; null when there is
    /// none left. Call until null.
    [[nodiscard]] queued* pop_refused() noexcept { return refused_.pop_front(); }
    /// A busy connection turned out to be dead: another idle one that takes its place, or null. If
    /// there is one, `connection` is forgotten.
    [[nodiscard]] pooled* replace(pooled& connection, steady_time now, doomed& out) noexcept;

    /// Takes out the idle connections that are too old.
    void expire_idle(steady_time now, doomed& out) noexcept;
    /// Takes out a waiter whose deadline has passed; null when there is none left. Call until null.
    [[nodiscard]] queued* expire_waiter(steady_time now) noexcept;
    [[nodiscard]] queued* pop_waiter() noexcept;
    void take_idle(doomed& out) noexcept;

    /// Calls f for each busy connection whose deadline has passed. Returns the earliest of the
    /// other deadlines, of busy connections and of waiters.
    template <class F>
    steady_time for_each_overdue(steady_time now, F&& f) {
        steady_time earliest =
            deadlines_.empty() ? steady_time::max() : deadlines_.earliest().deadline;
        for (pooled* c = busy_.front(); c != nullptr; c = c->next) {
            if (c->deadline <= now)
                f(*c);
            else if (c->deadline < earliest)
                earliest = c->deadline;
        }
        return earliest;
    }

    void close() noexcept { closed_ = true; }
    [[nodiscard]] bool closed() const noexcept { return closed_; }
    [[nodiscard]] std::size_t busy() const noexcept { return busy_.size(); }
    [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }
    [[nodiscard]] std::size_t waiting() const noexcept { return failed_.size() + waiting_.size(); }
    [[nodiscard]] queue_state queue(steady_time now) const noexcept {
        return {waiting(), busy_.size(), holds_.mean(now), needs_.get(now)};
    }

private:
    [[nodiscard]] pooled* pop_idle(steady_time now, doomed& out) noexcept;
    [[nodiscard]] bool hopeless(steady_time now, steady_time deadline) const noexcept;
    [[nodiscard]] bool may_open(steady_time now) noexcept;
    [[nodiscard]] bool any_open() const noexcept { return open_busy_ != 0 || !idle_.empty(); }
    void set_open(pooled& busy, bool open) noexcept;
    void leave_busy(pooled& connection) noexcept;
    [[nodiscard]] node_list<queued>& list_of(const queued& waiter) noexcept {
        return waiter.after_failure ? failed_ : waiting_;
    }
    [[nodiscard]] queued* first_waiter() const noexcept {
        return failed_.empty() ? waiting_.front() : failed_.front();
    }
    [[nodiscard]] queued* newest_waiter() const noexcept {
        return waiting_.empty() ? failed_.back() : waiting_.back();
    }
    [[nodiscard]] bool can_serve(const queued& waiter, steady_time now) const noexcept;
    [[nodiscard]] queued* choose_waiter(steady_time now, bool reusable) noexcept;
    void measure(const pooled& connection, steady_time now, exchange_end how) noexcept;

    pool_limits limits_;
    node_list<pooled> idle_; // back: most recently used
    node_list<pooled> busy_;
    std::size_t open_busy_ = 0; // of busy_: those that are open
    node_list<queued> failed_;  // wait after a failure; served before waiting_
    node_list<queued> waiting_;
    bool has_opened_ = false; // a connection, once
    growth_schedule growth_;
    node_list<queued> refused_;
    deadline_queue<queued> deadlines_; // of failed_ and waiting_
    hold_estimate holds_;
    service_bound needs_;
    bool closed_ = false;
};

/// How long to sleep until the next sweep, when the earliest deadline is `remaining` away: a
/// quarter of it, between 1 ms and 25 ms.
[[nodiscard]] std::chrono::steady_clock::duration
sweep_interval(std::chrono::steady_clock::duration remaining) noexcept;

} // namespace codynamo::net
