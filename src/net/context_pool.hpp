// SPDX-License-Identifier: BSL-1.0
// The connections of one execution context: pool_core under a mutex, and the sweep that ends what
// is overdue.
#pragma once

#include "net/connection.hpp"
#include "net/pool_core.hpp"
#include "net/proxy.hpp"
#include "net/resolution.hpp"

#include <codynamo/environment.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace codynamo::net {

/// What all pools of a transport share.
struct transport_settings {
    origin server;
    pool_config config;
    std::shared_ptr<tls_context> tls;
    environment env;
    network_config network; ///< without the proxy's URL
    std::optional<proxy_server> proxy;
    std::string name;       ///< of the server, for messages
    std::string proxy_name; ///< likewise
    struct {
        std::string host;
        std::uint16_t port;
    } target; ///< server or proxy, whichever is connected to

    /// Those who wait for a connection, in all contexts.
    std::unique_ptr<std::atomic<std::size_t>> waiting =
        std::make_unique<std::atomic<std::size_t>>(0);

    [[nodiscard]] steady_time now() const noexcept { return env.time->steady_now(); }
};

class context_pool;

/// The transport, as its pools see it. Called without the pool's lock.
class pool_owner {
public:
    virtual ~pool_owner() = default;
    /// A closed pool has no busy connection any more.
    virtual void drained() noexcept = 0;
    /// The context of the pool is being destroyed.
    virtual void gone(context_pool& pool) noexcept = 0;
};

/// One who waits for a connection or for the end of all; lives in his coroutine's frame.
struct pool_waiter : queued {
    unique_handler<wake> handler;
};

struct pool_counters {
    std::atomic<std::uint64_t> opened{0}, resumed{0}, reused{0}, replayed{0};
};

/// Thread-safe. Locks are held for O(1) (to wake many, for as many posts) and never while a
/// handler runs.
class context_pool : public std::enable_shared_from_this<context_pool> {
public:
    /// Ties the pool to the context of `executor`, which must be an innermost one.
    [[nodiscard]] static std::shared_ptr<context_pool>
    make(const boost::asio::any_io_executor& executor,
         std::shared_ptr<const transport_settings> settings, std::weak_ptr<pool_owner> owner);

    context_pool(const boost::asio::any_io_executor& executor,
                 std::shared_ptr<const transport_settings> settings,
                 std::weak_ptr<pool_owner> owner);
    ~context_pool();

    /// reuse, or open: `out` is borrowed, usable or not. Otherwise why not. `again`: after
    /// open_failed (see pool_core::readmit).
    [[nodiscard]] admission checkout(steady_time now, steady_time deadline, bool again,
                                     connection*& out);
    /// Completes the handler when a connection has been granted, or else says why not.
    void wait(pool_waiter& waiter, unique_handler<wake> handler, steady_time deadline);
    /// What those who come now would meet.
    [[nodiscard]] queue_state queue() const;
    /// Ends the wait, if it is not over, with wake::aborted.
    void cancel(pool_waiter& waiter) noexcept;
    /// For a frame that is destroyed: takes out of `waiter` what it holds.
    [[nodiscard]] connection* forsake(pool_waiter& waiter) noexcept;

    void give_back(connection& borrowed) noexcept;
    /// Closes a dead connection; another idle one, or the same, closed.
    [[nodiscard]] connection& replace(connection& dead, steady_time now);
    /// The connection could not be opened: closes it. True when its borrower has to check out
    /// again, and wait for another one; see pool_core::open_failed.
    [[nodiscard]] bool open_failed(connection& borrowed, steady_time now) noexcept;
    /// As set_deadline, around an attempt to open the connection.
    [[nodiscard]] bool set_opening(connection& borrowed, steady_time now, steady_time deadline);
    [[nodiscard]] bool set_opened(connection& borrowed, steady_time now, steady_time deadline);
    /// False when the connection has been cut already.
    [[nodiscard]] bool set_deadline(connection& borrowed, steady_time now, steady_time deadline);

    [[nodiscard]] std::shared_ptr<resolution> resolve();
    void note_connect_error(std::string message);
    [[nodiscard]] std::string last_connect_error() const;

    /// Refuses and fails exchanges, closes what is idle.
    void close() noexcept;
    /// Closed, and no exchange on the wire; or none that could end, because the io_context has been
    /// stopped.
    [[nodiscard]] bool is_drained() const;
    /// Completes the handler when the owner says so by wake_closers.
    void wait_for_close(pool_waiter& waiter, unique_handler<wake> handler);
    void cancel_close(pool_waiter& waiter) noexcept;
    void wake_closers() noexcept;

    /// In the child of a fork: forgets the connections, which are the parent's, and ends their
    /// users and waiters with wake::forked. A second call does nothing.
    void leave_parent() noexcept;
    /// The context dies: lets go of everything that lives in it.
    void shutdown() noexcept;
    /// The transport dies: nobody is using the pool.
    void drop() noexcept;

    void add_to(transport_stats& sum) const;
    pool_counters counters;

private:
    void arm(steady_time now, steady_time deadline);
    void publish_waiting() noexcept;
    steady_time grow(steady_time now) noexcept;
    [[nodiscard]] connection* new_connection() const;
    [[nodiscard]] bool arm_deadline(connection& borrowed, steady_time now, steady_time deadline);
    void cancel_timer_if_unused();
    void sweep(std::uint64_t generation) noexcept;
    void destroy(pool_core::doomed& what) noexcept;
    void fail_waiting(wake why);
    void drop_inherited(pool_core::doomed& idle) noexcept;
    void refuse_late(steady_time now) noexcept;
    void let_go(node_list<queued>& waiting) noexcept;

    const std::shared_ptr<const transport_settings> settings_;
    const std::weak_ptr<pool_owner> owner_;

    mutable std::mutex mutex_;
    pool_core core_;
    node_list<queued> closers_;
    boost::asio::any_io_executor executor_;
    std::optional<boost::asio::steady_timer> timer_; // empty: the context is gone
    std::shared_ptr<resolution> resolution_, given_up_;
    std::string last_connect_error_;
    std::size_t published_waiting_ = 0;
    unsigned forks_ = codynamo::detail::fork_count();
    steady_time next_sweep_ = steady_time::max();
    std::uint64_t generation_ = 0; // of the armed sweep
    bool armed_ = false;
};

} // namespace codynamo::net
