// SPDX-License-Identifier: BSL-1.0
// One look-up of a name, shared by all who need it meanwhile; each may stop waiting.
#pragma once

#include "net/pool_core.hpp"
#include "net/unique_handler.hpp"
#include "net/wake.hpp"

#include <codynamo/net/transport.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace codynamo::net {

class resolution;

/// One who waits for a resolution; lives in his coroutine's frame.
class resolve_waiter final : public abandonable {
public:
    explicit resolve_waiter(std::shared_ptr<resolution> what) noexcept : what_(std::move(what)) {}
    ~resolve_waiter() { leave(); }
    resolve_waiter(const resolve_waiter&) = delete;
    resolve_waiter& operator=(const resolve_waiter&) = delete;

    void abandon(wake why) noexcept override;

private:
    friend class resolution;
    friend class node_list<resolve_waiter>;
    void leave() noexcept;

    resolve_waiter* prev = nullptr;
    resolve_waiter* next = nullptr;
    bool in_list_ = false;
    std::optional<wake> ended_; // before it began
    unique_handler<wake> handler_;
    std::shared_ptr<resolution> what_;
};

/// A look-up by the system goes on when nobody waits for it any more, and may be joined again; one
/// by the user's own resolver is given up then, or when it is joined late (see joinable()): it is
/// cancelled, and another takes its place. Until the cancelled one has returned, that other one is
/// kept as the system's are: a resolver that cannot be cancelled is not called again and again.
/// Thread-safe.
class resolution : public std::enable_shared_from_this<resolution> {
public:
    explicit resolution(const boost::asio::any_io_executor& executor);

    /// `how` empty: the system's resolver. Nothing is called before this returns.
    void start(steady_time now, const std::string& host, std::uint16_t port, const resolver& how);
    /// False when it is over, lost or given up. One by the user's own resolver that has taken
    /// `patience` is given up here, and those who wait for it are told to look anew: while each of
    /// them is relieved by the next before he leaves, nobody else would ever give up one that
    /// hangs.
    [[nodiscard]] bool joinable(steady_time now, steady_time::duration patience);
    /// Has the handler completed when the look-up is over. The slot of the handler is the caller's
    /// to set, before.
    void join(resolve_waiter& waiter, unique_handler<wake> handler);
    /// Ends the wait, if it is not over.
    void end(resolve_waiter& waiter, wake why) noexcept;
    /// Has `next` kept until this one has returned; false when it has, or was not given up.
    [[nodiscard]] bool precede(const std::shared_ptr<resolution>& next);
    /// The context dies: destroys the handlers.
    void drop() noexcept;

    /// Valid once done.
    [[nodiscard]] const boost::system::error_code& error() const noexcept { return error_; }
    /// Look it up anew.
    [[nodiscard]] bool given_up() const noexcept { return given_up_; }
    /// What went wrong, if error() says that something did.
    [[nodiscard]] const std::string& words() const noexcept { return words_; }
    [[nodiscard]] const std::vector<boost::asio::ip::tcp::endpoint>& endpoints() const noexcept {
        return endpoints_;
    }

private:
    friend class resolve_waiter;
    using endpoints_type = std::vector<boost::asio::ip::tcp::endpoint>;
    void ask_system(const std::string& host, std::uint16_t port);
    void ask(const resolver& how, const std::string& host, std::uint16_t port);
    void answered(std::exception_ptr failure, const std::vector<std::string>& addresses,
                  std::uint16_t port);
    template <class Finish>
    void finish_with(Finish with);
    void finish(boost::system::error_code ec, std::string words, endpoints_type found);
    /// Whether Asio has destroyed the system's handler without calling it: it does when it has no
    /// memory for the list of addresses, and std::bad_alloc comes out of run().
    [[nodiscard]] bool is_lost() const noexcept;
    [[nodiscard]] bool dispensable() const noexcept;
    void one_left();
    void give_up();
    void look_up_anew() noexcept;
    void wake_all() noexcept;
    void returned();

    mutable std::mutex mutex_;
    node_list<resolve_waiter> waiters_;
    boost::asio::any_io_executor executor_;
    struct system_query {};
    std::unique_ptr<boost::asio::ip::tcp::resolver> resolver_; // of the system; or else:
    std::weak_ptr<const system_query> system_query_;           // lives as long as its handler
    std::optional<boost::asio::strand<boost::asio::any_io_executor>> strand_;
    boost::asio::cancellation_signal cancel_; // used on strand_ only
    steady_time started_{};
    boost::system::error_code error_;
    std::string words_;
    endpoints_type endpoints_;
    bool done_ = false;
    bool given_up_ = false;
    bool returned_ = false; // the user's resolver has
    bool left_ = false;     // somebody has, and nobody is here
    bool keep_ = false;     // see precede()
    std::weak_ptr<resolution> next_;
};

} // namespace codynamo::net
