// SPDX-License-Identifier: BSL-1.0
// The soak's figures.
#include "../../../bench/soak_meter.hpp"
#include "support/catch.hpp"

#include <codynamo/error.hpp>

#include <boost/json/serialize.hpp>

#include <chrono>
#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using bench::read_verdict;
using bench::write_outcome;

const bench::soak_meter::time_point start{1h};

} // namespace

TEST_CASE("a trend finds the line through its samples", "[bench]") {
    CHECK(bench::trend().slope() == 0);
    bench::trend level;
    bench::trend rising;
    bench::trend far_away;
    for (int x = 0; x < 1000; ++x) {
        level.add(x, x % 2 == 0 ? 10 : 12);
        rising.add(x, 3.0 * x + (x % 2));
        far_away.add(1e9 + x, 1e12 - 2.0 * x);
    }
    CHECK(level.slope() == Approx(0).margin(1e-4));
    CHECK(rising.slope() == Approx(3).epsilon(1e-4));
    CHECK(far_away.slope() == Approx(-2).epsilon(1e-6));
    bench::trend one_moment;
    one_moment.add(1, 1);
    one_moment.add(1, 2);
    CHECK(one_moment.slope() == 0);
}

TEST_CASE("a soak's report counts outcomes, seconds without success and the longest gap",
          "[bench]") {
    bench::soak_meter meter(start, 10s);
    for (int i = 0; i < 5; ++i)
        meter.write_ended(start + 100ms, write_outcome::acknowledged);
    meter.read_ended(start + 200ms, read_verdict::good);
    // Nothing in the second second.
    meter.write_ended(start + 1500ms, write_outcome::unknown);
    meter.failed("write", codynamo::errc::connection_lost);
    meter.failed("read", codynamo::errc::circuit_open);
    meter.read_ended(start + 2700ms, read_verdict::stale);
    meter.read_ended(start + 2800ms, read_verdict::absent);
    meter.write_ended(start + 3100ms, write_outcome::failed);
    meter.write_contradicted();
    const auto figures = meter.report(start + 3200ms);
    CHECK(figures.at("acknowledged") == 5);
    CHECK(figures.at("unknown") == 1);
    CHECK(figures.at("failed") == 1);
    CHECK(figures.at("wrong_writes") == 1);
    CHECK(figures.at("reads") == 3);
    CHECK(figures.at("wrong_reads").at("total") == 1);
    CHECK(figures.at("wrong_reads").at("stale") == 1);
    CHECK(figures.at("errors").at("write").at("connection_lost") == 1);
    CHECK(figures.at("errors").at("read").at("circuit_open") == 1);
    CHECK(boost::json::serialize(figures.at("throughput_per_s")) ==
          R"({"min":0,"median":2,"max":6})");
    CHECK(figures.at("longest_gap_ms") == 2500);
    CHECK(meter.report(start + 9s).at("longest_gap_ms") == 6200);
    CHECK(meter.report(start + 500ms).at("throughput_per_s").at("min").is_null());
}

TEST_CASE("an interval of a soak holds what has come since the one before", "[bench]") {
    bench::soak_meter meter(start, 10s);
    meter.write_ended(start, write_outcome::acknowledged);
    meter.write_ended(start, write_outcome::unknown);
    meter.failed("write", codynamo::errc::timeout);
    meter.read_ended(start, read_verdict::good);
    CHECK(boost::json::serialize(meter.take_interval()) ==
          R"({"writes":1,"reads":1,"errors":{"timeout":1}})");
    CHECK(boost::json::serialize(meter.take_interval()) == R"({"writes":0,"reads":0,"errors":{}})");
}

TEST_CASE("slopes are per minute and leave the warm-up out", "[bench]") {
    bench::soak_meter meter(start, 600s);
    for (unsigned second = 0; second <= 600; ++second) {
        const std::uint64_t warming = second < 10 ? 1'000'000 : 0;
        meter.sample(start + std::chrono::seconds(second),
                     {50'000'000 + second * 1024 - warming, 10 + second / 60});
    }
    const auto figures = meter.report(start + 600s);
    CHECK(figures.at("rss_slope_kib_per_min").as_double() == Approx(60).epsilon(1e-6));
    CHECK(figures.at("descriptor_slope_per_min").as_double() == Approx(1).epsilon(0.05));
    CHECK(figures.at("samples") == 591);
    CHECK(figures.at("rss_bytes").at("first") == 49'000'000);
    CHECK(figures.at("rss_bytes").at("last") == 50'000'000 + 600 * 1024);
}

TEST_CASE("a footprint sees a descriptor more", "[bench]") {
    const auto before = bench::footprint::now();
    if (before.rss_bytes == 0) return;
    const int file = ::open("/dev/null", O_RDONLY);
    CHECK(bench::footprint::now().descriptors == before.descriptors + 1);
    ::close(file);
    CHECK(bench::footprint::now().descriptors == before.descriptors);
}

TEST_CASE("codes go by the names of their enumerators", "[bench]") {
    using codynamo::errc;
    CHECK(bench::code_name(errc::connection_lost) == "connection_lost");
    CHECK(bench::code_name(errc::circuit_open) == "circuit_open");
    CHECK(bench::code_name(make_error_code(boost::system::errc::io_error)) ==
          boost::system::error_code(make_error_code(boost::system::errc::io_error)).message());
}
