// SPDX-License-Identifier: BSL-1.0
// The transitions of the pool.
#include "net/pool_core.hpp"

#include <algorithm>

namespace codynamo::net {

pooled* pool_core::pop_idle(steady_time now, doomed& out) noexcept {
    expire_idle(now, out);
    while (pooled* const connection = idle_.back()) {
        idle_.erase(*connection);
        if (now < connection->retire_at) return connection;
        out.push_back(*connection);
    }
    return nullptr;
}

bool pool_core::hopeless(steady_time now, steady_time deadline) const noexcept {
    if (waiting() == 0 || deadline == steady_time::max()) return false;
    const auto need = std::min(needs_.get(now), (deadline - now) / 8 * 5);
    if (holds_.queue_time(waiting(), busy_.size(), now) <= deadline - now - need) return false;
    // Those who wait may leave unserved, at their deadlines: what is left then is for us, if it is
    // enough for an exchange.
    return deadlines_.latest().deadline > deadline - need;
}

bool pool_core::can_serve(const queued& waiter, steady_time now) const noexcept {
    return now <= waiter.sure_until || waiter.deadline - now >= needs_.get(now);
}

admitted pool_core::admit(steady_time now, doomed& out, steady_time deadline) noexcept {
    if (closed_) return {admission::closed};
    if (pooled* const connection = pop_idle(now, out)) {
        adopt(*connection, now);
        return {admission::reuse, connection};
    }
    // Where opening fails, it is tried for those who wait already.
    const bool is_first = waiting() == 0 || !any_open();
    if (is_first && may_open(now)) return {admission::open};
    if (waiting() >= limits_.max_waiting) return {admission::overloaded};
    return {hopeless(now, deadline) ? admission::hopeless : admission::wait};
}

admitted pool_core::readmit(steady_time now, doomed& out) noexcept {
    const auto answer = admit(now, out);
    const bool is_refused =
        answer.what == admission::overloaded || answer.what == admission::hopeless;
    return is_refused ? admitted{admission::wait} : answer;
}

void pool_core::adopt(pooled& connection, steady_time now) noexcept {
    connection.busy_since = connection.granted_at = now;
    if (connection.open) ++open_busy_;
    busy_.push_back(connection);
}

// When opening fails while other connections serve, those are waited for. A server that is down is
// asked by every exchange, since there is nothing to wait for.
bool pool_core::may_open(steady_time now) noexcept {
    if (busy_.size() >= limits_.max_connections) return false;
    return (!any_open() && !growth_.exhausted()) || growth_.start(now);
}

bool pool_core::open_failed(pooled& connection, steady_time now, shortage lack) noexcept {
    set_open(connection, false);
    const bool exhausted = lack == shortage::memory || (lack == shortage::address && has_opened_);
    growth_.failed(now, exhausted);
    if (closed_) return false;
    if (!exhausted && !any_open()) return false;
    leave_busy(connection);
    return true;
}

void pool_core::opened(pooled& connection) noexcept {
    set_open(connection, true);
    has_opened_ = true;
    growth_.succeeded();
}

void pool_core::set_open(pooled& busy, bool open) noexcept {
    if (busy.open == open) return;
    busy.open = open;
    open ? ++open_busy_ : --open_busy_;
}

void pool_core::leave_busy(pooled& connection) noexcept {
    if (connection.open) --open_busy_;
    busy_.erase(connection);
}

queued* pool_core::pop_failed_waiter() noexcept {
    queued* const waiter = failed_.front();
    if (waiter) leave(*waiter);
    return waiter;
}

bool pool_core::may_grow(steady_time now) noexcept {
    return !closed_ && waiting() != 0 && may_open(now);
}

steady_time pool_core::next_growth() const noexcept {
    const bool wanted = waiting() != 0 && busy_.size() < limits_.max_connections;
    return wanted ? growth_.next_at() : steady_time::max();
}

queued& pool_core::grant(pooled& connection, steady_time now) noexcept {
    queued& waiter = *(any_open() ? newest_waiter() : choose_waiter(now, false));
    leave(waiter);
    adopt(connection, now);
    connection.deadline = waiter.deadline;
    waiter.granted = &connection;
    return waiter;
}

void pool_core::enqueue(queued& waiter, steady_time now, steady_time deadline) noexcept {
    waiter.deadline = deadline;
    waiter.sure_until = deadline == steady_time::max() ? deadline : now + (deadline - now) / 8 * 3;
    waiter.in_queue = true;
    waiter.granted = nullptr;
    list_of(waiter).push_back(waiter);
    deadlines_.insert(waiter);
}

bool pool_core::leave(queued& waiter) noexcept {
    if (!waiter.in_queue) return false;
    list_of(waiter).erase(waiter);
    deadlines_.erase(waiter);
    waiter.in_queue = false;
    return true;
}

queued* pool_core::pop_waiter() noexcept {
    queued* const waiter = first_waiter();
    if (waiter) leave(*waiter);
    return waiter;
}

queued* pool_core::choose_waiter(steady_time now, bool reusable) noexcept {
    queued* first = first_waiter();
    if (!reusable) {
        const bool is_late = first && first->deadline - now < 2 * needs_.get(now);
        return is_late ? newest_waiter() : first;
    }
    for (; first && !can_serve(*first, now); first = first_waiter()) {
        leave(*first);
        refused_.push_back(*first);
    }
    return first;
}

void pool_core::measure(const pooled& connection, steady_time now, exchange_end how) noexcept {
    if (connection.busy_since == steady_time::max()) return;
    const auto held = now - connection.busy_since;
    needs_.add(held, now);
    if (how == exchange_end::complete || held > holds_.mean(now)) holds_.add(held, now);
}

released pool_core::release(pooled& connection, steady_time now, bool reusable,
                            exchange_end how) noexcept {
    connection.idle_since = now;
    measure(connection, now, how);
    connection.busy_since = connection.granted_at = now;
    set_open(connection, reusable);
    if (queued* const waiter = choose_waiter(now, reusable)) {
        leave(*waiter);
        connection.deadline = waiter->deadline;
        waiter->granted = &connection;
        return {fate::handed, waiter};
    }
    leave_busy(connection);
    if (!reusable || closed_ || now >= connection.retire_at) return {fate::retired};
    idle_.push_back(connection);
    return {fate::parked};
}

pooled* pool_core::replace(pooled& connection, steady_time now, doomed& out) noexcept {
    pooled* const other = pop_idle(now, out);
    if (!other) return nullptr;
    leave_busy(connection);
    other->deadline = connection.deadline;
    adopt(*other, connection.busy_since);
    return other;
}

void pool_core::expire_idle(steady_time now, doomed& out) noexcept {
    while (idle_.size() > limits_.min_idle) {
        pooled* const oldest = idle_.front();
        if (now - oldest->idle_since < limits_.idle_limit) return;
        idle_.erase(*oldest);
        out.push_back(*oldest);
    }
}

queued* pool_core::expire_waiter(steady_time now) noexcept {
    if (deadlines_.empty() || deadlines_.earliest().deadline > now) return nullptr;
    queued& waiter = deadlines_.earliest();
    leave(waiter);
    return &waiter;
}

void pool_core::take_idle(doomed& out) noexcept {
    while (pooled* const connection = idle_.pop_front())
        out.push_back(*connection);
}

std::chrono::steady_clock::duration
sweep_interval(std::chrono::steady_clock::duration remaining) noexcept {
    using namespace std::chrono_literals;
    return std::clamp<std::chrono::steady_clock::duration>(remaining / 4, 1ms, 25ms);
}

} // namespace codynamo::net
