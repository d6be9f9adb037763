// SPDX-License-Identifier: BSL-1.0
// Sums, and the figures made from them at the end.
#include "soak_meter.hpp"

#include <codynamo/error.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>
#include <utility>

namespace bench {
namespace {

using codynamo::errc;

constexpr std::pair<errc, std::string_view> names[] = {
    {errc::invalid_argument, "invalid_argument"},
    {errc::no_credentials, "no_credentials"},
    {errc::closed, "closed"},
    {errc::resolve_failed, "resolve_failed"},
    {errc::connect_failed, "connect_failed"},
    {errc::tls_failed, "tls_failed"},
    {errc::connection_lost, "connection_lost"},
    {errc::timeout, "timeout"},
    {errc::overloaded, "overloaded"},
    {errc::circuit_open, "circuit_open"},
    {errc::bad_response, "bad_response"},
    {errc::response_too_large, "response_too_large"},
    {errc::checksum_mismatch, "checksum_mismatch"},
    {errc::resource_not_found, "resource_not_found"},
    {errc::resource_in_use, "resource_in_use"},
    {errc::conditional_check_failed, "conditional_check_failed"},
    {errc::transaction_conflict, "transaction_conflict"},
    {errc::throttled, "throttled"},
    {errc::access_denied, "access_denied"},
    {errc::credentials_rejected, "credentials_rejected"},
    {errc::token_expired, "token_expired"},
    {errc::validation_failed, "validation_failed"},
    {errc::service_failed, "service_failed"},
    {errc::service_error, "service_error"},
};

constexpr std::pair<read_verdict, std::string_view> wrong_verdicts[] = {
    {read_verdict::missing, "missing"},
    {read_verdict::corrupt, "corrupt"},
    {read_verdict::stale, "stale"},
    {read_verdict::phantom, "phantom"},
};

double in_minutes(std::chrono::steady_clock::duration time) {
    return std::chrono::duration<double, std::ratio<60>>(time).count();
}

std::int64_t in_ms(std::chrono::steady_clock::duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

template <class Counts>
boost::json::object to_json(const Counts& counted) {
    boost::json::object out;
    for (const auto& [name, count] : counted)
        out[name] = count;
    return out;
}

boost::json::object throughput(std::vector<std::uint32_t> seconds) {
    if (seconds.empty()) return {{"min", nullptr}, {"median", nullptr}, {"max", nullptr}};
    std::sort(seconds.begin(), seconds.end());
    return {
        {"min", seconds.front()}, {"median", seconds[seconds.size() / 2]}, {"max", seconds.back()}};
}

} // namespace

std::string code_name(const boost::system::error_code& code) {
    for (const auto& [known, name] : names) {
        if (code == known) return std::string(name);
    }
    return code.message();
}

void trend::add(double x, double y) noexcept {
    // Welford's way: sums of squares of large numbers would cancel.
    ++count_;
    const double away = x - mean_x_;
    mean_x_ += away / static_cast<double>(count_);
    mean_y_ += (y - mean_y_) / static_cast<double>(count_);
    xx_ += away * (x - mean_x_);
    xy_ += away * (y - mean_y_);
}

double trend::slope() const noexcept {
    return xx_ > 0 ? xy_ / xx_ : 0;
}

footprint footprint::now() {
    footprint held;
    std::ifstream memory("/proc/self/statm");
    std::uint64_t pages = 0;
    // The second number is what is resident.
    if (memory >> pages >> pages) {
        held.rss_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
    memory.close();
    std::error_code none;
    for (std::filesystem::directory_iterator at("/proc/self/fd", none), end; at != end;
         at.increment(none)) {
        ++held.descriptors;
    }
    // The listing itself was one.
    if (held.descriptors > 0) --held.descriptors;
    return held;
}

soak_meter::soak_meter(time_point begin, std::chrono::steady_clock::duration planned)
    : begin_(begin), last_success_(begin), warm_up_(std::min<std::chrono::steady_clock::duration>(
                                               planned / 10, std::chrono::seconds(10))) {
    // Growing later would look like a leak.
    by_second_.reserve(static_cast<std::size_t>(in_ms(planned) / 1000 + 60));
}

void soak_meter::succeeded(time_point now) {
    longest_gap_ = std::max(longest_gap_, now - last_success_);
    last_success_ = now;
    const std::size_t second = whole_seconds(now);
    if (by_second_.size() <= second) by_second_.resize(second + 1);
    ++by_second_[second];
}

std::size_t soak_meter::whole_seconds(time_point now) const {
    return static_cast<std::size_t>(in_ms(now - begin_) / 1000);
}

void soak_meter::write_ended(time_point now, write_outcome outcome) {
    switch (outcome) {
    case write_outcome::acknowledged:
        ++acknowledged_;
        ++interval_writes_;
        return succeeded(now);
    case write_outcome::unknown:
        ++unknown_;
        return;
    case write_outcome::failed:
        ++failed_;
    }
}

void soak_meter::read_ended(time_point now, read_verdict verdict) {
    ++reads_;
    ++interval_reads_;
    ++verdicts_.at(static_cast<std::size_t>(verdict));
    succeeded(now);
}

void soak_meter::failed(std::string_view kind, const boost::system::error_code& code) {
    std::string name = code_name(code);
    ++errors_[std::string(kind)][name];
    ++interval_errors_[std::move(name)];
}

void soak_meter::sample(time_point now, const footprint& held) {
    if (!first_) first_ = held;
    last_ = held;
    peak_rss_ = std::max(peak_rss_, held.rss_bytes);
    if (now - begin_ < warm_up_) return;
    const double minutes = in_minutes(now - begin_);
    rss_.add(minutes, static_cast<double>(held.rss_bytes) / 1024);
    descriptors_.add(minutes, static_cast<double>(held.descriptors));
}

boost::json::object soak_meter::take_interval() {
    boost::json::object out{{"writes", std::exchange(interval_writes_, 0)},
                            {"reads", std::exchange(interval_reads_, 0)},
                            {"errors", to_json(interval_errors_)}};
    interval_errors_.clear();
    return out;
}

std::uint64_t soak_meter::wrong_reads() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& [verdict, name] : wrong_verdicts) {
        sum += verdicts_.at(static_cast<std::size_t>(verdict));
    }
    return sum;
}

std::uint64_t soak_meter::errors() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& [kind, counted] : errors_) {
        for (const auto& [name, count] : counted)
            sum += count;
    }
    return sum;
}

