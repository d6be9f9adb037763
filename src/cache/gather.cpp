// SPDX-License-Identifier: BSL-1.0
// What comes from outside: each takes the lock, and does what was decided after it.
#include "cache/gather.hpp"

#include "cache/batch_rounds.hpp"
#include "cache/dynamodb_backend_core.hpp"
#include "cache/dynamodb_batch.hpp"
#include "net/innermost.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <new>

namespace codynamo::detail {

namespace asio = boost::asio;

namespace {

batch_core::limits limits_of(const batching_config& config, merge_kind kind) noexcept {
    const bool reads = kind == merge_kind::read;
    batch_core::limits made;
    made.crossover = config.mode == batching_mode::automatic ? config.crossover : 1;
    made.most_items = reads ? key_list::most : write_slice;
    made.most_bytes = reads ? 0 : write_slice_bytes;
    made.max_delay = config.max_delay;
    return made;
}

} // namespace

merge_waiter::~merge_waiter() {
    if (where_) where_->leave(*this);
}

void merge_waiter::enter(const self_ptr& self, std::shared_ptr<gather> where, merge_kind kind,
                         std::string_view key, std::size_t bytes, bool may_merge) {
    self_ = &self;
    may_merge_ = may_merge;
    kind_ = kind;
    key_ = key;
    bytes_ = bytes;
    where_ = std::move(where);
    where_->enter(*this);
}

std::chrono::milliseconds merge_waiter::time_left() const {
    return rounds::time_left(deadline_ - (*self_)->config.env.time->steady_now());
}

bool merge_waiter::was_sent() const noexcept {
    return batch_ && batch_->has_departed();
}

std::shared_ptr<gather> gather::make(const asio::any_io_executor& executor,
                                     const dynamodb_backend_config& config) {
    auto made = std::make_shared<gather>(executor, config);
    aws::detail::register_guest(executor, made);
    return made;
}

gather::gather(const asio::any_io_executor& executor, const dynamodb_backend_config& config)
    : time_(config.env.time), call_timeout_(config.call_timeout), executor_(executor),
      reads_{batch_core(limits_of(config.batching, merge_kind::read))},
      writes_{batch_core(limits_of(config.batching, merge_kind::write))} {}

/// Runs what was decided under the lock, after it.
class gather::launcher {
public:
    launcher(gather& where, const self_ptr& self) noexcept : where_(where), self_(self) {}
    launcher(const launcher&) = delete;
    launcher& operator=(const launcher&) = delete;
    ~launcher() { where_.launch(self_, what); }

