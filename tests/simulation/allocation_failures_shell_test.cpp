// SPDX-License-Identifier: BSL-1.0
// Each allocation that the library makes while an operation of the cache runs fails once. The
// operation ends exactly once: with std::bad_alloc, with an error, or as if nothing had happened.
// Afterwards nothing is under way, nothing has leaked, and the next operations succeed and tell
// what the table has.
//
// What fails are calls of operator new by code of the client: not those of the simulated server,
// not those of the virtual executor, which stands for an io_context, and not those of Asio's
// handlers and coroutine frames, which come from std::aligned_alloc or from free lists of Asio's
// own. Nothing can be promised when those fail: a handler that cannot be posted is lost. Where Asio
// fails on behalf of the client, std::bad_alloc may also come out of run(); then it is called
// again, and nothing is lost.
#include "allocation_failures.hpp"
#include "scripts.hpp"
#include "strand_allocations.hpp"
#include "support/catch.hpp"

#include <codynamo/detail/recycled.hpp>
#include <codynamo/error.hpp>

#include <boost/asio/co_spawn.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

using namespace codynamo;
using namespace codynamo::test;
using extent = failing_allocation::extent;
using testing::simulated_fault;

namespace {

constexpr std::uint64_t most_steps = 1'000'000;
constexpr std::size_t always_failed = 300; ///< the first of an operation; of later ones, samples

/// Whether what Asio's executors allocate by operator new fails, too.
enum class executors { fail, never_fail };

/// Tells which allocations are made by the client, less those of Asio's executors that end the
/// program (strand_allocations.hpp; see unique_handler::post()).
class client_allocations {
public:
    client_allocations(script& of, executors how) noexcept : operation_(of), executors_(how) {}

    static bool is_one(void* self, std::size_t bytes) noexcept {
        return static_cast<client_allocations*>(self)->is_counted(bytes);
    }

private:
    bool is_counted(std::size_t bytes) noexcept {
        if (!operation_.world().runs(operation_.process())) return false;
        if (strands_.is_fatal(bytes)) return false;
        return executors_ == executors::fail || !is_for_executor(bytes);
    }

    script& operation_;
    const executors executors_;
    strand_allocations strands_;
};

/// How an operation ended.
struct ending {
    int times = 0;
    std::exception_ptr thrown;

    [[nodiscard]] bool is_promised() const {
        if (!thrown) return true;
        try {
            std::rethrow_exception(thrown);
        } catch (const std::bad_alloc&) {
            return true;
        } catch (const boost::system::system_error&) {
            return true;
        } catch (...) {
            return false;
        }
    }
};

std::size_t escaped = 0; ///< failures that came out of run()

/// Runs it with the n-th allocation failing; whether there were so many.
bool fail_allocation(const script::setup& setup, extent how_many, std::size_t n,
                     std::vector<std::string>& wrong) {
    const auto operation = std::make_unique<script>(setup);
    ending end;
    boost::asio::co_spawn(operation->process(), operation->run(), [&](std::exception_ptr thrown) {
        ++end.times;
        end.thrown = std::move(thrown);
    });
    detail::free_kept_frames(); // so that coroutines allocate
    bool happened = false;
    const bool posts_must_not_fail =
        setup.batching != batching_mode::off || how_many == extent::all_from_there;
    client_allocations allocations(*operation,
                                   posts_must_not_fail ? executors::never_fail : executors::fail);
    {
        const failing_allocation one(n, client_allocations::is_one, &allocations, how_many);
        try {
            operation->world().run(most_steps);
        } catch (const std::bad_alloc&) {
            ++escaped;
        }
        happened = one.happened();
    }
    // What came out of run() is no reason not to run again.
    if (!operation->world().run(most_steps)) wrong.emplace_back("it goes on for ever");
    if (end.times != 1) wrong.push_back("it ended " + std::to_string(end.times) + " times");
    if (!end.is_promised()) wrong.emplace_back("it threw what is no error");
    end.thrown = nullptr;
    for (std::string& sentence : operation->check())
        wrong.push_back(std::move(sentence));
    return happened;
}

std::size_t next_after(std::size_t n) {
    return n < always_failed ? n + 1 : n + n / 16;
}

/// The number of allocations, about.
std::size_t fail_allocations(const script::setup& setup, extent how_many, std::size_t& replays) {
    static_cast<void>(std::make_unique<script>(setup)); // what is made once and kept is made now
    for (std::size_t n = 1;; n = next_after(n)) {
        const std::size_t before = live_allocations();
        bool happened = false;
        std::string all;
        {
            std::vector<std::string> wrong;
            happened = fail_allocation(setup, how_many, n, wrong);
            ++replays;
            for (const std::string& sentence : wrong)
                all += sentence + "; ";
        }
        all.shrink_to_fit();
        const bool leaked = live_allocations() != before + (all.size() > 15 ? 1 : 0);
        if (!all.empty() || leaked) {
            INFO("allocation " << n << (leaked ? ", which leaks" : ""));
            CHECK(all == "");
            CHECK_FALSE(leaked);
        }
        if (!happened) return n;
    }
}

void fail_all(batching_mode batching, const std::vector<simulated_fault>& faults,
              extent how_many = extent::one) {
    std::size_t replays = 0;
    for (const named_action& one : all_actions())
        for (const bool layered : {false, true}) {
            // Memory that is gone for good may keep a layer from dropping its old copy.
            if (layered && how_many == extent::all_from_there) continue;
            INFO(one.name << (layered ? ", layered" : ""));
            const std::size_t count = fail_allocations(
                {one.act, faults, layered, one.create, batching}, how_many, replays);
            CHECK(count > 5);
        }
    std::printf("%d operations, each with an allocation failing; %d failures came out of run()\n",
                static_cast<int>(replays), static_cast<int>(std::exchange(escaped, 0)));
}

} // namespace

TEST_CASE("every operation survives every failing allocation") {
    fail_all(batching_mode::off, {});
}

TEST_CASE("every operation that is batched survives every failing allocation") {
    fail_all(batching_mode::on, {});
}

TEST_CASE("every operation that is retried survives every failing allocation") {
    fail_all(GENERATE(batching_mode::off, batching_mode::on),
             {simulated_fault::request_reset, simulated_fault::failed_before});
}

TEST_CASE("every operation survives that all allocations fail from one on") {
    fail_all(GENERATE(batching_mode::off, batching_mode::on), {}, extent::all_from_there);
}
