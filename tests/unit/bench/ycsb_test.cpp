// SPDX-License-Identifier: BSL-1.0
// The choice of keys against what it should be, and values that notice any other byte.
#include "../../../bench/ycsb_keys.hpp"
#include "../../../bench/ycsb_workload.hpp"
#include "support/catch.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

using bench::key_chooser;
using bench::key_distribution;
using bench::ycsb_operation;
using bench::zipfian;

namespace {

constexpr int draws = 200'000;

std::vector<double> counts_of(const key_chooser& chooser) {
    std::mt19937_64 random(42);
    std::vector<double> seen(chooser.records());
    for (int i = 0; i != draws; ++i)
        ++seen.at(chooser.next(random));
    return seen;
}

/// Sum of (seen - wanted)^2 / wanted.
double chi_square(const std::vector<double>& seen, const std::vector<double>& shares) {
    double sum = 0;
    for (std::size_t i = 0; i != shares.size(); ++i) {
        const double wanted = shares[i] * draws;
        sum += (seen[i] - wanted) * (seen[i] - wanted) / wanted;
    }
    return sum;
}

/// Of that many degrees of freedom; exceeded by chance once in 10,000 cases.
double chi_square_limit(std::size_t degrees) {
    const double n = static_cast<double>(degrees);
    const double part = 2 / (9 * n);
    return n * std::pow(1 - part + 3.72 * std::sqrt(part), 3);
}

/// Gray's law for ranks of n: the first two are exact, the others follow a continuous curve.
std::vector<double> gray_shares(std::uint64_t n) {
    const double theta = zipfian::usual_theta;
    const double zetan = bench::zeta(0, n, theta);
    const double eta = (1 - std::pow(2.0 / static_cast<double>(n), 1 - theta)) /
                       (1 - bench::zeta(0, 2, theta) / zetan);
    const auto below = [&](double rank) { // share of all ranks smaller than this
        return (std::pow(rank / static_cast<double>(n), 1 - theta) - 1 + eta) / eta;
    };
    std::vector<double> shares{1 / zetan, std::pow(0.5, theta) / zetan};
    for (std::uint64_t rank = 2; rank < n; ++rank)
        shares.push_back(below(static_cast<double>(rank + 1)) - below(static_cast<double>(rank)));
    return shares;
}

std::vector<double> ranks_of(const zipfian& ranks) {
    std::mt19937_64 random(42);
    std::vector<double> seen(ranks.items());
    for (int i = 0; i != draws; ++i)
        ++seen.at(ranks.at(bench::uniform_of(random)));
    return seen;
}

} // namespace

TEST_CASE("FNV-1a is the published one") {
    // Of eight zero bytes, and of the bytes of "abcdefgh".
    CHECK(bench::fnv64(0) == 0xA8C7F832281A39C5U);
    CHECK(bench::fnv64(0x6867666564636261U) == 0x25DA8C1836A8D66DU);
}

TEST_CASE("zipfian ranks follow Gray's law") {
    for (const std::uint64_t items : {3U, 100U, 1000U}) {
        CAPTURE(items);
        CHECK(chi_square(ranks_of(zipfian(items)), gray_shares(items)) <
              chi_square_limit(items - 1));
    }
}

TEST_CASE("Gray's law is near Zipf's") {
    const auto seen = ranks_of(zipfian(1000));
    const double zetan = bench::zeta(0, 1000, zipfian::usual_theta);
    double sum = 0;
    double wanted = 0;
    for (std::size_t i = 0; i != seen.size(); ++i) {
        sum += seen[i] / draws;
        wanted += 1 / std::pow(static_cast<double>(i + 1), zipfian::usual_theta) / zetan;
        if (i == 0 || i == 1) CHECK(sum == Approx(wanted).margin(0.005));
        if (i == 9 || i == 99 || i == 499) CHECK(sum == Approx(wanted).margin(0.02));
    }
}

TEST_CASE("ranks grow as if there had always been so many") {
    zipfian grown(10);
    for (std::uint64_t items = 11; items <= 500; ++items)
        grown.grow(items);
    grown.grow(20); // never fewer
    const zipfian whole(500);
    CHECK(grown.items() == 500);
    for (double uniform = 0; uniform < 1; uniform += 0x1p-10)
        CHECK(grown.at(uniform) == whole.at(uniform));
    CHECK(whole.at(std::nextafter(1.0, 0.0)) == 499);
    CHECK(zipfian(1).at(0.99) == 0);
    CHECK(zipfian(2).at(0.99) == 1);
}

