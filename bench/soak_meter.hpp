// SPDX-License-Identifier: BSL-1.0
// Counts what a soak sees: successes by the second, failures by their code, gaps, and what the
// process holds.
#pragma once

#include "soak_judge.hpp"
#include "soak_log.hpp"

#include <boost/json/object.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// The enumerator's name, e.g. "connection_lost"; the message of a code that is not codynamo's.
[[nodiscard]] std::string code_name(const boost::system::error_code& code);

/// A straight line through samples by least squares, in constant memory.
class trend {
public:
    void add(double x, double y) noexcept;
    /// Units of y per unit of x; 0 for fewer than two different x.
    [[nodiscard]] double slope() const noexcept;
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

private:
    std::uint64_t count_ = 0;
    double mean_x_ = 0;
    double mean_y_ = 0;
    double xx_ = 0;
    double xy_ = 0;
};

/// What the process holds at the moment.
struct footprint {
    std::uint64_t rss_bytes = 0;
    std::uint64_t descriptors = 0;
    /// From /proc; zeros where there is none.
    [[nodiscard]] static footprint now();
};

/// Not thread-safe. Times are arguments and never go back.
class soak_meter {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Samples of the first tenth of `planned` (10 s at most) are left out of the slopes.
    soak_meter(time_point begin, std::chrono::steady_clock::duration planned);

    void write_ended(time_point now, write_outcome outcome);
    void read_ended(time_point now, read_verdict verdict);
    /// The store answered a write with an item that cannot be there.
    void write_contradicted() noexcept { ++wrong_writes_; }
    void failed(std::string_view kind, const boost::system::error_code& code);
    void sample(time_point now, const footprint& held);

    /// What has been counted since the last call.
    [[nodiscard]] boost::json::object take_interval();
    /// Everything, at the end.
    [[nodiscard]] boost::json::object report(time_point now) const;

    [[nodiscard]] std::uint64_t acknowledged() const noexcept { return acknowledged_; }
    [[nodiscard]] std::uint64_t reads() const noexcept { return reads_; }
    [[nodiscard]] std::uint64_t wrong_reads() const noexcept;
    [[nodiscard]] std::uint64_t wrong_writes() const noexcept { return wrong_writes_; }
    [[nodiscard]] std::uint64_t errors() const noexcept;

private:
    using counts = std::map<std::string, std::uint64_t, std::less<>>;

    void succeeded(time_point now);
    [[nodiscard]] std::size_t whole_seconds(time_point now) const;

    time_point begin_;
    time_point last_success_;
    std::chrono::steady_clock::duration warm_up_;
    std::chrono::steady_clock::duration longest_gap_{0};
    std::vector<std::uint32_t> by_second_;
    std::uint64_t acknowledged_ = 0;
    std::uint64_t unknown_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t wrong_writes_ = 0;
    std::uint64_t reads_ = 0;
    std::array<std::uint64_t, 6> verdicts_{};
    /// "write" and "read": errors by name.
    std::map<std::string, counts, std::less<>> errors_;
    counts interval_errors_;
    std::uint64_t interval_writes_ = 0;
    std::uint64_t interval_reads_ = 0;
    std::optional<footprint> first_;
    footprint last_;
    std::uint64_t peak_rss_ = 0;
    trend rss_;
    trend descriptors_;
};

} // namespace bench
