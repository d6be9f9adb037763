// SPDX-License-Identifier: BSL-1.0
// Replays a script and interrupts it at its first, second, third … suspension, until it gets
// through.
#pragma once

#include <codynamo/error.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace codynamo::testing {

/// A script in a world of its own, made anew for each replay; each must go the same way until it
/// is interrupted.
class interruptible {
public:
    virtual ~interruptible() = default;
    [[nodiscard]] virtual virtual_world& world() noexcept = 0;
    /// Where run() runs, and what crashes.
    [[nodiscard]] virtual virtual_process& process() noexcept = 0;
    [[nodiscard]] virtual boost::asio::awaitable<void> run() = 0;
    /// Called when everything has come to rest after run() has ended or its process has crashed.
    /// The sentences that turn out to be wrong.
    [[nodiscard]] virtual std::vector<std::string> check() = 0;
};

enum class interruption {
    terminal, ///< cancellation of that type
    total,    ///< cancellation of that type
    crash,    ///< virtual_process::crash
};

struct interruption_report {
    std::uint64_t points = 0;    ///< suspensions at which the script was interrupted
    std::uint64_t cancelled = 0; ///< of those: it ended with operation_aborted
    std::uint64_t failed = 0;    ///< of those: it ended with another error
    std::vector<std::string> violations{};
};

namespace detail {

class interrupted_run {
public:
    explicit interrupted_run(interruptible& script) : script_(script) {
        namespace asio = boost::asio;
        asio::co_spawn(script.process(), body(script),
                       asio::bind_cancellation_slot(signal_.slot(), [this](std::exception_ptr e) {
                           ended_ = true;
                           why_ = std::move(e);
                       }));
    }
    interrupted_run(const interrupted_run&) = delete;
    interrupted_run& operator=(const interrupted_run&) = delete;

    /// False when the script ended before.
    bool advance(std::uint64_t steps) {
        for (std::uint64_t i = 0; i != steps && !ended_; ++i)
            if (!script_.world().step()) break;
        return !ended_;
    }
    void interrupt(interruption how) {
        using boost::asio::cancellation_type;
        if (how == interruption::crash)
            script_.process().crash();
        else
            signal_.emit(how == interruption::total ? cancellation_type::total
                                                    : cancellation_type::terminal);
    }
    void finish(interruption how, bool interrupted, interruption_report& report) {
        constexpr std::uint64_t plenty = 1'000'000;
        const bool quiet = script_.world().run(plenty);
        const bool crashed = interrupted && how == interruption::crash;
        const auto complain = [&](const std::string& what) {
            const std::string where = interrupted ? std::to_string(report.points) : "no";
            report.violations.push_back("interrupted at suspension " + where + ": " + what);
        };
        if (!quiet) complain("it goes on for ever");
        if (!ended_ && !crashed) complain("it never ended");
        if (why_) count(report, complain);
        for (const std::string& one : script_.check())
            complain(one);
    }

private:
    static boost::asio::awaitable<void> body(interruptible& script) {
        namespace asio = boost::asio;
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        co_await script.run();
    }
    template <class Complain>
    void count(interruption_report& report, Complain complain) {
        try {
            std::rethrow_exception(why_);
        } catch (const error&) {
            ++report.failed;
        } catch (const boost::system::system_error& e) {
            if (e.code() != boost::asio::error::operation_aborted)
                complain(std::string("it threw ") + e.what());
            ++report.cancelled;
        } catch (const std::exception& e) {
            complain(std::string("it threw ") + e.what());
        }
    }

    interruptible& script_;
    boost::asio::cancellation_signal signal_;
    bool ended_ = false;
    std::exception_ptr why_;
};

} // namespace detail

/// `make()` gives a std::unique_ptr to an interruptible. Ends when a replay was through before it
/// could be interrupted; that one is checked as well.
template <class Make>
[[nodiscard]] interruption_report interrupt_everywhere(Make make, interruption how) {
    interruption_report report;
    for (bool interrupted = true; interrupted && report.violations.empty();) {
        const auto script = make();
        detail::interrupted_run run(*script);
        interrupted = run.advance(report.points + 1);
        if (interrupted) {
            ++report.points;
            run.interrupt(how);
        }
        run.finish(how, interrupted, report);
    }
    return report;
}

} // namespace codynamo::testing
