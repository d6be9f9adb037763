// SPDX-License-Identifier: BSL-1.0
// Frames that are kept for the next coroutine: which block, whose, and how many.
#include "support/catch.hpp"
#include "support/run.hpp"

#include <codynamo/detail/recycled.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace codynamo {

namespace asio = boost::asio;
using detail::give_frame;
using detail::take_frame;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool recycles = false;
#else
constexpr bool recycles = true;
#endif

/// What somebody who starts with no block of his own sees.
template <class What>
void in_new_thread(What what) {
    std::thread(what).join();
}

asio::awaitable<std::string> inner(std::string text, int depth, detail::recycled tag) {
    if (depth == 0 && text == "throw") throw std::runtime_error("inner");
    if (depth == 0) co_return text + "!";
    co_return co_await inner(std::move(text), depth - 1, tag);
}

asio::awaitable<std::string> ended_by(std::exception_ptr why, detail::recycled) {
    co_return detail::thrown{std::move(why)};
}

struct member {
    int value = 1;
    asio::awaitable<int> get(detail::recycled = detail::recycled()) { co_return value; }
};

} // namespace

TEST_CASE("the last block of a size is the next one of that size, in its thread") {
    bool same = false, smaller = true, larger = true, of_others = true;
    in_new_thread([&] {
        void* const block = take_frame(200);
        give_frame(block, 200);
        void* const tiny = take_frame(60);
        smaller = tiny == block;
        void* const huge = take_frame(5000);
        larger = huge == block;
        in_new_thread([&] {
            void* const elsewhere = take_frame(200);
            of_others = elsewhere == block;
            give_frame(elsewhere, 200);
        });
        void* const again = take_frame(193); // both take thirteen times 16 bytes
        same = again == block;
        give_frame(again, 193);
        give_frame(tiny, 60);
        give_frame(huge, 5000);
    });
    // Where frames are not recycled, the heap may or may not give the same block.
    CHECK((same || !recycles));
    CHECK_FALSE(smaller);
    CHECK_FALSE(larger);
    CHECK_FALSE(of_others);
}

TEST_CASE("a thread goes on with what it gave back, and with what another thread took") {
    // Leaks and double frees are for the sanitizers and the heap's own checks to find.
    std::vector<void*> blocks(1000);
    for (void*& block : blocks)
        block = take_frame(1024);
    in_new_thread([&] {
        for (void* const block : blocks)
            give_frame(block, 1024);
        std::size_t known = 0;
        std::vector<void*> taken(300);
        for (void*& block : taken) {
            block = take_frame(1024);
            const auto ours = blocks.begin() + 256;
            if (std::find(blocks.begin(), ours, block) != ours) ++known;
        }
        CHECK(known >= (recycles ? 256U : 0U));
        for (void* const block : taken)
            give_frame(block, 1024);
    });
}

TEST_CASE("recycled coroutines return, throw, and may be members") {
    for (int round = 0; round < 3; ++round) {
        CHECK(test_support::run(inner("text that is long enough for the heap", 5, {})) ==
              "text that is long enough for the heap!");
        CHECK_THROWS_AS(test_support::run(inner("throw", 5, {})), std::runtime_error);
        member it;
        CHECK(test_support::run(it.get()) == 1);
    }
}

TEST_CASE("a recycled coroutine may end by an exception that nobody throws") {
    const auto why = std::make_exception_ptr(std::runtime_error("somewhere else"));
    CHECK_THROWS_WITH(test_support::run(ended_by(why, {})), "somewhere else");
    try {
        test_support::run(ended_by(detail::cancelled().why, {}));
        FAIL("it ended well");
    } catch (const boost::system::system_error& e) {
        CHECK(e.code() == asio::error::operation_aborted);
        CHECK(std::current_exception() == detail::cancelled().why);
    }
}

} // namespace codynamo
