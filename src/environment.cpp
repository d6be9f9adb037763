// SPDX-License-Identifier: BSL-1.0
// The real world behind codynamo::environment.
#include <codynamo/environment.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <unistd.h>

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

/// Keeps nothing in memory: a copy of the process made by fork draws other bits than the original.
class system_source final : public random_source {
public:
    [[nodiscard]] std::uint64_t next() noexcept override { return draw(); }

    /// Throws system_error. Once it has succeeded it does not fail (getrandom(2)), and no answer
    /// but the generator's would do for an identifier.
    static std::uint64_t draw() {
        std::uint64_t bits = 0;
        if (::getentropy(&bits, sizeof bits) != 0)
            throw std::system_error(errno, std::generic_category(),
                                    "the system's random generator (getrandom)");
        return bits;
    }
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
    static_cast<void>(system_source::draw()); // where the system has none, this throws
    return std::make_shared<system_source>();
}

std::optional<std::string> environment::system_variable(const char* name) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a race only with who writes to it
    const char* value = std::getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
}

} // namespace codynamo
