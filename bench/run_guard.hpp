// SPDX-License-Identifier: BSL-1.0
// What every verb does around its measuring: Ctrl-C, a line of progress, how busy others were
// meanwhile, and what is said of that at the end.
#pragma once

#include "machine.hpp"
#include "program_support/interruption.hpp"
#include "program_support/json_output.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

using steady = std::chrono::steady_clock;

using support::interruption;

/// Sleeps so long, or until an interruption comes.
void sleep_unless_interrupted(std::chrono::duration<double> time);

/// "wire   42 %     12345 gets    41234/s     5 s left"; no time left is said at a share of 0.
[[nodiscard]] std::string progress_line(std::string_view what, std::string_view unit, double share,
                                        std::uint64_t done, double per_second,
                                        std::chrono::duration<double> elapsed);

/// A line on stderr that is written over, at most five times a second.
class progress {
public:
    using time_point = steady::time_point;

    /// Shows nothing unless `wanted`.
    progress(std::string what, std::string unit, bool wanted, time_point now = steady::now());
    ~progress() { clear(); }
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

    /// The line if it is time for one. `share`, 0 to 1, of the whole is over, and so many are done.
    [[nodiscard]] std::optional<std::string> line(double share, std::uint64_t done, time_point now);
    void show(double share, std::uint64_t done);
    /// Another phase, from its beginning.
    void restart(std::string what, std::string unit, time_point now = steady::now());
    /// Takes the line off the terminal.
    void clear();

private:
    std::string what_;
    std::string unit_;
    bool wanted_;
    bool shown_ = false;
    time_point begin_;
    time_point next_;
    time_point rated_at_;
    std::uint64_t rated_done_ = 0;
    double per_second_ = 0;
};

/// How busy the cores were over a while, in shares of one core.
struct load {
    double own = 0;
    /// nullopt: no server was named.
    std::optional<double> server{};
    /// Everybody else; time stolen by other guests included.
    double other = 0;

    /// Above this the figures are worth less.
    static constexpr double noisy_above = 0.10;
    [[nodiscard]] bool noisy() const noexcept { return other > noisy_above; }
    /// "client", "server", "both" or "neither": who used 0.9 of a core or more.
    [[nodiscard]] std::string_view bottleneck() const noexcept;
};

/// What has been used so far, in all.
struct load_sample {
    steady::time_point when{};
    seconds_used busy{0};
    seconds_used own{0};
    std::optional<seconds_used> servers{};

    [[nodiscard]] static load_sample now(const std::vector<pid_t>& servers);
};

[[nodiscard]] load load_between(const load_sample& before, const load_sample& after);

/// Whether progress may be shown to whoever reads stderr.
[[nodiscard]] bool may_show_progress(const support::json_output& json);

struct guard_options {
    support::json_output json{};
    std::vector<pid_t> server_pids{};
    /// See describe_server(); empty where no server is measured.
    boost::json::object server{};
};

/// All of it together. One window at a time; the figures are the last one's.
class run_guard {
public:
    run_guard(std::string what, std::string unit, guard_options options);

    /// The measured window begins or ends.
    void begin_window();
    void end_window();
    /// To be called some ten times a second. True: end now, with what there is.
    [[nodiscard]] bool look(double share, std::uint64_t done);
    [[nodiscard]] bool interrupted() const noexcept { return interruption::came(); }
    [[nodiscard]] bench::progress& progress() noexcept { return progress_; }
    [[nodiscard]] const load& seen() const noexcept { return seen_; }

    /// Adds `kind`, `format`, `complete`, `machine`, `server` if there is one, `own_cpu`,
    /// `server_cpu`, `bottleneck`, `other_load` and `noisy`. Complete: not interrupted.
    void describe(boost::json::object& figures, std::string_view kind) const;
    /// Whether others were busy, and the server.
    void print_load(std::FILE* to) const;
    /// Where tables go: stdout, unless the JSON does.
    [[nodiscard]] std::FILE* table_stream() const noexcept;
    /// Writes the JSON where the options want it. Throws std::runtime_error when it is not taken.
    void write(const boost::json::object& figures) const;
    /// 130 when interrupted, else 0 when `good`, else 3.
    [[nodiscard]] int exit_code(bool good) const noexcept;

private:
    interruption signals_;
    guard_options options_;
    bench::progress progress_;
    std::optional<load_sample> before_;
    load seen_;
};

} // namespace bench
