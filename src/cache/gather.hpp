// SPDX-License-Identifier: BSL-1.0
// Gets and writes of one execution context that wait for company: batch_core under a mutex, those
// who wait, the batches that fly for them, and the sweep that ends what takes too long.
#pragma once

#include "aws/context_guest.hpp"
#include "cache/batch_core.hpp"
#include "cache/dynamodb_batch.hpp"
#include "cache/key_list.hpp"
#include "net/pool_core.hpp"
#include "net/unique_handler.hpp"

#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/strand.hpp>
#include <boost/intrusive/set.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::detail {

class gather;
class merge_waiter;
class merge_batch;

enum class merge_kind { read, write };

/// A request that counts as under way for as long as somebody holds this.
struct airborne;

/// How a wait ends.
enum class merge_wake {
    alone,    ///< send it yourself
    answered, ///< the batch knows
    timeout,
    aborted,
    no_memory,
};

/// In the list of all who wait, the oldest first.
struct age_link {
    age_link* prev = nullptr;
    age_link* next = nullptr;
};
/// In the list of those who wait for the same key.
struct share_link {
    share_link* prev = nullptr;
    share_link* next = nullptr;
};
using share_list = net::node_list<share_link>;

/// A key that is being written, and those who wait until that is over.
struct write_hold : boost::intrusive::set_base_hook<> {
    std::string_view key{};
    share_list behind{};
    friend bool operator<(const write_hold& a, const write_hold& b) noexcept {
        return a.key < b.key;
    }
};

/// One who may have to wait; lives in his coroutine's frame, and leaves with it. Between enter()
/// and the end of the frame he counts: as one who waits, or as a request under way.
class merge_waiter : age_link, share_link {
public:
    using self_ptr = std::shared_ptr<dynamodb_backend::core>;
    using time_point = std::chrono::steady_clock::time_point;

    merge_waiter() noexcept = default;
    merge_waiter(const merge_waiter&) = delete;
    merge_waiter& operator=(const merge_waiter&) = delete;
    ~merge_waiter();

    /// Asks to be sent. `self` and `key` must outlive the waiter. Afterwards waits() says whether
    /// wait() is to be awaited, or the request goes alone. Who may not be merged waits for earlier
    /// writes of his key only.
    void enter(const self_ptr& self, std::shared_ptr<gather> where, merge_kind kind,
               std::string_view key, std::size_t bytes = 0, bool may_merge = true);
    [[nodiscard]] bool waits() const noexcept { return must_wait_; }

    /// Awaitable, once; the result is a merge_wake. All types of cancellation end the wait. Call
    /// resumed() at once afterwards.
    [[nodiscard]] auto wait();
    void resumed() noexcept {
        if (slot_.is_connected()) slot_.clear(); // what it would call is about to go
    }

    /// After merge_wake::alone: the time that is left, as the timeout of a call.
    [[nodiscard]] std::chrono::milliseconds time_left() const;
    /// After the wait: whether the batch had been sent.
    [[nodiscard]] bool was_sent() const noexcept;

protected:
    // Valid after merge_wake::answered.
    [[nodiscard]] merge_batch& batch() const noexcept { return *batch_; }
    [[nodiscard]] std::size_t place() const noexcept { return place_; }
    /// Whether nobody else reads the outcome of this key.
    [[nodiscard]] bool is_sole() const noexcept { return sole_; }

private:
    friend class gather;
    friend class merge_batch;
    friend class net::node_list<age_link>;
    friend class net::node_list<share_link>;

    enum class state {
        outside,
        waiting, ///< in the list of all who wait, and in `list_`
        woken,
        alone, ///< counts as a request under way
        dying, ///< as waiting, but with its context
    };

    static merge_waiter& of(age_link& link) noexcept { return static_cast<merge_waiter&>(link); }
    static merge_waiter& of(share_link& link) noexcept { return static_cast<merge_waiter&>(link); }

    std::shared_ptr<gather> where_;
    const self_ptr* self_ = nullptr;
    std::string_view key_;
    std::size_t bytes_ = 0;
    std::shared_ptr<merge_batch> batch_;
    share_list* list_ = nullptr; ///< of its batch, or behind an earlier write
    net::unique_handler<merge_wake> handler_;
    boost::asio::cancellation_slot slot_;
    time_point deadline_{};
    std::size_t place_ = 0; ///< of the key in the batch
    write_hold hold_;       ///< of a write that goes alone
    merge_kind kind_ = merge_kind::read;
    state state_ = state::outside;
    merge_wake early_ = merge_wake::alone; ///< woken before it was parked
    bool may_merge_ = true;
    bool must_wait_ = false;
    bool home_ = false; ///< its executor is that of the gather
    bool sole_ = false;
};

/// What is gathered, and then sent as one request.
class merge_batch : public std::enable_shared_from_this<merge_batch> {
public:
    using self_ptr = merge_waiter::self_ptr;
    using time_point = merge_waiter::time_point;

    explicit merge_batch(merge_kind kind) noexcept : kind_(kind) {}
    virtual ~merge_batch() = default;

    [[nodiscard]] const key_list& keys() const noexcept { return keys_; }
    /// When the last of those who wait has to go.
    [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
    [[nodiscard]] bool has_departed() const noexcept { return departed_; }

protected:
    /// Takes over what those who wait have brought along; called once, under the lock.
    virtual void load() noexcept {}
    /// Sends it, and delivers. The batch and `where` outlive it.
    [[nodiscard]] virtual boost::asio::awaitable<void> fly(self_ptr self, gather& where,
                                                           std::shared_ptr<airborne> token) = 0;
    /// What becomes of a key when the flight ends without an outcome. Under the lock.
    [[nodiscard]] virtual merge_wake abandoned(std::size_t place) noexcept = 0;

    /// Of those who wait for a key the one who came last; null when nobody does. Under the lock.
    [[nodiscard]] merge_waiter* last_of(std::size_t place) const noexcept {
        share_link* const link = sharing_[place].back();
        return link ? &merge_waiter::of(*link) : nullptr;
    }

private:
    friend class gather;
    friend class merge_waiter;
    using strand = boost::asio::strand<boost::asio::any_io_executor>;

    const merge_kind kind_;
    key_list keys_;
    std::array<share_list, key_list::most> sharing_;
    std::array<write_hold, write_slice> holds_; ///< of writes
    std::size_t waiters_ = 0;
    time_point deadline_{};
    bool departed_ = false;
    bool over_ = false;
    std::optional<strand> strand_;          ///< where it flies
    boost::asio::cancellation_signal stop_; ///< used there only
    std::shared_ptr<merge_batch> next_;     ///< to be launched, too
};

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
    void rouse(merge_waiter& who, merge_wake why, age_list& woken) noexcept;
    void rouse_all(merge_batch& batch, std::size_t place, merge_wake why, age_list& woken) noexcept;
    [[nodiscard]] write_hold* find_hold(std::string_view key) noexcept;
    void hold(std::string_view key, write_hold& by) noexcept;
    void release(write_hold& hold, departures& out) noexcept;
    [[nodiscard]] time_point next_sweep(time_point now) const noexcept;

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
    age_list dying_;
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
