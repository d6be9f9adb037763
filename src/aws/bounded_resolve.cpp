// SPDX-License-Identifier: BSL-1.0
// A provider and a timer side by side on one strand.
#include "aws/bounded_resolve.hpp"

#include "aws/parked.hpp"
#include "aws/refresh_schedule.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws::detail {
namespace {

using strand = asio::strand<asio::any_io_executor>;

/// Owned by both branches. Touched on the strand only; what came of it is read once the waiting
/// coroutine has been woken.
class bounded_resolve : public std::enable_shared_from_this<bounded_resolve> {
public:
    bounded_resolve(strand home, credentials_provider_ptr provider,
                    std::shared_ptr<const clock> time, std::chrono::seconds most)
        : home_(std::move(home)), provider_(std::move(provider)), time_(std::move(time)),
          deadline_(time_->steady_now() + most) {}

    void start() {
        try {
            spawn();
        } catch (...) { // out of memory
            end(wakeup::done, std::current_exception());
        }
    }

    /// The first call counts. Cancels what still runs.
    void end(wakeup how, std::exception_ptr why) {
        if (over_) return;
        over_ = true;
        why_ = std::move(why);
        if (is_asking_) asking_.emit(asio::cancellation_type::terminal);
        if (is_patient_) patience_.emit(asio::cancellation_type::terminal);
        place->wake(how);
    }

    [[nodiscard]] const strand& home() const noexcept { return home_; }
    [[nodiscard]] credentials_ptr take() {
        if (why_) std::rethrow_exception(why_);
        return std::move(found_);
    }

    const std::shared_ptr<parked> place = std::make_shared<parked>();

private:
    void spawn() {
        if (over_) return;
        is_asking_ = true;
        asio::co_spawn(home_, ask(shared_from_this()),
                       asio::bind_cancellation_slot(
                           asking_.slot(), [self = shared_from_this()](std::exception_ptr failure) {
                               self->is_asking_ = false;
                               self->end(wakeup::done, std::move(failure));
                           }));
        if (over_) return;
        is_patient_ = true;
        asio::co_spawn(
            home_, be_patient(shared_from_this()),
            asio::bind_cancellation_slot(patience_.slot(),
                                         [self = shared_from_this()](std::exception_ptr failure) {
                                             self->is_patient_ = false;
                                             self->end(wakeup::abandoned, std::move(failure));
                                         }));
    }

    static asio::awaitable<void> ask(std::shared_ptr<bounded_resolve> self) {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        credentials_ptr found = co_await self->provider_->resolve();
        if (!self->over_) self->found_ = std::move(found);
    }

    static asio::awaitable<void> be_patient(std::shared_ptr<bounded_resolve> self) {
        // Most answers are a few turns of the executor away; a timer is not worth its price.
        constexpr int turns = 32;
        for (int n = 0; n != turns; ++n)
            co_await asio::post(asio::deferred);
        co_await self->time_->sleep_until(
            std::min(self->deadline_, self->time_->steady_now() + longest_hold));
        if (self->over_) co_return;
        self->found_ = self->provider_->valid();
        if (!self->found_) co_await self->time_->sleep_until(self->deadline_);
    }

    const strand home_;
    const credentials_provider_ptr provider_;
    const std::shared_ptr<const clock> time_;
    const std::chrono::steady_clock::time_point deadline_;
    asio::cancellation_signal asking_;
    asio::cancellation_signal patience_;
    bool is_asking_ = false;
    bool is_patient_ = false;
    bool over_ = false;
    credentials_ptr found_;
    std::exception_ptr why_;
};

} // namespace

asio::awaitable<credentials_ptr> resolve_within(std::chrono::seconds most,
                                                credentials_provider_ptr provider,
                                                std::shared_ptr<const clock> time) {
    strand home = asio::make_strand(co_await asio::this_coro::executor);
    const auto both = std::make_shared<bounded_resolve>(std::move(home), std::move(provider),
                                                        std::move(time), most);
    auto begin = [both] { asio::post(both->home(), [both] { both->start(); }); };
    const wakeup wait_result = co_await parked::wait(both->place, std::move(begin));
    if (wait_result == wakeup::aborted) {
        asio::post(both->home(), [both] { both->end(wakeup::aborted, nullptr); });
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    if (wait_result == wakeup::no_memory) throw std::bad_alloc();
    credentials_ptr found = both->take();
    if (wait_result == wakeup::abandoned && !found) {
        throw error(errc::no_credentials,
                    "no credentials within " + std::to_string(most.count()) + " s");
    }
    if (!found) throw error(errc::no_credentials, "no credentials");
    co_return found;
}

} // namespace codynamo::aws::detail
