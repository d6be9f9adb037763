// SPDX-License-Identifier: BSL-1.0
#include "measure.hpp"

#include <cstdio>
#include <utility>

namespace bench {

guard_options guard_options_of(const wire_options& options) {
    return {options.json, options.server_pids, options.server_description};
}

int report_nothing_measured(const wire_options& options, std::string_view kind,
                            boost::json::object extra) {
    std::fprintf(stderr, "interrupted before anything was measured\n");
    boost::json::object figures = cost_figures(0, 0, 0, usage());
    const run_guard guard(std::string(kind), "operations", guard_options_of(options));
    guard.describe(figures, kind);
    for (auto& [name, value] : extra)
        figures[name] = std::move(value);
    guard.write(figures);
    return guard.exit_code(false);
}

measurement::measurement(const wire_options& options, std::string kind)
    : kind_(std::move(kind)), guard_(kind_, "operations", guard_options_of(options)),
      concurrency_(options.concurrency), limit_(options.ops) {
    const auto in_clock = [](double seconds) {
        return std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
    };
    begin_ = steady::now() + in_clock(limit_ == 0 ? options.warmup_seconds : 0);
    end_ = begin_ + in_clock(options.seconds);
}

bool measurement::record(steady::time_point begin, steady::time_point end, bool good) {
    if (over_) return false;
    if (!begun_) {
        if (end < begin_) return true;
        begun_ = true;
        guard_.begin_window();
        before_ = usage::now();
        end_ = before_.when + (end_ - begin_);
        return true;
    }
    ++(good ? ops_ : errors_);
    if (good) latency_.add(end - begin);
    if (limit_ == 0 ? end < end_ : ops_ + errors_ < limit_) return true;
    end_window();
    return false;
}

void measurement::end_window() {
    after_ = usage::now();
    over_ = true;
    guard_.end_window();
}

bool measurement::look() {
    if (over_) return true;
    const auto now = steady::now();
    const std::chrono::duration<double> gone = now - created_;
    const std::chrono::duration<double> all = end_ - created_;
    if (!guard_.look(gone / all, ops_)) return true;
    if (begun_) end_window();
    over_ = true;
    return false;
}

void measurement::note_failure(std::string why) {
    if (first_failure_.empty()) first_failure_ = std::move(why);
}

double measurement::seconds() const {
    if (!over_ || !begun_) return 0;
    return std::chrono::duration<double>(after_.when - before_.when).count();
}

boost::json::object measurement::figures() const {
    const usage spent = over_ && begun_ ? after_ - before_ : usage{};
    boost::json::object made = cost_figures(ops_, errors_, seconds(), spent);
    made["latency_us"] = latency_figures(latency_);
    guard_.describe(made, kind_);
    return made;
}

int measurement::finish(const boost::json::object& figures) const {
    guard_.print_load(lines_to());
    if (guard_.interrupted()) std::fprintf(lines_to(), "  interrupted\n");
    if (!first_failure_.empty()) {
        std::fprintf(stderr, "first failure: %s\n", first_failure_.c_str());
    }
    guard_.write(figures);
    if (!first_failure_.empty() && !guard_.interrupted()) return 3;
    return guard_.exit_code(over_ && ops_ > 0);
}

int measurement::report(const std::string& title) const {
    const boost::json::object made = figures();
    std::fprintf(lines_to(), "%s, %u in flight on one thread\n", title.c_str(), concurrency_);
    figure_lines lines(lines_to());
    lines.cost(made);
    lines.latency("latency", made.at("latency_us").as_object());
    return finish(made);
}

} // namespace bench
