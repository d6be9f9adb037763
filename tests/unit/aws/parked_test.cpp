// SPDX-License-Identifier: BSL-1.0
// Waiting coroutines at the end of their execution context.
#include "aws/child_process.hpp"
#include "aws/parked.hpp"
#include "unit/aws/fixtures.hpp"
#include "unit/aws/moody_executor.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

using namespace codynamo;
using namespace codynamo::aws::detail;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using testing_support::moods;
using testing_support::moody_executor;

namespace {

/// Tells that the coroutine it lives in has been destroyed.
struct witness {
    explicit witness(std::shared_ptr<std::atomic<bool>> flag) : gone(std::move(flag)) {}
    witness(const witness&) = delete;
    witness& operator=(const witness&) = delete;
    ~witness() { *gone = true; }
    std::shared_ptr<std::atomic<bool>> gone;
};

asio::awaitable<void> wait_at(std::shared_ptr<parked> place,
                              std::shared_ptr<std::atomic<bool>> gone) {
    const witness local(gone);
    (void)co_await parked::wait(place, [] {});
}

/// Wakes somebody while its context is being destroyed.
class last_moment : public asio::execution_context::service {
public:
    using key_type = last_moment;
    static inline asio::execution_context::id id;
    explicit last_moment(asio::execution_context& context)
        : asio::execution_context::service(context) {}

    std::shared_ptr<parked> whom;
    std::shared_ptr<std::atomic<bool>> gone;
    bool* destroyed_at_once = nullptr;

private:
    void shutdown() override {
        if (!whom) return; // io_context calls this twice in newer releases of Boost
        whom->wake(wakeup::done);
        *destroyed_at_once = *gone;
        whom.reset();
    }
};

/// Tells which thread destroyed the coroutine it lives in.
struct teller {
    explicit teller(std::promise<std::thread::id> out) : where(std::move(out)) {}
    teller(const teller&) = delete;
    teller& operator=(const teller&) = delete;
    ~teller() { where.set_value(std::this_thread::get_id()); }
    std::promise<std::thread::id> where;
};

asio::awaitable<void> run_a_child(std::promise<std::thread::id> out, std::shared_ptr<moods> mood) {
    const teller last(std::move(out));
    const auto child = std::make_unique<child_process>("sleep 0.1", 5s);
    const auto place = std::make_shared<parked>();
    auto start = [what = child.get(), place, mood] {
        mood->drops = true;
        what->start(place);
    };
    (void)co_await parked::wait(place, std::move(start));
}

} // namespace

TEST_CASE("a wakeup never destroys a coroutine on a strand of a context that is going") {
    auto context = std::make_unique<asio::io_context>();
    bool destroyed_at_once = false;
    const auto gone = std::make_shared<std::atomic<bool>>(false);
    const auto early = std::make_shared<std::atomic<bool>>(false);
    // The first guest comes before the first strand, whose service would be shut down before.
    asio::co_spawn(*context, wait_at(std::make_shared<parked>(), early), asio::detached);
    context->poll();
    auto& moment = asio::use_service<last_moment>(*context);
    moment.whom = std::make_shared<parked>();
    moment.gone = gone;
    moment.destroyed_at_once = &destroyed_at_once;
    asio::co_spawn(asio::make_strand(*context), wait_at(moment.whom, gone), asio::detached);
    context->restart();
    context->poll();
    REQUIRE_FALSE(*gone);
    context.reset();
    CHECK(*gone);
    CHECK(*early);
    CHECK_FALSE(destroyed_at_once);
}

TEST_CASE("a wait whose beginning fails ends for lack of memory") {
    asio::io_context context;
    wakeup why = wakeup::done;
    asio::co_spawn(
        context,
        [](wakeup& out) -> asio::awaitable<void> {
            out = co_await parked::wait(std::make_shared<parked>(), [] { throw std::bad_alloc(); });
        }(why),
        asio::detached);
    context.run();
    CHECK(why == wakeup::no_memory);
}

TEST_CASE("a child may be destroyed by its own thread") {
    const auto mood = std::make_shared<moods>();
    asio::io_context context;
    const moody_executor<> executor(context.get_executor(), mood);
    std::promise<std::thread::id> gone;
    auto destroyed_by = gone.get_future();
    asio::co_spawn(asio::any_io_executor(executor), run_a_child(std::move(gone), mood),
                   asio::detached);
    context.poll();
    REQUIRE(destroyed_by.wait_for(10s) == std::future_status::ready);
    CHECK(destroyed_by.get() != std::this_thread::get_id());
}
