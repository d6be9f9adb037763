// SPDX-License-Identifier: BSL-1.0
// Heap allocations are counted by a replaced operator new, CPU time and memory by getrusage.
#include "measure.hpp"

#include <boost/json/object.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <sys/resource.h>
#include <utility>

namespace {
std::atomic<std::uint64_t> allocation_count{0};

void* counted(std::size_t size, std::size_t alignment) {
    allocation_count.fetch_add(1, std::memory_order_relaxed);
    if (size == 0) size = 1;
    void* block = alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
                      ? std::malloc(size)
                      : std::aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
    if (!block) throw std::bad_alloc();
    return block;
}
} // namespace

// The other forms of new end up here.
void* operator new(std::size_t size) {
    return counted(size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept {
    std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
    std::free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
    std::free(block);
}

namespace bench {
namespace {

std::chrono::microseconds to_duration(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

rusage own_usage() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return used;
}

double in_us(std::chrono::nanoseconds value) {
    return std::chrono::duration<double, std::micro>(value).count();
}

} // namespace

usage usage::now() {
    const rusage used = own_usage();
    return {to_duration(used.ru_utime) + to_duration(used.ru_stime),
            allocation_count.load(std::memory_order_relaxed), steady::now()};
}

usage operator-(const usage& after, const usage& before) {
    return {after.cpu - before.cpu, after.allocations - before.allocations, after.when};
}

measurement::measurement(const wire_options& options, std::string kind)
    : kind_(std::move(kind)), guard_(kind_, "gets", {options.json, options.server_pids}) {
    const auto in_clock = [](double seconds) {
        return std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
    };
    begin_ = steady::now() + in_clock(options.warmup_seconds);
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
    if (end < end_) return true;
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

int measurement::report(const std::string& title, const wire_options& options) const {
    const double ops = ops_ > 0 ? static_cast<double>(ops_) : 1;
    const double per_second = seconds() > 0 ? static_cast<double>(ops_) / seconds() : 0;
    const usage spent = over_ && begun_ ? after_ - before_ : usage{};
    const double cpu_us = static_cast<double>(spent.cpu.count()) / ops;
    const double allocated = static_cast<double>(spent.allocations) / ops;
    const auto rss = static_cast<std::uint64_t>(own_usage().ru_maxrss) * 1024;
    boost::json::object latency;
    for (const auto& [name, share] : {std::pair("p50", 0.5), std::pair("p90", 0.9),
                                      std::pair("p99", 0.99), std::pair("p999", 0.999)}) {
        latency[name] = in_us(latency_.percentile(share));
    }
    latency["max"] = in_us(latency_.max());

    // The table leaves stdout to the JSON when that goes there.
    std::FILE* out = guard_.table_stream();
    std::fprintf(out, "%s, %u in flight on one thread\n", title.c_str(), options.concurrency);
    std::fprintf(out, "  %-22s %12llu\n", "operations", static_cast<unsigned long long>(ops_));
    std::fprintf(out, "  %-22s %12llu\n", "errors", static_cast<unsigned long long>(errors_));
    std::fprintf(out, "  %-22s %12.2f\n", "seconds", seconds());
    std::fprintf(out, "  %-22s %12.0f\n", "operations per second", per_second);
    std::fprintf(out, "  %-22s %12.2f\n", "CPU us per operation", cpu_us);
    std::fprintf(out, "  %-22s %12.2f\n", "heap allocations per op", allocated);
    for (const auto& [name, value] : latency) {
        std::fprintf(out, "  latency us %-11s %12.1f\n", std::string(name).c_str(),
                     value.get_double());
    }
    std::fprintf(out, "  %-22s %12.1f\n", "peak RSS MiB", static_cast<double>(rss) / (1 << 20));
    guard_.print_load(out);
    if (guard_.interrupted()) std::fprintf(out, "  interrupted\n");
    if (!first_failure_.empty()) {
        std::fprintf(stderr, "first failure: %s\n", first_failure_.c_str());
    }

    boost::json::object figures{{"ops", ops_},
                                {"errors", errors_},
                                {"seconds", seconds()},
                                {"ops_per_s", per_second},
                                {"cpu_us_per_op", cpu_us},
                                {"allocations_per_op", allocated},
                                {"latency_us", std::move(latency)},
                                {"peak_rss_bytes", rss}};
    guard_.describe(figures, kind_);
    if (!guard_.write(figures)) return 3;
    if (!first_failure_.empty()) return 3;
    return guard_.exit_code(over_ && ops_ > 0);
}

} // namespace bench
