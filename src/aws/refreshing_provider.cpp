// SPDX-License-Identifier: BSL-1.0
// One fetch for all who ask: who starts it, who waits for it, and who is told what.
#include "aws/refreshing_provider.hpp"

#include "aws/parked.hpp"
#include "aws/refresh_schedule.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;

namespace codynamo::aws::detail {
namespace {

using steady_time = std::chrono::steady_clock::time_point;

/// A context that has not run a handler for so long does not run.
constexpr std::chrono::seconds longest_stall{5};

/// What a fetch comes to.
struct outcome {
    credentials_ptr found;
    failure why;
    bool unset = false;

    /// Anew for each caller: an exception object is not shared between threads.
    [[noreturn]] void raise() const {
        if (unset) throw not_configured(why);
        throw error(why);
    }
};

bool same_context(const asio::any_io_executor& a, const asio::any_io_executor& b) {
    return &asio::query(a, asio::execution::context) == &asio::query(b, asio::execution::context);
}

/// One fetch on its way, and those who wait for it. Thread-safe.
class flight final : public context_guest, public std::enable_shared_from_this<flight> {
public:
    explicit flight(const asio::any_io_executor& where) : where_(where) {}

    /// Whether it is worth waiting for, in the eyes of a caller with this executor.
    [[nodiscard]] bool promising(const asio::any_io_executor& caller, steady_time now) {
        const std::lock_guard lock(mutex_);
        if (!where_) return false;
        if (same_context(*where_, caller)) return true;
        if (!probed_ || probed_->answered) {
            probed_ = std::make_shared<probe>(now);
            asio::post(*where_, [sent = probed_] { sent->answered = true; });
            return true;
        }
        return now - probed_->sent < longest_stall;
    }

    [[nodiscard]] bool under_way() const {
        const std::lock_guard lock(mutex_);
        return where_.has_value();
    }

    void join(const std::shared_ptr<parked>& who) {
        {
            const std::lock_guard lock(mutex_);
            if (where_) {
                waiting_.push_back(who);
                return;
            }
        }
        who->wake(end_);
    }

    /// The first call counts.
    void land(wakeup how, outcome with = {}) noexcept {
        std::vector<std::shared_ptr<parked>> woken;
        {
            const std::lock_guard lock(mutex_);
            if (!where_) return;
            where_.reset(); // may be a strand's, which must not outlive its context
            end_ = how;
            result_ = std::move(with);
            woken.swap(waiting_);
        }
        for (const auto& who : woken)
            who->wake(how);
    }

    void context_gone() noexcept override { land(wakeup::abandoned); }

    /// Valid for who was woken with wakeup::done.
    [[nodiscard]] const outcome& result() const noexcept { return result_; }

private:
    struct probe {
        explicit probe(steady_time now) : sent(now) {}
        steady_time sent;
        std::atomic<bool> answered = false;
    };

    mutable std::mutex mutex_;
    /// Empty when it is over.
    std::optional<asio::any_io_executor> where_;
    std::shared_ptr<probe> probed_;
    std::vector<std::shared_ptr<parked>> waiting_;
    wakeup end_ = wakeup::done;
    outcome result_;
};

/// Travels with the fetch, and tells those who wait when its coroutine is destroyed, be it before
/// its first step.
class landing_promise {
public:
    explicit landing_promise(std::shared_ptr<flight> whose) noexcept : whose_(std::move(whose)) {}
    landing_promise(landing_promise&&) noexcept = default;
    landing_promise& operator=(landing_promise&&) = delete;
    ~landing_promise() {
        if (whose_) whose_->land(wakeup::abandoned);
    }
    [[nodiscard]] const std::shared_ptr<flight>& whose() const noexcept { return whose_; }

private:
    std::shared_ptr<flight> whose_;
};

/// What fetch() of the source gave or threw.
asio::awaitable<outcome> fetch_from(std::shared_ptr<credential_source> source) {
    outcome got;
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
        : source_(std::move(source)), env_(std::move(env)), schedule_(policy) {}

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
    };

    [[nodiscard]] step begin(const asio::any_io_executor& caller) {
        step next;
        std::shared_ptr<flight> started;
        std::shared_ptr<flight> given_up;
        const moment at = now();
        {
            const std::lock_guard lock(mutex_);
            const advice what = schedule_.ask(at);
            if (what != advice::refresh) next.ready = schedule_.known();
            if (what == advice::use) return next;
            if (!flight_ || !flight_->promising(caller, at.steady)) {
                started = std::make_shared<flight>(caller);
                given_up = std::exchange(flight_, started);
            }
            next.pending = flight_;
        }
        if (given_up) given_up->land(wakeup::abandoned);
        if (started) {
            register_guest(caller, started);
            asio::co_spawn(caller, fly(shared_from_this(), landing_promise(started)),
                           asio::detached);
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
        outcome got = co_await fetch_from(self->source_);
        self->record(promise.whose(), got);
        promise.whose()->land(wakeup::done, std::move(got));
    }

    /// Takes what was fetched into the schedule, and may turn it into a failure.
    void record(const std::shared_ptr<flight>& which, outcome& got) {
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
    for (;;) {
        const core::step next = self->begin(executor);
        if (next.ready) co_return next.ready;
        const auto place = std::make_shared<parked>();
        auto join = [pending = next.pending, place] { pending->join(place); };
        const wakeup why = co_await parked::wait(place, std::move(join));
        if (why == wakeup::aborted)
            throw boost::system::system_error(asio::error::operation_aborted);
        if (why == wakeup::abandoned) continue;
        const outcome& got = next.pending->result();
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