boost::json::object soak_meter::report(time_point now) const {
    boost::json::object wrong{{"total", wrong_reads()}};
    for (const auto& [verdict, name] : wrong_verdicts) {
        wrong[name] = verdicts_.at(static_cast<std::size_t>(verdict));
    }
    boost::json::object errors{{"write", boost::json::object()}, {"read", boost::json::object()}};
    for (const auto& [kind, counted] : errors_)
        errors[kind] = to_json(counted);
    // The last second is not whole; one in which nothing succeeded counts as 0.
    std::vector<std::uint32_t> seconds = by_second_;
    seconds.resize(whole_seconds(now));
    const footprint first = first_.value_or(footprint());
    return {
        {"seconds", static_cast<double>(in_ms(now - begin_)) / 1000},
        {"acknowledged", acknowledged_},
        {"unknown", unknown_},
        {"failed", failed_},
        {"wrong_writes", wrong_writes_},
        {"reads", reads_},
        {"wrong_reads", std::move(wrong)},
        {"errors", std::move(errors)},
        {"throughput_per_s", throughput(std::move(seconds))},
        {"longest_gap_ms", in_ms(std::max(longest_gap_, now - last_success_))},
        {"rss_bytes", {{"first", first.rss_bytes}, {"last", last_.rss_bytes}, {"peak", peak_rss_}}},
        {"rss_slope_kib_per_min", rss_.slope()},
        {"descriptors", {{"first", first.descriptors}, {"last", last_.descriptors}}},
        {"descriptor_slope_per_min", descriptors_.slope()},
        {"samples", rss_.count()}};
}

} // namespace bench
