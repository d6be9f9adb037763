// SPDX-License-Identifier: BSL-1.0
// Counts what a loop of operations costs, within a window of time after a warm-up.
#pragma once

#include "arguments.hpp"
#include "figures.hpp"
#include "histogram.hpp"
#include "run_guard.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace bench {

/// Where the figures of these options go, and what is said of their server.
[[nodiscard]] guard_options guard_options_of(const wire_options& options);

/// Of a run that was interrupted before anything was measured: writes the JSON, with `extra`, and
/// returns the exit code.
[[nodiscard]] int report_nothing_measured(const wire_options& options, std::string_view kind,
                                          boost::json::object extra = {});

/// Fed by every lane of a single-threaded loop.
class measurement {
public:
    /// `kind` names the document that report() writes.
    measurement(const wire_options& options, std::string kind);

    /// An operation ended. False: the window is over, stop.
    [[nodiscard]] bool record(steady::time_point begin, steady::time_point end, bool good);
    /// To be called some ten times a second: shows progress. False: somebody wants it to end now.
    [[nodiscard]] bool look();
    /// Why the first failing operation failed; the later ones say the same, usually.
    void note_failure(std::string why);

    /// Whether operations that end now count.
    [[nodiscard]] bool counting() const noexcept { return begun_ && !over_; }
    [[nodiscard]] run_guard& guard() noexcept { return guard_; }

    /// What the window has shown.
    [[nodiscard]] boost::json::object figures() const;
    /// Where lines for people go.
    [[nodiscard]] std::FILE* lines_to() const noexcept { return guard_.table_stream(); }
    /// The last lines, and JSON where the options want it; the exit code: 0, 130 when interrupted,
    /// or 3 when something failed or the window was never finished.
    [[nodiscard]] int finish(const boost::json::object& figures) const;
    /// All of that.
    [[nodiscard]] int report(const std::string& title) const;

private:
    [[nodiscard]] double seconds() const;
    void end_window();

    std::string kind_;
    run_guard guard_;
    unsigned concurrency_;
    steady::time_point created_ = steady::now();

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
