// SPDX-License-Identifier: BSL-1.0
// Kinds of executors that resume coroutines in several threads, and what their threads wait with.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace codynamo::test {

/// Counts, and lets threads wait for a number; false when that has not come within 10 s.
class counter {
public:
    void add() {
        const std::lock_guard lock(mutex_);
        ++value_;
        changed_.notify_all();
    }
    bool wait_for(std::size_t number) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return value_ >= number; });
    }
    std::size_t value() {
        const std::lock_guard lock(mutex_);
        return value_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t value_ = 0;
};

/// Something that runs handlers in several threads.
struct execution {
    virtual ~execution() = default;
    [[nodiscard]] virtual boost::asio::any_io_executor executor() = 0;
    [[nodiscard]] virtual std::size_t threads() const { return 4; }
};

struct many_threads final : execution {
    many_threads() {
        for (int i = 0; i < 4; ++i)
            runners.emplace_back([this] { io.run(); });
    }
    ~many_threads() override {
        work.reset();
        for (auto& one : runners)
            one.join();
    }
    boost::asio::any_io_executor executor() override { return io.get_executor(); }
    boost::asio::io_context io;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        io.get_executor()};
    std::vector<std::thread> runners;
};

struct pool_threads final : execution {
    explicit pool_threads(bool with_strands) : strands(with_strands) {}
    ~pool_threads() override { pool.join(); }
    boost::asio::any_io_executor executor() override {
        if (strands) return boost::asio::make_strand(pool.get_executor());
        return pool.get_executor();
    }
    const bool strands; ///< one for each coroutine
    boost::asio::thread_pool pool{4};
};

struct system_threads final : execution {
    boost::asio::any_io_executor executor() override { return boost::asio::system_executor(); }
    std::size_t threads() const override { return 2; } // at least
};

inline std::vector<std::pair<const char*, std::unique_ptr<execution>>> executions() {
    std::vector<std::pair<const char*, std::unique_ptr<execution>>> all;
    all.emplace_back("io_context, 4 threads", std::make_unique<many_threads>());
    all.emplace_back("thread_pool", std::make_unique<pool_threads>(false));
    all.emplace_back("strands of a thread_pool", std::make_unique<pool_threads>(true));
    all.emplace_back("system_executor", std::make_unique<system_threads>());
    return all;
}

} // namespace codynamo::test
