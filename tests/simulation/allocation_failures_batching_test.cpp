// SPDX-License-Identifier: BSL-1.0
// Each allocation of a get that joins a batch fails once: those who come later are served in time.
#include "allocation_failures.hpp"
#include "support/catch.hpp"
#include "unit/client/held_world.hpp"

#include <codynamo/detail/recycled.hpp>

#include <cstddef>
#include <new>

using namespace codynamo;
using namespace codynamo::test;
using namespace std::chrono_literals;

TEST_CASE("a sweep that no memory was there for is started by the next who waits") {
    batching_config merging;
    merging.mode = batching_mode::on;
    merging.max_delay = 2ms;
    std::size_t n = 1;
    for (bool happened = true; happened; ++n) {
        INFO("allocation " << n);
        held_world world(merging);
        const auto first = world.get("first"); // stays on the wire
        detail::free_kept_frames();            // so that coroutines allocate
        {
            const failing_allocation one(n);
            try {
                static_cast<void>(world.get("second"));
            } catch (const std::bad_alloc&) { // of what the test itself allocates
            }
            happened = one.happened();
        }
        world.settle();
        const auto third = world.get("third");
        world.pass(2ms);
        REQUIRE(world.wire->count() == 2);
        if (world.wire->operation(1) == "BatchGetItem")
            world.answer_batch(1);
        else
            world.answer(1, R"({"Item":{"key":{"S":"third"},"value":{"B":"dGhpcmQ="}}})");
        REQUIRE(third->code() == 0);
        CHECK((*third->value)->value == "third");
    }
    CHECK(n > 5);
}
