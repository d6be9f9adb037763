// SPDX-License-Identifier: BSL-1.0
// An Asio executor in time that passes only when nothing is left to do: one thread, every
// interleaving decided by a seed.
#pragma once

#include <codynamo/testing/seeded_random.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace codynamo::testing {

class virtual_process;

/// Time, chance and the order of events of one simulation. Everything runs in the thread that calls
/// step() or run(); nothing here is thread-safe. What is ready runs in an order that the seed
/// decides; when nothing is, the time moves on to the earliest sleeper. Equal seeds and equal
/// programs give equal runs, which trace_hash() tells. Must outlive its processes.
class virtual_world {
public:
    using steady_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;

    /// In which order ready handlers run. An io_context with one thread is `fifo`; whatever
    /// executors promise in general also holds in `random` order.
    enum class order { fifo, random };

    /// Why a sleeper wakes.
    enum class wake { due, notified, cancelled };

    explicit virtual_world(std::uint64_t seed = 1, order how = order::random)
        : seed_(seed), order_(how), random_(seed) {}
    virtual_world(const virtual_world&) = delete;
    virtual_world& operator=(const virtual_world&) = delete;

    [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
    [[nodiscard]] seeded_random& random() noexcept { return random_; }
    [[nodiscard]] steady_point now() const noexcept { return now_; }
    /// The true wall-clock time; clocks of processes may be off.
    [[nodiscard]] timestamp wall() const noexcept {
        return epoch + std::chrono::floor<std::chrono::microseconds>(now_ - start);
    }
    /// A number that grows by one with each call: what orders events of the same moment.
    [[nodiscard]] std::uint64_t tick() noexcept { return ++ticks_; }
    /// Handlers run so far: each is a resumption, so the suspension points passed.
    [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
    /// A digest of everything that happened: which process ran when, and what was noted.
    [[nodiscard]] std::uint64_t trace_hash() const noexcept { return trace_; }
    /// Adds something to the trace.
    void note(std::uint64_t what) noexcept {
        trace_ = (trace_ ^ what) * 0x100000001B3ULL;
        trace_ ^= trace_ >> 29U;
    }
    /// Handlers that could run now.
    [[nodiscard]] std::size_t ready() const noexcept { return ready_.size(); }
    /// Sleepers and waiters, those included that wait for no moment but for a notification.
    [[nodiscard]] std::size_t sleeping() const noexcept { return sleepers_.size(); }
    /// Whether a handler of this process runs now, and not the executor itself that it has called.
    [[nodiscard]] bool runs(const virtual_process& process) const noexcept {
        return running_ == &process && !in_executor_;
    }

    /// Runs one handler, first moving time on when none is ready. False when nothing is left that
    /// time alone could bring about. What the handler throws is thrown.
    bool step();
    /// Runs until nothing is left; false when `most` steps were not enough.
    bool run(std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
        for (std::uint64_t i = 0; i != most; ++i)
            if (!step()) return true;
        return false;
    }
    /// Runs until `done()`; false when nothing is left, or `most` steps were not enough.
    template <class Predicate>
    bool run_until(Predicate done, std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
        for (std::uint64_t i = 0; !done(); ++i)
            if (i == most || !step()) return false;
        return true;
    }

    /// 2023-11-14 22:13:20 UTC, where all worlds begin.
    static constexpr timestamp epoch{std::chrono::seconds{1'700'000'000}};

private:
    friend class virtual_process;
    friend class virtual_executor;
    friend class virtual_signal;

    /// Far from the clock's zero, so that subtracting a little is no surprise.
    static constexpr steady_point start{std::chrono::hours{1000}};

    struct task {
        explicit task(virtual_process* p) noexcept : owner(p) {}
        virtual ~task() = default;
        virtual void run() = 0;
        virtual_process* owner;
    };
    struct sleeper {
        explicit sleeper(virtual_process* p) noexcept : owner(p) {}
        virtual ~sleeper() = default;
        virtual void woken(wake why) = 0;
        virtual_process* owner;
    };
    using sleep_key = std::pair<steady_point, std::uint64_t>;

    /// While it lives, what is done is the executor's: see runs().
    class executor_guard {
    public:
        explicit executor_guard(virtual_world& world) noexcept
            : world_(world), before_(std::exchange(world.in_executor_, true)) {}
        executor_guard(const executor_guard&) = delete;
        executor_guard& operator=(const executor_guard&) = delete;
        ~executor_guard() { world_.in_executor_ = before_; }

    private:
        virtual_world& world_;
        const bool before_;
    };

    template <class Sleeper, class... Args>
    std::unique_ptr<Sleeper> make_sleeper(Args&&... args) {
        const executor_guard guard(*this);
        return std::make_unique<Sleeper>(std::forward<Args>(args)...);
    }
    sleep_key add(steady_point when, std::unique_ptr<sleeper> who) {
        const executor_guard guard(*this);
        const sleep_key key{std::max(when, now_), ++sleeps_};
        sleepers_.emplace(key, std::move(who));
        return key;
    }
    /// False when it no longer sleeps.
    bool wake_up(sleep_key key, wake why) {
        const auto found = sleepers_.find(key);
        if (found == sleepers_.end()) return false;
        const std::unique_ptr<sleeper> who = std::move(found->second);
        sleepers_.erase(found);
        who->woken(why);
        return true;
    }
    [[nodiscard]] bool advance();
    /// Destroys what the process has pending, and what that posts while it is destroyed.
    void drop(const virtual_process* whose);

    std::uint64_t seed_;
    order order_;
    seeded_random random_;
    steady_point now_ = start;
    std::deque<std::unique_ptr<task>> ready_;
    std::map<sleep_key, std::unique_ptr<sleeper>> sleepers_;
    const virtual_process* running_ = nullptr;
    bool in_executor_ = false;
    std::uint64_t sleeps_ = 0;
    std::uint64_t ticks_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t processes_ = 0;
    std::uint64_t trace_ = 0xCBF29CE484222325ULL;
};

/// The executor of a process; fits asio::any_io_executor. Cheap to copy; must not be used once its
/// process is destroyed.
class virtual_executor {
public:
    explicit virtual_executor(virtual_process& of) noexcept : process_(&of) {}

    template <class F>
    void execute(F&& f) const;

    [[nodiscard]] virtual_executor require(boost::asio::execution::blocking_t::never_t) const {
        return {process_, true};
    }
    [[nodiscard]] virtual_executor require(boost::asio::execution::blocking_t::possibly_t) const {
        return {process_, false};
    }
    [[nodiscard]] boost::asio::execution::blocking_t
    query(boost::asio::execution::blocking_t) const noexcept {
        using boost::asio::execution::blocking;
        return posts_ ? boost::asio::execution::blocking_t(blocking.never)
                      : boost::asio::execution::blocking_t(blocking.possibly);
    }
    [[nodiscard]] static constexpr boost::asio::execution::mapping_t
    query(boost::asio::execution::mapping_t) noexcept {
        return boost::asio::execution::mapping.thread;
    }
    [[nodiscard]] virtual_process& query(boost::asio::execution::context_t) const noexcept {
        return *process_;
    }

    friend bool operator==(const virtual_executor&, const virtual_executor&) noexcept = default;

private:
    virtual_executor(virtual_process* of, bool always_posts) noexcept
        : process_(of), posts_(always_posts) {}

    virtual_process* process_;
    bool posts_ = false;
};

/// Something that lives and dies as one: a client, a server. Its handlers, sleepers and strands are
/// destroyed by crash() or with it, as are those of a program that is killed.
class virtual_process : public boost::asio::execution_context {
public:
    using executor_type = virtual_executor;
    using steady_point = virtual_world::steady_point;

    explicit virtual_process(virtual_world& where) : world_(where), id_(++where.processes_) {}
    ~virtual_process() { crash(); }

    [[nodiscard]] executor_type get_executor() noexcept { return executor_type(*this); }
    [[nodiscard]] virtual_world& world() const noexcept { return world_; }
    /// 1 for the first process of a world.
    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
    [[nodiscard]] bool crashed() const noexcept { return crashed_; }

    /// Destroys everything pending without running it; nothing runs here afterwards. Not to be
    /// called from a handler of this process. Idempotent.
    void crash() {
        if (crashed_) return;
        crashed_ = true;
        world_.drop(this);
        shutdown(); // of strands
        world_.drop(this);
    }

    /// Runs `f` at `when`, unless the process has crashed by then.
    template <class F>
    void call_at(steady_point when, F f) {
        if (crashed_) return;
        world_.add(when, world_.make_sleeper<call<F>>(this, std::move(f)));
    }

private:
    friend class virtual_world;
    friend class virtual_executor;
    friend class virtual_signal;

    template <class F>
    struct job final : virtual_world::task {
        template <class G>
        job(virtual_process* of, G&& g) : task(of), f(std::forward<G>(g)) {}
        void run() override { std::move(f)(); }
        F f;
    };
    template <class F>
    struct call final : virtual_world::sleeper {
        call(virtual_process* of, F g) : sleeper(of), f(std::move(g)) {}
        void woken(virtual_world::wake) override { owner->push(std::move(f)); }
        F f;
    };

    template <class F>
    void push(F&& f) {
        if (crashed_) return;
        using stored = job<std::decay_t<F>>;
        const virtual_world::executor_guard guard(world_);
        world_.ready_.push_back(std::make_unique<stored>(this, std::forward<F>(f)));
    }

    virtual_world& world_;
    std::uint64_t id_;
    bool crashed_ = false;
};

template <class F>
void virtual_executor::execute(F&& f) const {
    if (!posts_ && process_->world_.running_ == process_) {
        auto taken = std::decay_t<F>(std::forward<F>(f));
        std::move(taken)();
        return;
    }
    process_->push(std::forward<F>(f));
}

/// One coroutine waits, somebody else wakes it. For one process; at most one may wait at a time.
/// Must outlive the wait.
class virtual_signal {
public:
    explicit virtual_signal(virtual_process& whose) noexcept
        : world_(&whose.world()), process_(&whose) {}

    /// To be awaited at once: completes with true when notify() came, or had come since the last
    /// wait, before `when`, and with false at `when`. Cancellation: all types; operation_aborted.
    [[nodiscard]] auto wait_until(virtual_world::steady_point when) {
        return boost::asio::async_initiate<const boost::asio::deferred_t&,
                                           void(boost::system::error_code, bool)>(
            launch{}, boost::asio::deferred, this, when);
    }
    void notify() {
        const auto key = std::exchange(waiting_, std::nullopt);
        notified_ = !key || !world_->wake_up(*key, wake::notified);
    }

private:
    using wake = virtual_world::wake;

    template <class Handler>
    struct waiter final : virtual_world::sleeper {
        waiter(virtual_process* of, Handler h) : sleeper(of), handler(std::move(h)) {}
        void woken(wake why) override {
            auto executor = boost::asio::get_associated_executor(handler, owner->get_executor());
            boost::asio::post(executor, [h = std::move(handler), why]() mutable {
                boost::system::error_code code;
                if (why == wake::cancelled) code = boost::asio::error::operation_aborted;
                std::move(h)(code, why == wake::notified);
            });
        }
        Handler handler;
    };
    struct launch {
        template <class Handler>
        void operator()(Handler handler, virtual_signal* self,
                        virtual_world::steady_point when) const {
            virtual_world& world = *self->world_;
            auto slot = boost::asio::get_associated_cancellation_slot(handler);
            const bool early = std::exchange(self->notified_, false);
            auto who = world.make_sleeper<waiter<Handler>>(self->process_, std::move(handler));
            if (early) return who->woken(wake::notified);
            const auto key = world.add(when, std::move(who));
            self->waiting_ = key;
            if (!slot.is_connected()) return;
            slot.assign([&world, key](boost::asio::cancellation_type type) {
                if (type != boost::asio::cancellation_type::none)
                    world.wake_up(key, wake::cancelled);
            });
        }
    };

    virtual_world* world_;
    virtual_process* process_; // may be gone when it is notified
    std::optional<virtual_world::sleep_key> waiting_{};
    bool notified_ = false;
};

inline bool virtual_world::advance() {
    if (sleepers_.empty()) return false;
    const steady_point when = sleepers_.begin()->first.first;
    if (when == steady_point::max()) return false; // they wait for somebody, not for time
    now_ = std::max(now_, when);
    while (!sleepers_.empty() && sleepers_.begin()->first.first <= now_)
        wake_up(sleepers_.begin()->first, wake::due);
    return true;
}

inline bool virtual_world::step() {
    while (ready_.empty())
        if (!advance()) return false;
    if (order_ == order::random && ready_.size() > 1) {
        const auto chosen = static_cast<std::ptrdiff_t>(random_.below(ready_.size()));
        std::swap(ready_.front(), *(ready_.begin() + chosen));
    }
    const std::unique_ptr<task> next = std::move(ready_.front());
    ready_.pop_front();
    ++steps_;
    note(next->owner->id());
    note(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    struct running_guard {
        virtual_world& world;
        ~running_guard() { world.running_ = nullptr; }
    };
    running_ = next->owner;
    const running_guard guard{*this};
    next->run();
    return true;
}

inline void virtual_world::drop(const virtual_process* whose) {
    for (;;) {
        std::vector<std::unique_ptr<task>> tasks;
        std::vector<std::unique_ptr<sleeper>> waiting;
        for (auto& one : ready_)
            if (one->owner == whose) tasks.push_back(std::move(one));
        std::erase(ready_, nullptr);
        for (auto at = sleepers_.begin(); at != sleepers_.end();) {
            const bool mine = at->second->owner == whose;
            if (mine) waiting.push_back(std::move(at->second));
            at = mine ? sleepers_.erase(at) : std::next(at);
        }
        if (tasks.empty() && waiting.empty()) return;
    }
}

} // namespace codynamo::testing
