// SPDX-License-Identifier: BSL-1.0
// Who waits, who departs, who is woken: the bookkeeping, under the lock.
#include "cache/gather.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <new>

namespace codynamo::detail {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// Deadlines of those whose batch is in flight are looked at this often.
constexpr auto sweep_interval = 25ms;

} // namespace

void gather::admit(merge_waiter& who, time_point now, bool may_go_alone, departures& out) {
    lane& in = lane_of(who.kind_);
    const bool writes = who.kind_ == merge_kind::write;
    if (write_hold* const held = writes ? find_hold(who.key_) : nullptr)
        return begin_waiting(who, held->behind);
    const auto known = in.pending ? in.pending->keys_.find(who.key_) : std::nullopt;
    const bool joins = known && !in.pending->sharing_[*known].empty();
    if (!joins && may_go_alone && (!who.may_merge_ || in.core.goes_alone())) {
        if (!who.may_merge_) in.core.went_alone();
        const bool has_waited = who.state_ == merge_waiter::state::waiting;
        if (has_waited) rouse(who, merge_wake::alone, out.woken);
        who.state_ = merge_waiter::state::alone;
        if (writes) hold(who.key_, who.hold_);
        return;
    }
    if (joins && !in.core.can_grow(in.pending->growth_at(*known, who.bytes_))) {
        depart(in, out); // with an earlier write of the key, which holds it from now on
        return admit(who, now, may_go_alone, out);
    }
    const std::size_t places = writes ? write_slice : key_list::most;
    const bool listed_full = !known && in.pending && in.pending->keys_.size() == places;
    if (!joins && (listed_full || !in.core.has_room(who.bytes_))) depart(in, out);
    join(in, who, now);
    if (in.core.gathered() >= in.core.most_items()) depart(in, out);
}

void gather::join(lane& in, merge_waiter& who, time_point now) {
    if (!in.pending) in.pending = make_batch(who.kind_);
    merge_batch& batch = *in.pending;
    who.place_ = batch.keys_.add(who.key_);
    who.batch_ = in.pending;
    share_list& sharing = batch.sharing_[who.place_];
    const std::size_t growth = batch.growth_at(who.place_, who.bytes_);
    if (sharing.empty())
        static_cast<void>(in.core.gather(now, growth));
    else
        in.core.grow(growth);
    batch.note_bytes(who.place_, who.bytes_);
    begin_waiting(who, sharing);
    ++batch.waiters_;
    batch.deadline_ = std::max(batch.deadline_, who.deadline_);
}

void gather::depart(lane& from, departures& out) noexcept {
    const std::shared_ptr<merge_batch> batch = std::move(from.pending);
    if (from.core.gathered() == 0) return; // all have left
    from.core.depart();
    batch->departed_ = true;
    const bool writes = batch->kind_ == merge_kind::write;
    if (batch->waiters_ == 1) { // needs no batch
        std::size_t place = 0;
        while (batch->sharing_[place].empty())
            ++place;
        merge_waiter& who = merge_waiter::of(*batch->sharing_[place].front());
        rouse(who, merge_wake::alone, out.woken);
        if (writes) hold(who.key_, who.hold_);
        return;
    }
    batch->load();
    for (std::size_t i = 0; writes && i != batch->keys_.size(); ++i)
        if (!batch->sharing_[i].empty()) hold(batch->keys_[i], batch->holds_[i]);
    std::shared_ptr<merge_batch>* last = &out.batches;
    while (*last)
        last = &(*last)->next_;
    *last = batch;
}

void gather::begin_waiting(merge_waiter& who, share_list& in) noexcept {
    if (who.state_ != merge_waiter::state::waiting) waiting_.push_back(who);
    who.state_ = merge_waiter::state::waiting;
    who.list_ = &in;
    in.push_back(who);
}

void gather::unlink(merge_waiter& who) noexcept {
    waiting_.erase(who);
    who.state_ = merge_waiter::state::woken;
    if (!who.list_) return;
    who.list_->erase(who);
    const bool was_last = who.list_->empty();
    who.list_ = nullptr;
    if (!who.batch_) return; // it was behind an earlier write
    --who.batch_->waiters_;
    if (was_last && !who.batch_->departed_) lane_of(who.kind_).core.left();
}

void gather::give_up(merge_waiter& who, merge_wake why) noexcept {
    unlink(who);
    who.early_ = why;
    const std::shared_ptr<merge_batch>& batch = who.batch_;
    if (batch && batch->departed_ && batch->waiters_ == 0 && batch->strand_) stop(batch);
}

void gather::stop(const std::shared_ptr<merge_batch>& batch) noexcept {
    try {
        asio::post(*batch->strand_, [batch] {
            if (!batch->over_) batch->stop_.emit(asio::cancellation_type::terminal);
        });
    } catch (const std::bad_alloc&) { // then the batch is sent although it has no waiters
    }
}

void gather::rouse(merge_waiter& who, merge_wake why, age_list& woken) noexcept {
    unlink(who);
    who.early_ = why;
    if (why == merge_wake::alone) who.state_ = merge_waiter::state::alone;
    if (who.handler_) woken.push_back(who); // else it will look before it parks
}

void gather::rouse_all(merge_batch& batch, std::size_t place, merge_wake why,
                       age_list& woken) noexcept {
    share_list& sharing = batch.sharing_[place];
    const bool sole = sharing.size() == 1;
    while (share_link* const link = sharing.front()) {
        merge_waiter& who = merge_waiter::of(*link);
        who.sole_ = sole;
        if (why == merge_wake::alone) lane_of(batch.kind_).core.went_alone();
        rouse(who, why, woken);
    }
}

write_hold* gather::find_hold(std::string_view key) noexcept {
    const auto found = held_.find(key, [](const auto& a, const auto& b) {
        const auto text = [](const auto& of) -> std::string_view {
            if constexpr (requires { of.key; })
                return of.key;
            else
                return of;
        };
        return text(a) < text(b);
    });
    return found == held_.end() ? nullptr : &*found;
}

void gather::hold(std::string_view key, write_hold& by) noexcept {
    by.key = key;
    held_.insert(by);
}

void gather::release(write_hold& hold, departures& out) noexcept {
    if (!hold.is_linked()) return;
    held_.erase(held_.iterator_to(hold));
    if (hold.behind.empty()) return;
    const time_point now = time_->steady_now();
    const bool several = hold.behind.size() > 1; // who are to share one request
    while (share_link* const link = hold.behind.pop_front()) {
        merge_waiter& next = merge_waiter::of(*link);
        next.list_ = nullptr;
        try {
            admit(next, now, !several, out);
        } catch (const std::bad_alloc&) {
            rouse(next, merge_wake::no_memory, out.woken);
        }
    }
    plan_sweep(now, out);
}

gather::time_point gather::next_sweep(time_point now) const noexcept {
    if (gone_ || waiting_.empty()) return time_point::max();
    const auto& oldest = static_cast<const merge_waiter&>(*waiting_.front());
    time_point when = std::min(now + sweep_interval, oldest.deadline_);
    for (const lane* each : {&reads_, &writes_})
        if (const auto due = each->core.due()) when = std::min(when, *due);
    return when;
}

void gather::plan_sweep(time_point now, departures& out) noexcept {
    const time_point when = next_sweep(now);
    if (when >= sweep_at_) return;
    sweep_at_ = when;
    out.sweep = ++sweeps_;
}

} // namespace codynamo::detail
