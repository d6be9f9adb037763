// SPDX-License-Identifier: BSL-1.0
#include "run_guard.hpp"

#include "program_support/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <sys/resource.h>
#include <thread>
#include <utility>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr auto between_lines = 200ms;
/// Over how long a rate is taken, so that it neither jumps nor lags.
constexpr auto rate_window = 1s;

seconds_used own_time() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto whole = std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
    return whole + std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

} // namespace

void sleep_unless_interrupted(std::chrono::duration<double> time) {
    const auto end = steady::now() + std::chrono::duration_cast<steady::duration>(time);
    constexpr steady::duration look_every = 50ms;
    for (auto now = steady::now(); now < end && !interruption::came(); now = steady::now())
        std::this_thread::sleep_for(std::min(look_every, end - now));
}

std::string progress_line(std::string_view what, std::string_view unit, double share,
                          std::uint64_t done, double per_second,
                          std::chrono::duration<double> elapsed) {
    share = std::clamp(share, 0.0, 1.0);
    char text[160];
    int size = std::snprintf(text, sizeof text, "%.*s %3.0f %% %12llu %.*s %10.0f/s",
                             static_cast<int>(what.size()), what.data(), std::floor(share * 100),
                             static_cast<unsigned long long>(done), static_cast<int>(unit.size()),
                             unit.data(), per_second);
    std::string line(text, std::min(static_cast<std::size_t>(std::max(size, 0)), sizeof text - 1));
    if (share <= 0) return line;
    const double left = elapsed.count() * (1 - share) / share;
    size = std::snprintf(text, sizeof text, " %6.0f s left", std::ceil(left));
    return line.append(text, static_cast<std::size_t>(std::max(size, 0)));
}

progress::progress(std::string what, std::string unit, bool wanted, time_point now)
    : wanted_(wanted) {
    restart(std::move(what), std::move(unit), now);
}

void progress::restart(std::string what, std::string unit, time_point now) {
    clear();
    what_ = std::move(what);
    unit_ = std::move(unit);
    begin_ = rated_at_ = now;
    next_ = now + between_lines;
    rated_done_ = 0;
    per_second_ = 0;
}

std::optional<std::string> progress::line(double share, std::uint64_t done, time_point now) {
    if (!wanted_ || now < next_) return std::nullopt;
    next_ = now + between_lines;
    const std::chrono::duration<double> rated = now - rated_at_;
    if (done < rated_done_) rated_done_ = 0; // counted from anew, as after a warm-up
    // Before the first window is full, what there is of it.
    if (rated >= rate_window || rated_at_ == begin_)
        per_second_ = static_cast<double>(done - rated_done_) / rated.count();
    if (rated >= rate_window) {
        rated_at_ = now;
        rated_done_ = done;
    }
    return progress_line(what_, unit_, share, done, per_second_, now - begin_);
}

void progress::show(double share, std::uint64_t done) {
    const auto text = line(share, done, steady::now());
    if (!text) return;
    support::show_progress(*text);
    shown_ = true;
}

void progress::clear() {
    if (std::exchange(shown_, false)) support::clear_progress();
}

std::string_view load::bottleneck() const noexcept {
    constexpr double full = 0.9;
    const bool client = own >= full;
    const bool by_server = server.value_or(0) >= full;
    if (client && by_server) return "both";
    return client ? "client" : by_server ? "server" : "neither";
}

load_sample load_sample::now(const std::vector<pid_t>& servers) {
    load_sample made;
    made.when = steady::now();
    made.busy = busy_so_far();
    made.own = own_time();
    if (!servers.empty()) made.servers = used_by(servers);
    return made;
}

load load_between(const load_sample& before, const load_sample& after) {
    const double length = std::chrono::duration<double>(after.when - before.when).count();
    load seen;
    if (length <= 0) return seen;
    // A server that has ended meanwhile would have used less than before.
    const auto share = [&](seconds_used from, seconds_used to) {
        return std::max(0.0, (to - from).count() / length);
    };
    seen.own = share(before.own, after.own);
    if (before.servers && after.servers) seen.server = share(*before.servers, *after.servers);
    const double known = seen.own + seen.server.value_or(0);
    seen.other = std::max(0.0, share(before.busy, after.busy) - known);
    return seen;
}

bool may_show_progress(const support::json_output& json) {
    return !json.is_stdout() && support::is_stderr_terminal();
}

run_guard::run_guard(std::string what, std::string unit, guard_options options)
    : options_(std::move(options)),
      progress_(std::move(what), std::move(unit), may_show_progress(options_.json)) {}

void run_guard::begin_window() {
    before_ = load_sample::now(options_.server_pids);
}

void run_guard::end_window() {
    progress_.clear();
    if (before_) seen_ = load_between(*before_, load_sample::now(options_.server_pids));
}

bool run_guard::look(double share, std::uint64_t done) {
    if (interrupted()) return true;
    progress_.show(share, done);
    return false;
}

void run_guard::describe(boost::json::object& figures, std::string_view kind) const {
    figures["kind"] = kind;
    figures["format"] = 1;
    figures["complete"] = !interrupted();
    figures["machine"] = machine_description();
    if (!options_.server.empty()) figures["server"] = options_.server;
    figures["own_cpu"] = seen_.own;
    figures["server_cpu"] = boost::json::value();
    figures["bottleneck"] = boost::json::value();
    if (seen_.server) {
        figures["server_cpu"] = *seen_.server;
        figures["bottleneck"] = seen_.bottleneck();
    }
    figures["other_load"] = seen_.other;
    figures["noisy"] = seen_.noisy();
}

void run_guard::print_load(std::FILE* to) const {
    std::fprintf(to, "  %-22s %12.2f\n", "own CPU, cores", seen_.own);
    if (seen_.server) {
        std::fprintf(to, "  %-22s %12.2f\n", "server's CPU, cores", *seen_.server);
        const std::string_view who = seen_.bottleneck();
        std::fprintf(to, "  %-22s %12.*s\n", "bottleneck", static_cast<int>(who.size()),
                     who.data());
    }
    const bool guess = !seen_.server;
    std::fprintf(to, "  %-22s %12.2f%s\n", "load of others, cores", seen_.other,
                 !seen_.noisy() ? ""
                 : guess        ? "  (noisy, unless that was a server of yours)"
                                : "  (noisy: worth measuring again)");
}

std::FILE* run_guard::table_stream() const noexcept {
    return options_.json.is_stdout() ? stderr : stdout;
}

void run_guard::write(const boost::json::object& figures) const {
    options_.json.write(boost::json::serialize(figures));
}

int run_guard::exit_code(bool good) const noexcept {
    if (interrupted()) return support::exit_interrupted;
    return good ? 0 : 3;
}

} // namespace bench
