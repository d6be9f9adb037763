// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"

#include <codynamo/error.hpp>
#include <codynamo/record.hpp>

#include <cmath>
#include <limits>

using namespace codynamo;
using namespace std::chrono_literals;

namespace {

constexpr timestamp noon{std::chrono::seconds{1'700'000'000}};

record written_at(timestamp when, ttl lifetime) {
    return {.value = {}, .written = when, .lifetime = lifetime, .source = {}};
}

} // namespace

TEST_CASE("a record is valid while now - written < lifetime") {
    struct row {
        const char* what;
        ttl lifetime;
        ttl passed;
        bool fresh;
    };
    const row table[] = {
        {"at once", 1s, 0us, true},
        {"a microsecond before its end", 1s, 999'999us, true},
        {"exactly at its end", 1s, 1s, false},
        {"a microsecond after its end", 1s, 1'000'001us, false},
        {"long after", 1s, 24h, false},
        {"for ever, at once", for_ever, 0us, true},
        {"for ever, in a thousand years", for_ever, 24h * 365'000, true},
        {"negative, at once", -1us, 0us, false},
        {"negative, writer's clock ahead", -1s, -1h, false},
        {"writer's clock ahead", 1s, -1h, true},
        {"the shortest, at once", 1us, 0us, true},
        {"the shortest, at its end", 1us, 1us, false},
        {"the longest", ttl::max(), 24h * 365'000, true},
        {"the most negative", ttl::min(), 0us, false},
    };
    for (const row& r : table) {
        INFO(r.what);
        CHECK(is_fresh(written_at(noon, r.lifetime), noon + r.passed) == r.fresh);
    }
}

TEST_CASE("remaining lifetime and end agree with freshness") {
    struct row {
        const char* what;
        ttl lifetime;
        ttl passed;
        std::optional<ttl> remaining;
        std::optional<timestamp> end;
    };
    const row table[] = {
        {"young", 10s, 3s, 7s, noon + 10s},
        {"at its end", 10s, 10s, 0s, noon + 10s},
        {"expired", 10s, 11s, 0s, noon + 10s},
        {"for ever", for_ever, 11s, std::nullopt, std::nullopt},
        {"negative", -5s, 0s, 0s, noon - 5s},
        {"writer's clock ahead", 10s, -3s, 13s, noon + 10s},
        {"the longest", ttl::max(), 0s, ttl::max(), timestamp::max()},
    };
    for (const row& r : table) {
        INFO(r.what);
        const record it = written_at(noon, r.lifetime);
        CHECK(remaining(it, noon + r.passed) == r.remaining);
        CHECK(expires_at(it) == r.end);
        CHECK(age(it, noon + r.passed) == r.passed);
    }
}

TEST_CASE("hostile times saturate instead of overflowing") {
    CHECK(age(written_at(timestamp::min(), 1s), noon) == ttl::max());
    CHECK(age(written_at(timestamp::max(), 1s), timestamp::min()) == ttl::min());
    CHECK_FALSE(is_fresh(written_at(timestamp::min(), ttl::max()), timestamp::max()));
    CHECK(is_fresh(written_at(timestamp::max(), 1s), timestamp::min()));
    CHECK(remaining(written_at(timestamp::max(), ttl::max()), timestamp::min()) == ttl::max());
    CHECK(expires_at(written_at(timestamp::min(), ttl::min())) == timestamp::min());
}

TEST_CASE("any chrono duration becomes a lifetime, and none becomes for ever by rounding") {
    using seconds_d = std::chrono::duration<double>;
    using seconds_f = std::chrono::duration<float>;
    using thirds = std::chrono::duration<std::int64_t, std::ratio<1, 3>>;
    CHECK(to_ttl(0s) == for_ever);
    CHECK(to_ttl(1s) == 1'000'000us);
    CHECK(to_ttl(10min) == 600'000'000us);
    CHECK(to_ttl(1ms) == 1'000us);
    CHECK(to_ttl(std::chrono::milliseconds(1'234'567)) == 1'234'567'000us);
    CHECK(to_ttl(1ns) == 1us);
    CHECK(to_ttl(1'999ns) == 1us);
    CHECK(to_ttl(-1ns) == -1us);
    CHECK(to_ttl(thirds{1}) == 333'333us);
    CHECK(to_ttl(seconds_d{0.5}) == 500'000us);
    CHECK(to_ttl(seconds_d{0.3}) == 300'000us);
    CHECK(to_ttl(seconds_d{0.000001}) == 1us);
    CHECK(to_ttl(seconds_d{1e-9}) == 1us);
    CHECK(to_ttl(seconds_d{-1e-9}) == -1us);
    CHECK(to_ttl(seconds_d{-0.0}) == for_ever);
    CHECK(to_ttl(seconds_f{0.25F}) == 250'000us);
    CHECK(to_ttl(seconds_d{1e300}) == ttl::max());
    CHECK(to_ttl(seconds_d{-1e300}) == ttl::min());
    CHECK(to_ttl(seconds_d{std::numeric_limits<double>::infinity()}) == ttl::max());
    CHECK(to_ttl(std::chrono::hours::max()) == ttl::max());
    CHECK(to_ttl(std::chrono::hours::min()) == ttl::min());
    CHECK(to_ttl(std::chrono::duration<std::uint64_t>(~0ULL)) == ttl::max());
    CHECK(to_ttl(std::chrono::duration<std::int8_t>(100)) == 100s);
    CHECK(to_ttl(ttl::max()) == ttl::max());
    for (std::int64_t us = 1; us < 2'000'000; us += 997) {
        CHECK(to_ttl(seconds_d{static_cast<double>(us) / 1e6}) == ttl{us});
        CHECK(to_ttl(std::chrono::nanoseconds{us * 1000}) == ttl{us});
    }
}

TEST_CASE("a lifetime that is not a number is an invalid argument") {
    const std::chrono::duration<double> nan{std::nan("")};
    const auto refused = [](const error& e) {
        return e.code() == make_error_code(errc::invalid_argument) &&
               std::string(e.what()).find("lifetime") != std::string::npos;
    };
    CHECK_THROWS_MATCHES(to_ttl(nan), error, Catch::Predicate<error>(refused));
    const lifespan kept = nan;
    CHECK_THROWS_MATCHES(kept.get(), error, Catch::Predicate<error>(refused));
    CHECK(lifespan(std::chrono::duration<float>{0.5F}).get() == 500ms);
}
