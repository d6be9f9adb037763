// SPDX-License-Identifier: BSL-1.0
// Heap allocations are counted by a replaced operator new, CPU time and memory by getrusage.
#include "figures.hpp"

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
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
            allocation_count.load(std::memory_order_relaxed), std::chrono::steady_clock::now()};
}

usage operator-(const usage& after, const usage& before) {
    return {after.cpu - before.cpu, after.allocations - before.allocations, after.when};
}

boost::json::object latency_figures(const histogram& latency) {
    boost::json::object figures;
    for (const auto& [name, share] :
         {std::pair("p50", 0.5), std::pair("p90", 0.9), std::pair("p99", 0.99),
          std::pair("p999", 0.999), std::pair("p9999", 0.9999)}) {
        figures[name] = in_us(latency.percentile(share));
    }
    figures["max"] = in_us(latency.max());
    return figures;
}

boost::json::object cost_figures(std::uint64_t ops, std::uint64_t errors, double seconds,
                                 const usage& spent) {
    const double each = ops > 0 ? static_cast<double>(ops) : 1;
    return {{"ops", ops},
            {"errors", errors},
            {"seconds", seconds},
            {"ops_per_s", seconds > 0 ? static_cast<double>(ops) / seconds : 0},
            {"cpu_us_per_op", static_cast<double>(spent.cpu.count()) / each},
            {"allocations_per_op", static_cast<double>(spent.allocations) / each},
            {"peak_rss_bytes", static_cast<std::uint64_t>(own_usage().ru_maxrss) * 1024}};
}

void figure_lines::line(std::string_view name, double value, int decimals) {
    std::fprintf(to_, "  %-22.*s %12.*f\n", static_cast<int>(name.size()), name.data(), decimals,
                 value);
}

void figure_lines::latency(std::string_view name, const boost::json::object& figures) {
    for (const auto& [share, value] : figures)
        line(std::string(name) + " us " + std::string(share), value.to_number<double>(), 1);
}

void figure_lines::cost(const boost::json::object& figures) {
    const auto of = [&](const char* name) { return figures.at(name).to_number<double>(); };
    line("operations", of("ops"), 0);
    line("errors", of("errors"), 0);
    line("seconds", of("seconds"), 2);
    line("operations per second", of("ops_per_s"), 0);
    line("CPU us per operation", of("cpu_us_per_op"), 2);
    line("heap allocations per op", of("allocations_per_op"), 2);
    line("peak RSS MiB", of("peak_rss_bytes") / (1 << 20), 1);
}

} // namespace bench
