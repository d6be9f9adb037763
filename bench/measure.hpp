// SPDX-License-Identifier: BSL-1.0
// Counts what a loop of operations costs, within a window of time after a warm-up.
#pragma once

#include "arguments.hpp"
#include "histogram.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace bench {

using steady = std::chrono::steady_clock;

/// What the process has used so far.
struct usage {
    std::chrono::microseconds cpu{0};
    std::uint64_t allocations = 0;
    steady::time_point when{};

    [[nodiscard]] static usage now();
    /// What was used in between.
    friend usage operator-(const usage& after, const usage& before);
};

/// Fed by every lane of a single-threaded loop.
class measurement {
public:
    explicit measurement(const wire_options& options);

    /// An operation ended. False: the window is over, stop.
    [[nodiscard]] bool record(steady::time_point begin, steady::time_point end, bool good);
    /// Why the first failing operation failed; the later ones say the same, usually.
    void note_failure(std::string why);

    /// Prints a table, and JSON where the options want it; the exit code: 0, or 3 when something
    /// failed or the window was never finished.
    [[nodiscard]] int report(const std::string& title, const wire_options& options) const;

private:
    [[nodiscard]] double seconds() const;

    steady::time_point begin_;
    steady::time_point end_;
    bool begun_ = false;
    bool over_ = false;
    std::uint64_t limit_; ///< operations; 0: the window's end decides
    usage before_;
    usage after_;
    std::uint64_t ops_ = 0;
    std::uint64_t errors_ = 0;
    std::string first_failure_;
    histogram latency_;
};

} // namespace bench