TEST_CASE("uniform keys are uniform, also after inserts") {
    key_chooser chooser(key_distribution::uniform, 50);
    for (int i = 0; i != 50; ++i)
        chooser.added();
    CHECK(chi_square(counts_of(chooser), std::vector<double>(100, 0.01)) < chi_square_limit(99));
}

TEST_CASE("scattered zipfian keys: hot ones anywhere, and never one that was not there at first") {
    key_chooser chooser(key_distribution::zipfian, 1000);
    for (int i = 0; i != 10; ++i)
        chooser.added();
    const auto seen = counts_of(chooser);
    // The most popular rank has 1 / 26.469 of ten milliard ranks' uses, and is where FNV puts it;
    // the others there are a thousandth of the rest.
    const double first = 1 / 26.46902820178302;
    const std::size_t hottest = bench::fnv64(0) % 1000;
    CHECK(seen.at(hottest) / draws == Approx(first + (1 - first) / 1000).margin(0.003));
    CHECK(seen.at(bench::fnv64(1) % 1000) / draws ==
          Approx(first * std::pow(0.5, 0.99)).margin(0.003));
    for (std::size_t i = 1000; i != 1010; ++i)
        CHECK(seen.at(i) == 0);
}

TEST_CASE("of the latest keys the newest is the most popular") {
    key_chooser chooser(key_distribution::latest, 100);
    for (int i = 0; i != 100; ++i)
        chooser.added();
    auto seen = counts_of(chooser);
    std::vector<double> by_age(seen.rbegin(), seen.rend());
    CHECK(chi_square(by_age, gray_shares(200)) < chi_square_limit(199));
}

TEST_CASE("workloads mix operations as YCSB's do") {
    const std::map<std::string, std::map<ycsb_operation, double>> wanted{
        {"a", {{ycsb_operation::read, 0.5}, {ycsb_operation::update, 0.5}}},
        {"b", {{ycsb_operation::read, 0.95}, {ycsb_operation::update, 0.05}}},
        {"c", {{ycsb_operation::read, 1}}},
        {"d", {{ycsb_operation::read, 0.95}, {ycsb_operation::insert, 0.05}}},
        {"f", {{ycsb_operation::read, 0.5}, {ycsb_operation::read_modify_write, 0.5}}}};
    for (const auto& [letter, mix] : wanted) {
        CAPTURE(letter);
        const auto workload = bench::ycsb_workload::named(letter);
        REQUIRE(workload);
        std::map<ycsb_operation, double> seen;
        for (int i = 0; i != 1000; ++i)
            seen[workload->at((i + 0.5) / 1000)] += 0.001;
        CHECK(seen.size() == mix.size());
        for (const auto& [what, share] : mix)
            CHECK(seen[what] == Approx(share));
        CHECK((workload->keys == key_distribution::latest) == (letter == "d"));
    }
    CHECK_FALSE(bench::ycsb_workload::named("e"));
}

TEST_CASE("a value belongs to one key, version and size, to the last byte") {
    const std::string key = bench::ycsb_key(7);
    for (const std::size_t size : {bench::min_ycsb_value, std::size_t{71}, std::size_t{1024}}) {
        const std::string value = bench::ycsb_value(key, 12, size);
        CHECK(value.size() == size);
        CHECK(bench::ycsb_version(value, key, size) == 12U);
        CHECK_FALSE(bench::ycsb_version(value, bench::ycsb_key(8), size));
        CHECK_FALSE(bench::ycsb_version(value, key, size + 1));
        for (std::size_t i = 0; i != size; ++i) {
            std::string damaged = value;
            damaged[i] = static_cast<char>(damaged[i] ^ 1);
            CHECK_FALSE(bench::ycsb_version(damaged, key, size));
        }
    }
    // The longest key and version fit into the smallest value.
    const std::string longest = "user18446744073709551615";
    const auto last = std::uint64_t(-1);
    const auto smallest = bench::ycsb_value(longest, last, bench::min_ycsb_value);
    CHECK(bench::ycsb_version(smallest, longest, bench::min_ycsb_value) == last);
}
