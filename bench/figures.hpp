// SPDX-License-Identifier: BSL-1.0
// Figures that several verbs report, for people and for programs alike.
#pragma once

#include "histogram.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace bench {

/// What the process has used so far.
struct usage {
    std::chrono::microseconds cpu{0};
    std::uint64_t allocations = 0;
    std::chrono::steady_clock::time_point when{};

    [[nodiscard]] static usage now();
    /// What was used in between.
    friend usage operator-(const usage& after, const usage& before);
};

/// `p50`, `p90`, `p99`, `p999`, `p9999` and `max`, in microseconds.
[[nodiscard]] boost::json::object latency_figures(const histogram& latency);

/// What a number of operations took: `ops`, `errors`, `seconds`, `ops_per_s`, `cpu_us_per_op`,
/// `allocations_per_op`, `peak_rss_bytes`.
[[nodiscard]] boost::json::object cost_figures(std::uint64_t ops, std::uint64_t errors,
                                               double seconds, const usage& spent);

/// Lines of a name and a number.
class figure_lines {
public:
    explicit figure_lines(std::FILE* to) : to_(to) {}
    void line(std::string_view name, double value, int decimals);
    /// What latency_figures() made, a line each.
    void latency(std::string_view name, const boost::json::object& figures);
    /// What cost_figures() made.
    void cost(const boost::json::object& figures);

private:
    std::FILE* to_;
};

} // namespace bench
