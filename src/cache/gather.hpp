// SPDX-License-Identifier: BSL-1.0
// Gets and writes of one execution context that wait for company: batch_core under a mutex, the
// lists of those who wait, and the sweep that ends what takes too long.
#pragma once

#include "aws/context_guest.hpp"
#include "cache/batch_core.hpp"
#include "cache/merge_waiter.hpp"
#include "net/pool_core.hpp"
#include "net/unique_handler.hpp"

#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/intrusive/set.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::detail {

/// Thread-safe. The lock is held for as long as it takes to go through one batch at most, and never
/// while a handler runs.
class gather final : public aws::detail::context_guest,
                     public std::enable_shared_from_this<gather> {
public:
    using self_ptr = merge_waiter::self_ptr;
    using time_point = merge_waiter::time_point;

    /// Ties it to the context of `executor`, which must be an innermost one.
    [[nodiscard]] static std::shared_ptr<gather> make(const boost::asio::any_io_executor& executor,
                                                      const dynamodb_backend_config& config);
    gather(const boost::asio::any_io_executor& executor, const dynamodb_backend_config& config);

    /// For batches in flight: wakes those who wait for these keys; how many those were.
    std::size_t deliver(merge_batch& batch, std::span<const std::size_t> places, merge_wake how,
                        const std::shared_ptr<airborne>& token);
    /// Whether anybody still waits for a key of the batch.
    [[nodiscard]] bool is_wanted(merge_batch& batch, std::size_t place) const;
    /// A write of the batch is over: the next ones of its key may go.
    void release(const self_ptr& self, merge_batch& batch, std::size_t place) noexcept;
    /// An answer to so many items was too large.
    void shrink(merge_kind kind, std::size_t items) noexcept;

    void context_gone() noexcept override;
    [[nodiscard]] bool is_gone() const noexcept { return gone_; }

private:
    friend class merge_waiter;
    friend struct airborne;
    using age_list = net::node_list<age_link>;

    struct lane {
        batch_core core;
        std::shared_ptr<merge_batch> pending{};
    };
    /// What is to be done once the lock has been released.
    struct departures {
        std::shared_ptr<merge_batch> batches{}; ///< linked by next_
        age_list woken{};                       ///< each with his reason in early_
        std::uint64_t sweep = 0;                ///< to be started; 0: none
    };
    class launcher;
    class flight_promise;

    lane& lane_of(merge_kind kind) noexcept { return kind == merge_kind::read ? reads_ : writes_; }

    void enter(merge_waiter& who);
    void leave(merge_waiter& who) noexcept;
    void park(merge_waiter& who, net::unique_handler<merge_wake> handler,
              const boost::asio::any_io_executor& executor);
    void cancel(merge_waiter& who) noexcept;

    // Under the lock:
    void admit(merge_waiter& who, time_point now, bool may_go_alone, departures& out);
    void join(lane& in, merge_waiter& who, time_point now);
    void depart(lane& from, departures& out) noexcept;
    void begin_waiting(merge_waiter& who, share_list& in) noexcept;
    /// Takes a waiter out of the lists.
    void unlink(merge_waiter& who) noexcept;
    /// One who gives up: what is not wanted any more is stopped.
    void give_up(merge_waiter& who, merge_wake why) noexcept;
    /// Cancels a batch in flight that has no waiters.
    static void stop(const std::shared_ptr<merge_batch>& batch) noexcept;
    void rouse(merge_waiter& who, merge_wake why, age_list& woken) noexcept;
    void rouse_all(merge_batch& batch, std::size_t place, merge_wake why, age_list& woken) noexcept;
    [[nodiscard]] write_hold* find_hold(std::string_view key) noexcept;
    void hold(std::string_view key, write_hold& by) noexcept;
    void release(write_hold& hold, departures& out) noexcept;
    [[nodiscard]] time_point next_sweep(time_point now) const noexcept;
    /// Another sweep when the one there is would look too late. A later one finds that it is not
    /// needed.
    void plan_sweep(time_point now, departures& out) noexcept;

    // Without the lock:
    void launch(const self_ptr& self, departures& what) noexcept;
    void launch_batch(const self_ptr& self, const std::shared_ptr<merge_batch>& what);
    void wake(age_list& woken, std::shared_ptr<airborne> token) noexcept;
    void ended(const self_ptr& self, merge_kind kind) noexcept;
    void end_alone(const self_ptr& self, merge_kind kind) noexcept;
    void abandon(const self_ptr& self, merge_batch& batch) noexcept;
    void start_sweep(const self_ptr& self, std::uint64_t which) noexcept;
    void tick(const self_ptr& self) noexcept;
    static boost::asio::awaitable<void> sweep(self_ptr self, std::shared_ptr<gather> what,
                                              std::uint64_t which);
    static boost::asio::awaitable<void> run(self_ptr self, flight_promise promise);

    const std::shared_ptr<const clock> time_;
    const std::chrono::milliseconds call_timeout_;
    mutable std::mutex mutex_;
    boost::asio::any_io_executor executor_;
    lane reads_;
    lane writes_;
    boost::intrusive::set<write_hold> held_; ///< keys being written
    age_list waiting_;
    /// When the sweep looks next; max: there is none.
    time_point sweep_at_ = time_point::max();
    std::uint64_t sweeps_ = 0;      ///< the number of the one that counts
    std::atomic<bool> gone_{false}; ///< the context is; set under the lock
};

/// An empty batch; see merged.cpp.
[[nodiscard]] std::shared_ptr<merge_batch> make_batch(merge_kind kind);

/// The gathers of a backend, one for each execution context. Thread-safe.
class gather_table {
public:
    [[nodiscard]] std::shared_ptr<gather> at(const boost::asio::any_io_executor& executor,
                                             const dynamodb_backend_config& config);

private:
    std::mutex mutex_;
    std::vector<std::pair<const void*, std::shared_ptr<gather>>> gathers_;
};

inline auto merge_waiter::wait() {
    namespace asio = boost::asio;
    return asio::async_initiate<const asio::deferred_t, void(merge_wake)>(
        [](auto handler, merge_waiter* self) {
            // The coroutine may run on, and this end, as soon as the gather has the handler: the
            // slot is set before, and the gather kept.
            const auto where = self->where_;
            const asio::any_io_executor executor = asio::get_associated_executor(handler);
            auto slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected()) {
                slot.assign([where, self](asio::cancellation_type type) {
                    if (type != asio::cancellation_type::none) where->cancel(*self);
                });
                self->slot_ = slot;
            }
            where->park(*self, net::unique_handler<merge_wake>(std::move(handler)), executor);
        },
        asio::deferred, this);
}

} // namespace codynamo::detail
