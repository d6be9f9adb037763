// SPDX-License-Identifier: BSL-1.0
// One fetch for all who ask: who starts it, who waits for it, and who is told what.
#include "aws/refreshing_provider.hpp"

#include "aws/credential_documents.hpp"
#include "aws/flight.hpp"
#include "aws/parked.hpp"
#include "aws/refresh_schedule.hpp"
#include "aws/source_memory.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <exception>
#include <mutex>
#include <new>
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
    } catch (const std::bad_alloc&) {
        got.out_of_memory = true;
    } catch (const std::exception& other) {
        got.why = make_failure(make_error_code(errc::no_credentials), other.what());
    }
    co_return got;
}

class core : public std::enable_shared_from_this<core> {
public:
    core(std::shared_ptr<credential_source> source, environment env, refresh_policy policy,
         std::shared_ptr<source_memory> memory)
        : longest_stall(policy.longest_stall), source_(std::move(source)), env_(std::move(env)),
          memory_(memory ? std::move(memory) : std::make_shared<source_memory>()),
          schedule_(policy) {}

    const std::chrono::milliseconds longest_stall;

    [[nodiscard]] std::string_view name() const noexcept { return source_->name(); }

    [[nodiscard]] credentials_ptr current() const {
        const moment at = now();
        const std::lock_guard lock(mutex_);
        const advice decision = schedule_.ask(at);
        if (decision == advice::use) return schedule_.known();
        // A flight that is neither young nor old: resolve() starts the first one, and looks whether
        // the context of an old one still runs.
        const auto age = flight_ ? flight_->age(at.steady) : std::chrono::nanoseconds(0);
        const bool is_flying = flight_ && flight_->under_way() && age < longest_stall;
        if (decision == advice::use_and_refresh && is_flying) return schedule_.known();
        if (decision == advice::refresh && is_flying && age >= longest_hold)
            return schedule_.usable(at);
        return nullptr;
    }

    /// Credentials, a failure, or a flight to wait for.
    struct step {
        credentials_ptr ready;
        std::optional<fetch_outcome> failed;
        std::shared_ptr<flight> pending;
        std::shared_ptr<flight::probe> sign;
    };

    [[nodiscard]] step begin(const asio::any_io_executor& caller,
                             const std::shared_ptr<flight::probe>& overdue) {
        step next;
        std::shared_ptr<flight> started;
        std::shared_ptr<flight> given_up;
        std::shared_ptr<flight::stop_signal> stop;
        std::optional<asio::any_io_executor> home;
        const moment at = now();
        {
            const std::lock_guard lock(mutex_);
            const advice decision = schedule_.ask(at);
            if (decision == advice::refuse && last_failure_) {
                next.failed = last_failure_;
                return next;
            }
            if (decision == advice::use || decision == advice::use_and_refresh)
                next.ready = schedule_.known();
            else if (flight_ && flight_->age(at.steady) >= longest_hold)
                next.ready = schedule_.usable(at);
            if (decision == advice::use) return next;
            flight::prospect seen;
            if (flight_) seen = flight_->judge(caller, at.steady, overdue);
            if (seen.good) {
                next.sign = std::move(seen.sign);
            } else {
                stop = std::make_shared<flight::stop_signal>();
                // A strand: the fetch may be cancelled from another thread.
                home.emplace(asio::make_strand(caller));
                started = std::make_shared<flight>(*home, at.steady, longest_stall, stop);
                given_up = std::exchange(flight_, started);
            }
            next.pending = flight_;
        }
        if (given_up) given_up->land(wakeup::abandoned);
        if (started) start(*home, started, std::move(stop));
        return next;
    }

    [[nodiscard]] credentials_ptr usable() const {
        const moment at = now();
        const std::lock_guard lock(mutex_);
        return schedule_.usable(at);
    }

    /// For a call that does not wait any longer.
    [[nodiscard]] credentials_ptr valid() const {
        const moment at = now();
        credentials_ptr present;
        bool reports = false;
        {
            const std::lock_guard lock(mutex_);
            present = schedule_.usable(at);
            reports = present && flight_ && flight_->is_first_report();
        }
        if (reports) warn("credentials are not renewed yet", *present, {});
        return present;
    }

    [[nodiscard]] std::string describe() const {
        const moment at = now();
        credentials_ptr last;
        {
            const std::lock_guard lock(mutex_);
            last = schedule_.known();
        }
        std::string place = memory_->server();
        if (last && last->expires) {
            if (!place.empty()) place += "; ";
            place +=
                *last->expires > at.wall ? "credentials valid until " : "credentials expired at ";
            place += format_rfc3339(*last->expires);
        }
        return std::string(name()) + (place.empty() ? "" : " (" + place + ")");
    }

    void invalidate(const credentials_ptr& refused) {
        const std::lock_guard lock(mutex_);
        schedule_.invalidate(refused);
    }

    void abandon_renewal() {
        std::shared_ptr<flight> ended;
        {
            const std::lock_guard lock(mutex_);
            ended = std::exchange(flight_, nullptr);
        }
        if (ended) ended->cancel();
        source_->abandon_renewal();
    }