    departures what{};

private:
    gather& where_;
    const self_ptr& self_;
};

void gather::enter(merge_waiter& who) {
    launcher out(*this, *who.self_);
    const std::lock_guard lock(mutex_);
    if (gone_) return;
    if (who.kind_ == merge_kind::read && reads_.core.goes_alone()) {
        who.state_ = merge_waiter::state::alone;
        return;
    }
    const time_point now = time_->steady_now();
    who.deadline_ = now + call_timeout_;
    admit(who, now, true, out.what);
    if (who.state_ == merge_waiter::state::alone) return;
    who.must_wait_ = true;
    plan_sweep(now, out.what);
}

void gather::leave(merge_waiter& who) noexcept {
    using state = merge_waiter::state;
    bool was_alone = false;
    {
        launcher out(*this, *who.self_);
        const std::lock_guard lock(mutex_);
        if (who.state_ == state::waiting) give_up(who, merge_wake::aborted);
        was_alone = who.state_ == state::alone && !gone_;
        if (was_alone && who.kind_ == merge_kind::write) release(who.hold_, out.what);
        who.state_ = state::outside;
    }
    if (was_alone) end_alone(*who.self_, who.kind_);
}

void gather::park(merge_waiter& who, net::unique_handler<merge_wake> handler,
                  const asio::any_io_executor& executor) {
    {
        const std::lock_guard lock(mutex_);
        if (who.state_ == merge_waiter::state::waiting) {
            who.home_ = executor == executor_;
            who.handler_ = std::move(handler);
            return;
        }
    }
    handler.post(who.early_);
}

void gather::cancel(merge_waiter& who) noexcept {
    net::unique_handler<merge_wake> handler;
    {
        const std::lock_guard lock(mutex_);
        if (gone_) return; // the frame of the waiter may be gone with its context
        if (who.state_ != merge_waiter::state::waiting) return;
        give_up(who, merge_wake::aborted);
        handler = std::move(who.handler_);
    }
    handler.post(merge_wake::aborted); // the coroutine may run on, and the waiter end, from here on
}

std::size_t gather::deliver(merge_batch& batch, std::span<const std::size_t> places, merge_wake how,
                            const std::shared_ptr<airborne>& token) {
    age_list woken;
    std::size_t before = 0;
    {
        const std::lock_guard lock(mutex_);
        before = batch.waiters_;
        for (const std::size_t place : places)
            rouse_all(batch, place, how, woken);
        before -= batch.waiters_;
    }
    wake(woken, token);
    return before;
}

bool gather::is_wanted(merge_batch& batch, std::size_t place) const {
    const std::lock_guard lock(mutex_);
    return !batch.sharing_[place].empty();
}

void gather::release(const self_ptr& self, merge_batch& batch, std::size_t place) noexcept {
    launcher out(*this, self);
    const std::lock_guard lock(mutex_);
    release(batch.holds_[place], out.what);
}

void gather::shrink(merge_kind kind, std::size_t items) noexcept {
    const std::lock_guard lock(mutex_);
    lane_of(kind).core.shrink(items);
}

void gather::abandon(const self_ptr& self, merge_batch& batch) noexcept {
    launcher out(*this, self);
    const std::lock_guard lock(mutex_);
    batch.over_ = true;
    batch.strand_.reset();
    if (gone_) return;
    for (std::size_t i = 0; i != batch.keys_.size(); ++i)
        if (!batch.sharing_[i].empty()) rouse_all(batch, i, batch.abandoned(i), out.what.woken);
    for (write_hold& one : batch.holds_)
        release(one, out.what);
}

void gather::context_gone() noexcept {
    age_list waiting;
    {
        const std::lock_guard lock(mutex_);
        gone_ = true;
        executor_ = {};
        while (age_link* const link = waiting_.front()) {
            merge_waiter& who = merge_waiter::of(*link);
            unlink(who);
            if (who.handler_) waiting.push_back(who);
        }
        while (!held_.empty())
            held_.erase(held_.begin());
        reads_.pending.reset();
        writes_.pending.reset();
    }
    // Each handler owns the waiting coroutine and no other; it is destroyed without the lock.
    while (age_link* const link = waiting.pop_front()) {
        const auto ended = std::move(merge_waiter::of(*link).handler_);
    }
}

void gather::tick(const self_ptr& self) noexcept {
    launcher out(*this, self);
    const std::lock_guard lock(mutex_);
    if (gone_) return;
    const time_point now = time_->steady_now();
    while (age_link* const link = waiting_.front()) {
        merge_waiter& who = merge_waiter::of(*link);
        if (who.deadline_ > now) break;
        give_up(who, merge_wake::timeout);
        if (who.handler_) out.what.woken.push_back(who);
    }
    for (lane* each : {&reads_, &writes_})
        if (each->core.tick(now)) depart(*each, out.what);
}

void gather::ended(const self_ptr& self, merge_kind kind) noexcept {
    launcher out(*this, self);
    const std::lock_guard lock(mutex_);
    if (gone_) return;
    lane& in = lane_of(kind);
    if (in.core.ended()) depart(in, out.what);
}

std::shared_ptr<gather> gather_table::at(const asio::any_io_executor& executor,
                                         const dynamodb_backend_config& config) {
    const void* const context = &asio::query(executor, asio::execution::context);
    const std::lock_guard lock(mutex_);
    for (const auto& [known, one] : gathers_)
        if (known == context && !one->is_gone()) return one;
    std::erase_if(gathers_, [](const auto& entry) { return entry.second->is_gone(); });
    auto made = gather::make(net::innermost(executor), config);
    gathers_.emplace_back(context, made);
    return made;
}

} // namespace codynamo::detail
