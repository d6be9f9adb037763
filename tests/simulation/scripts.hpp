// SPDX-License-Identifier: BSL-1.0
// A client with a cache on a simulated table, and every operation of the cache as a script for it:
// what the tests that interrupt operations, and those that make allocations fail, run.
#pragma once

#include <codynamo/any_backend.hpp>
#include <codynamo/batching.hpp>
#include <codynamo/cache.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/memory_backend.hpp>
#include <codynamo/testing/interruption.hpp>
#include <codynamo/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace codynamo::test {

using text_cache = cache<std::string, testing::detail::verbatim_serializer>;

/// One operation in a world of its own.
class script final : public testing::interruptible {
public:
    using action = std::function<boost::asio::awaitable<void>(script&)>;
    struct setup {
        action act;
        std::vector<testing::simulated_fault> faults{};
        bool layered = false;
        bool create = false; ///< the table is not there yet
        batching_mode batching = batching_mode::on;
    };

    explicit script(const setup& options);

    testing::virtual_world& world() noexcept override { return world_; }
    testing::virtual_process& process() noexcept override { return client_; }
    boost::asio::awaitable<void> run() override { return options_.act(*this); }
    /// Whether nothing is under way, what memory has is what the table has, and the next operations
    /// succeed.
    std::vector<std::string> check() override;

    // What actions use.
    [[nodiscard]] const text_cache& top() const { return *top_; }
    [[nodiscard]] const testing::simulated_client& given() const { return given_; }
    boost::asio::awaitable<void> open();
    boost::asio::awaitable<void> close();

private:
    template <class Process>
    void complete(Process& where, boost::asio::awaitable<void> operation);
    void connect(testing::virtual_process& process);
    boost::asio::awaitable<void> prepare();
    boost::asio::awaitable<void> use(std::vector<std::string>& wrong);

    setup options_;
    testing::virtual_world world_{1, testing::virtual_world::order::fifo};
    testing::simulated_dynamodb server_;
    testing::virtual_process client_;
    testing::simulated_client given_;
    std::shared_ptr<testing::simulated_connection> connection_;
    std::unique_ptr<memory_backend> memory_;
    std::unique_ptr<dynamodb_backend> table_;
    std::unique_ptr<text_cache> top_;
    bool closed_ = false;
};

struct named_action {
    const char* name;
    boost::asio::awaitable<void> (*act)(script&);
    bool create = false;
};

/// Every operation of a cache, and some of them at once.
[[nodiscard]] std::span<const named_action> all_actions();

} // namespace codynamo::test