    void set_clock_offset(std::chrono::microseconds ahead) {
        memory_->skew()->set(ahead);
        source_->set_clock_offset(ahead);
    }

private:
    [[nodiscard]] moment now() const {
        const timestamp wall = env_.time->now();
        return {wall, wall - memory_->skew()->offset(), env_.time->steady_now(),
                memory_->skew()->is_known()};
    }

    void start(const asio::any_io_executor& home, const std::shared_ptr<flight>& started,
               std::shared_ptr<flight::stop_signal> stop) {
        landing_promise promise(started); // first: others may wait for it already
        // What a strand could not start is kept by it, promise and all, until its context goes.
        struct unless_started {
            flight* which;
            ~unless_started() {
                if (which) which->land(wakeup::abandoned);
            }
        } guard{started.get()};
        register_guest(home, started);
        const auto slot = stop->slot();
        asio::co_spawn(home, fly(shared_from_this(), std::move(promise)),
                       asio::bind_cancellation_slot(
                           slot, [stop = std::move(stop)](const std::exception_ptr&) {}));
        guard.which = nullptr;
    }

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
        if (got.found && got.found->expires && *got.found->expires <= at.wall)
            got.why = make_failure(make_error_code(errc::no_credentials), expired(*got.found, at));
        credentials_ptr present;
        {
            const std::lock_guard lock(mutex_);
            if (flight_ != which) return; // given up, and another one has taken its place
            flight_.reset();
            if (got.out_of_memory) return; // the next call fetches again at once
            if (got.found && !schedule_.fetched(got.found, at, random)) got.found.reset();
            if (!got.found && !got.unset) schedule_.failed(at, random);
            present = schedule_.usable(at);
            last_failure_.reset();
            if (!present && !got.unset) last_failure_ = got;
        }
        if (got.why.code && present)
            warn("credentials could not be refreshed", *present, got.why.message());
    }

    [[nodiscard]] std::string expired(const credentials& arrived, const moment& at) const {
        const auto late = std::chrono::ceil<std::chrono::seconds>(at.wall - *arrived.expires);
        const auto ahead = std::chrono::round<std::chrono::seconds>(memory_->skew()->offset());
        std::string text = "the credentials expired at " + format_rfc3339(*arrived.expires) + ", " +
                           std::to_string(late.count()) + " s before they were received";
        if (ahead.count() != 0)
            text += " by the clock of the service, which is " + std::to_string(ahead.count()) +
                    " s ahead of this machine's";
        return text + "; check this machine's clock, and whether " + std::string(name()) +
               " returns old credentials";
    }

    void warn(const std::string& event, const credentials& present,
              const std::string& reason) const {
        if (!env_.log.wants(log_level::warning)) return;
        std::string line = event + ", using the present ones";
        if (present.expires) line += " (they expire at " + format_rfc3339(*present.expires) + ")";
        line += ": " + std::string(name());
        const std::string place = memory_->server();
        if (reason.empty() && !place.empty()) line += " at " + place + " has not answered";
        if (reason.empty() && place.empty()) line += " has not answered";
        if (!reason.empty()) line += ": " + reason;
        env_.log.write(log_level::warning, line);
    }

    const std::shared_ptr<credential_source> source_;
    const environment env_;
    const std::shared_ptr<source_memory> memory_;
    mutable std::mutex mutex_;
    refresh_schedule schedule_;
    std::shared_ptr<flight> flight_;
    /// The result of calls that come before the next attempt is due.
    std::optional<fetch_outcome> last_failure_;
};

asio::awaitable<credentials_ptr> resolve_through(std::shared_ptr<core> self) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::shared_ptr<flight::probe> overdue;
    for (;;) {
        const core::step next = self->begin(executor, overdue);
        if (next.ready) co_return next.ready;
        if (next.failed) next.failed->raise();
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
        const wakeup wait_result = co_await parked::wait(place, std::move(join));
        if (wait_result == wakeup::aborted)
            throw boost::system::system_error(asio::error::operation_aborted);
        if (wait_result == wakeup::no_memory) throw std::bad_alloc();
        overdue = wait_result == wakeup::overdue ? next.sign : nullptr;
        if (wait_result != wakeup::done) continue;
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
    [[nodiscard]] credentials_ptr valid() const override { return core_->valid(); }
    [[nodiscard]] std::string describe() const override { return core_->describe(); }
    void abandon_renewal() override { core_->abandon_renewal(); }
    void set_clock_offset(std::chrono::microseconds ahead) override {
        core_->set_clock_offset(ahead);
    }

private:
    const std::shared_ptr<core> core_;
};

} // namespace

credentials_provider_ptr refreshing(std::shared_ptr<credential_source> source, environment env,
                                    refresh_policy policy, std::shared_ptr<source_memory> memory) {
    return std::make_shared<refreshing_provider>(
        std::make_shared<core>(std::move(source), std::move(env), policy, std::move(memory)));
}

} // namespace codynamo::aws::detail
