// SPDX-License-Identifier: BSL-1.0
// Connecting to the first of several addresses that answers: connect_schedule with sockets.
#pragma once

#include "net/connect_schedule.hpp"
#include "net/connection.hpp"
#include "net/growth_schedule.hpp"
#include "net/unique_handler.hpp"

#include <codynamo/environment.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace codynamo::net {

/// What is to be done, and how it went; lives in the coroutine's frame.
struct race_state {
    boost::asio::any_io_executor executor; ///< of the sockets
    std::vector<boost::asio::ip::tcp::endpoint> endpoints;
    std::chrono::steady_clock::duration head_start;
    std::shared_ptr<const clock> time;

    std::optional<boost::asio::ip::tcp::socket> winner; ///< not blocking, without Nagle's delay
    std::string reasons;                                ///< why the others did not win
    std::size_t shortages = 0;                          ///< of those: by a shortage
    shortage least = shortage::memory;                  ///< of these
};

/// Owned by its pending operations alone; it owns the coroutine that waits. So the end of the
/// context ends all of them. Its sockets complete on the context's own executor, on several threads
/// at once perhaps: everything is done under the mutex, and nobody else knows the sockets.
class connect_race : public std::enable_shared_from_this<connect_race> {
public:
    explicit connect_race(race_state& state);

    /// Who waits, before start().
    void set_handler(unique_handler<wake> handler) noexcept { handler_ = std::move(handler); }
    void start() noexcept;
    /// Ends the race from any thread, if it is not over.
    void end(wake why) noexcept;

private:
    void proceed() noexcept;
    void launch(std::size_t index) noexcept;
    void connect(std::size_t index);
    void failed(std::size_t index, const boost::system::error_code& ec) noexcept;
    void connected(std::size_t index, const boost::system::error_code& ec) noexcept;
    /// No code: no answer has come.
    void note(std::size_t index, const boost::system::error_code& ec) noexcept;
    void sleep_until(steady_time when, steady_time now) noexcept;
    void finish(wake why) noexcept;

    std::mutex mutex_;
    race_state* state_; // until done_
    unique_handler<wake> handler_;
    connect_schedule schedule_;
    std::vector<std::optional<boost::asio::ip::tcp::socket>> sockets_;
    boost::asio::steady_timer timer_;
    steady_time wakes_at_ = steady_time::max();
    bool done_ = false;
};

/// How the sweep reaches a race; lives in the coroutine's frame and never keeps the race alive.
class race_watch final : public abandonable {
public:
    explicit race_watch(connection& c) noexcept : connection_(c) {}
    ~race_watch() { (void)connection_.watch(nullptr); }
    race_watch(const race_watch&) = delete;
    race_watch& operator=(const race_watch&) = delete;

    void abandon(wake why) noexcept override {
        if (const auto race = race_.lock()) race->end(why);
    }
    /// False when the connection has been cut already.
    [[nodiscard]] bool begin(const std::shared_ptr<connect_race>& race) noexcept {
        race_ = race;
        return connection_.watch(this);
    }

private:
    connection& connection_;
    std::weak_ptr<connect_race> race_;
};

/// Awaitable; wake::granted when the race is over, with or without a winner. All types of
/// cancellation end it.
[[nodiscard]] inline auto run_race(std::shared_ptr<connect_race> race, race_watch& watch) {
    return boost::asio::async_initiate<const boost::asio::deferred_t, void(wake)>(
        // Not left in the frame of the coroutine, which the race owns.
        [](auto handler, std::shared_ptr<connect_race> self, race_watch* seen_by) {
            // The coroutine may run on, and all that it owns end, as soon as somebody can end the
            // race: its slot is set before, and it is not touched after.
            auto slot = boost::asio::get_associated_cancellation_slot(handler);
            self->set_handler(unique_handler<wake>(std::move(handler)));
            if (slot.is_connected())
                slot.assign([weak = std::weak_ptr(self)](boost::asio::cancellation_type) {
                    if (const auto alive = weak.lock()) alive->end(wake::aborted);
                });
            if (!seen_by->begin(self)) self->end(wake::timeout);
            self->start();
        },
        boost::asio::deferred, std::move(race), &watch);
}

} // namespace codynamo::net
