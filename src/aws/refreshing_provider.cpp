// SPDX-License-Identifier: BSL-1.0
// One fetch for all who ask: who starts it, who waits for it, and who is told what.
#include "aws/refreshing_provider.hpp"

#include "aws/flight.hpp"
#include "aws/parked.hpp"
#include "aws/refresh_schedule.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws::detail {
namespace {

/// What fetch() of the source gave or threw.
asio::awaitable<fetch_outcome> fetch_from(std::shared_ptr<credential_source> source) {
    fetch_outcome got;
    try {
        credentials fresh = co_await source->fetch();
        got.found = std::make_shared<const credentials>(std::move(fresh));
    } catch (const not_configured& unset) {
        got.why = unset.as_failure();
        got.unset = true;
    } catch (const error& broken) {
        got.why = broken.as_failure();
    } catch (const std::exception& other) {
        got.why = make_failure(make_error_code(errc::no_credentials), other.what());
    }
    co_return got;
}

class core : public std::enable_shared_from_this<core> {
public:
    core(std::shared_ptr<credential_source> source, environment env, refresh_policy policy)
        : longest_stall(policy.longest_stall), source_(std::move(source)), env_(std::move(env)),
          schedule_(policy) {}

    const std::chrono::milliseconds longest_stall;

    [[nodiscard]] std::string_view name() const noexcept { return source_->name(); }

    [[nodiscard]] credentials_ptr current() const {
        const moment at = now();
        const std::lock_guard lock(mutex_);
        switch (schedule_.ask(at)) {
        case advice::use:
            return schedule_.known();
        case advice::use_and_refresh: // resolve() has to start a fetch
            return flight_ && flight_->under_way() ? schedule_.known() : nullptr;
        case advice::refresh:
            break;
        }
        return nullptr;
    }

    /// Either credentials or a flight to wait for.
    struct step {
        credentials_ptr ready;
        std::shared_ptr<flight> pending;
        std::shared_ptr<flight::probe> sign;
    };

    [[nodiscard]] step begin(const asio::any_io_executor& caller,
                             const std::shared_ptr<flight::probe>& overdue) {
        step next;
        std::shared_ptr<flight> started;
        std::shared_ptr<flight> given_up;
        const moment at = now();
        {
            const std::lock_guard lock(mutex_);
            const advice what = schedule_.ask(at);
            if (what != advice::refresh) next.ready = schedule_.known();
            if (what == advice::use) return next;
            flight::prospect seen;
            if (flight_) seen = flight_->judge(caller, at.steady, overdue);
            if (seen.good) {
                next.sign = std::move(seen.sign);
            } else {
                started = std::make_shared<flight>(caller, longest_stall);
                given_up = std::exchange(flight_, started);
            }
            next.pending = flight_;
        }
        if (given_up) given_up->land(wakeup::abandoned);
        if (started) {
            landing_promise promise(started); // first: others may wait for it already
            register_guest(caller, started);
            asio::co_spawn(caller, fly(shared_from_this(), std::move(promise)), asio::detached);
        }
        return next;
    }

    [[nodiscard]] credentials_ptr usable() const {
        const moment at = now();
        const std::lock_guard lock(mutex_);
        return schedule_.usable(at);
    }

    void invalidate(const credentials_ptr& refused) {
        const std::lock_guard lock(mutex_);
        schedule_.invalidate(refused);
    }

private:
    [[nodiscard]] moment now() const { return {env_.time->now(), env_.time->steady_now()}; }

    static asio::awaitable<void> fly(std::shared_ptr<core> self, landing_promise promise) {
        // The caller who starts it in the background does not run it.
        co_await asio::post(asio::deferred);
        fetch_outcome got = co_await fetch_from(self->source_);
        self->record(promise.whose(), got);
        promise.whose()->land(wakeup::done, std::move(got));
    }

    /// Takes what was fetched into the schedule, and may turn it into a failure.
    void record(const std::shared_ptr<flight>& which, fetch_outcome& got) {
        const double random = env_.random->uniform();
        const moment at = now();
        if (got.found && got.found->expires && *got.found->expires <= at.wall) {
            got.why = make_failure(make_error_code(errc::no_credentials),
                                   "the credentials have expired already");
        }
        bool goes_on = false;
        {
            const std::lock_guard lock(mutex_);
            if (flight_ != which) return; // given up, and another one has taken its place
            flight_.reset();
            if (got.found && !schedule_.fetched(got.found, at, random)) got.found.reset();
            if (!got.found) schedule_.failed(at, random);
            goes_on = schedule_.usable(at) != nullptr;
        }
        if (got.why.code && goes_on && env_.log.wants(log_level::warning)) {
            env_.log.write(log_level::warning,
                           "credentials could not be refreshed, going on with the present ones: " +
                               std::string(name()) + ": " + got.why.message());
        }
    }

    const std::shared_ptr<credential_source> source_;
    const environment env_;
    mutable std::mutex mutex_;
    refresh_schedule schedule_;
    std::shared_ptr<flight> flight_;
};

asio::awaitable<credentials_ptr> resolve_through(std::shared_ptr<core> self) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::shared_ptr<flight::probe> overdue;
    for (;;) {
        const core::step next = self->begin(executor, overdue);
        if (next.ready) co_return next.ready;
        const auto place = std::make_shared<parked>();
        std::optional<asio::steady_timer> watch;
        if (next.sign) {
            watch.emplace(executor, self->longest_stall);
            watch->async_wait([waits = std::weak_ptr(place)](boost::system::error_code ended) {
                const auto still = waits.lock();
                if (!ended && still) still->wake(wakeup::overdue);
            });
        }
        auto join = [pending = next.pending, place] { pending->join(place); };
        const wakeup why = co_await parked::wait(place, std::move(join));
        if (why == wakeup::aborted)
            throw boost::system::system_error(asio::error::operation_aborted);
        overdue = why == wakeup::overdue ? next.sign : nullptr;
        if (why != wakeup::done) continue;
        const fetch_outcome& got = next.pending->result();
        if (got.found) co_return got.found;
        if (auto still = self->usable()) co_return still;
        got.raise();
    }
}

class refreshing_provider final : public credentials_provider {
public:
    explicit refreshing_provider(std::shared_ptr<core> does) : core_(std::move(does)) {}
    [[nodiscard]] std::string_view name() const noexcept override { return core_->name(); }
    [[nodiscard]] credentials_ptr current() const override { return core_->current(); }
    [[nodiscard]] asio::awaitable<credentials_ptr> resolve() override {
        return resolve_through(core_);
    }
    void invalidate(const credentials_ptr& expired) override { core_->invalidate(expired); }

private:
    const std::shared_ptr<core> core_;
};

} // namespace

credentials_provider_ptr refreshing(std::shared_ptr<credential_source> source, environment env,
                                    refresh_policy policy) {
    return std::make_shared<refreshing_provider>(
        std::make_shared<core>(std::move(source), std::move(env), policy));
}

} // namespace codynamo::aws::detail
