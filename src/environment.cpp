// SPDX-License-Identifier: BSL-1.0
// The real world behind codynamo::environment.
#include <codynamo/environment.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <cstdlib>
#include <random>

namespace asio = boost::asio;

namespace codynamo {
namespace {

class real_clock final : public clock {
public:
    [[nodiscard]] timestamp now() const noexcept override {
        return std::chrono::time_point_cast<timestamp::duration>(std::chrono::system_clock::now());
    }

    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const noexcept override {
        return std::chrono::steady_clock::now();
    }

    [[nodiscard]] asio::awaitable<void>
    sleep_until(std::chrono::steady_clock::time_point when) const override {
        if (when <= std::chrono::steady_clock::now()) co_return;
        asio::steady_timer timer(co_await asio::this_coro::executor, when);
        co_await timer.async_wait(asio::deferred);
    }
};

/// SplitMix64: its state is one counter, so one atomic addition makes it safe for any number of
/// threads without a lock.
class splitmix_source final : public random_source {
public:
    explicit splitmix_source(std::uint64_t seed) noexcept : state_(seed) {}

    [[nodiscard]] std::uint64_t next() noexcept override {
        constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
        std::uint64_t z = state_.fetch_add(golden, std::memory_order_relaxed) + golden;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

private:
    std::atomic<std::uint64_t> state_;
};

} // namespace

double random_source::uniform() noexcept {
    return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

void logger::write(log_level at, std::string_view line) const {
    if (wants(at)) sink(at, line);
}

std::shared_ptr<const clock> environment::system_clock() {
    return std::make_shared<const real_clock>();
}

std::shared_ptr<random_source> environment::system_random() {
    std::random_device device;
    const std::uint64_t high = device();
    return std::make_shared<splitmix_source>(high << 32 | device());
}

std::optional<std::string> environment::system_variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
}

} // namespace codynamo
