// SPDX-License-Identifier: BSL-1.0
// What the benchmarks read of /proc, and what they make of it.
#include "../../../bench/run_guard.hpp"
#include "support/catch.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <csignal>
#include <ctime>
#include <optional>
#include <string>
#include <unistd.h>

using namespace std::chrono_literals;
using bench::seconds_used;

TEST_CASE("cores are busy with all but idling and waiting for the disk", "[bench]") {
    const auto busy = bench::busy_time("cpu  1000 200 30 4000 500 6 70 80 900 90\n"
                                       "cpu0 9 9 9 9 9 9 9 9 9 9\n",
                                       100);
    REQUIRE(busy);
    CHECK(busy->count() == Approx(13.86));
    CHECK_FALSE(bench::busy_time("", 100));
    CHECK_FALSE(bench::busy_time("cpu0 1 2 3 4 5 6 7 8 9 10\n", 100));
    CHECK_FALSE(bench::busy_time("cpu 1 2 3 4 5 6 7\n", 100));
}

TEST_CASE("a process's time is found behind any name", "[bench]") {
    for (const std::string name : {"nginx", "a b", ") 1 2 3 (", ""}) {
        CAPTURE(name);
        const auto used = bench::process_time(
            "42 (" + name + ") S 1 42 42 0 -1 4194560 100 0 0 0 1250 250 7 8 20 0 1 0", 100);
        REQUIRE(used);
        CHECK(used->count() == Approx(15.0));
    }
    CHECK_FALSE(bench::process_time("", 100));
    CHECK_FALSE(bench::process_time("42 (cut) S 1 42 42 0 -1 4194560 100 0 0 0 1250", 100));
}

TEST_CASE("numbers of processes end at what is none", "[bench]") {
    CHECK(bench::pids_in("12 345 \n") == std::vector<pid_t>{12, 345});
    CHECK(bench::pids_in("").empty());
    CHECK(bench::pids_in("7 x 8") == std::vector<pid_t>{7});
}

TEST_CASE("a machine's names are found by line", "[bench]") {
    const std::string text = "processor\t: 0\nmodel name\t: A CPU: 3 GHz \nmodel name\t: second\n"
                             "PRETTY_NAME=\"An OS\"\nNAME=\n";
    CHECK(bench::value_after(text, "model name", ':') == "A CPU: 3 GHz");
    CHECK(bench::value_after(text, "PRETTY_NAME", '=') == "An OS");
    CHECK(bench::value_after(text, "NAME", '=') == "");
    CHECK_FALSE(bench::value_after(text, "model", ':'));
    CHECK_FALSE(bench::value_after("", "model", ':'));
}

TEST_CASE("this machine describes itself", "[bench]") {
    const auto machine = bench::machine_description();
    for (const char* key : {"cpu", "cores", "memory_bytes", "system", "kernel"})
        CHECK(machine.contains(key));
    CHECK(bench::busy_so_far().count() > 0);
    const auto until = std::clock() + CLOCKS_PER_SEC / 20;
    while (std::clock() < until) {
    }
    CHECK(bench::used_by({::getpid()}).count() >= 0.02);
    CHECK(bench::used_by({-1}).count() == 0);
}

TEST_CASE("others' load is what neither client nor server was busy with", "[bench]") {
    const auto at = [](double when, double busy, double own, std::optional<seconds_used> servers) {
        bench::load_sample made;
        made.when += std::chrono::duration_cast<bench::steady::duration>(seconds_used(when));
        made.busy = seconds_used(busy);
        made.own = seconds_used(own);
        made.servers = servers;
        return made;
    };
    SECTION("a server that is known") {
        const auto seen = bench::load_between(at(10, 100, 1, seconds_used(50)),
                                              at(20, 115.5, 10.5, seconds_used(55)));
        CHECK(seen.own == Approx(0.95));
        CHECK(seen.server == Approx(0.5));
        CHECK(seen.other == Approx(0.1));
        CHECK_FALSE(bench::load{.own = 0, .other = 0.1}.noisy());
        CHECK(bench::load{.own = 0, .other = 0.11}.noisy());
        CHECK(seen.bottleneck() == "client");
    }
    SECTION("a server that nobody named is one of the others") {
        const auto seen = bench::load_between(at(0, 0, 0, {}), at(2, 3, 1, {}));
        CHECK(seen.other == Approx(1.0));
        CHECK_FALSE(seen.server);
    }
    SECTION("ticks are coarse, and servers end: nothing is negative") {
        const auto seen =
            bench::load_between(at(0, 10, 1, seconds_used(5)), at(1, 10.9, 2, seconds_used(0)));
        CHECK(seen.other == 0);
        CHECK(seen.server == 0.0);
    }
    SECTION("no time at all") {
        CHECK(bench::load_between(at(1, 1, 1, {}), at(1, 2, 2, {})).other == 0);
    }
    CHECK(bench::load{.own = 0.9, .server = 0.9}.bottleneck() == "both");
    CHECK(bench::load{.own = 0.5, .server = 0.9}.bottleneck() == "server");
    CHECK(bench::load{.own = 0.5, .server = 0.5}.bottleneck() == "neither");
}

TEST_CASE("a line of progress has the share, the rate and the time left", "[bench]") {
    CHECK(bench::progress_line("wire", "gets", 0.25, 1234, 567.8, 10s) ==
          "wire  25 %         1234 gets        568/s     30 s left");
    CHECK(bench::progress_line("wire", "gets", 0, 0, 0, 1s) ==
          "wire   0 %            0 gets          0/s");
    CHECK(bench::progress_line("wire", "gets", 1.5, 9, 3, 3s) ==
          "wire 100 %            9 gets          3/s      0 s left");
}

TEST_CASE("progress is said five times a second, with the rate of the last second", "[bench]") {
    const bench::steady::time_point begin(100s);
    bench::progress shown("load", "items", true, begin);
    CHECK_FALSE(shown.line(0.1, 10, begin + 199ms));
    const auto first = shown.line(0.1, 100, begin + 200ms);
    REQUIRE(first);
    CHECK(first->find(" 500/s") != first->npos);
    CHECK_FALSE(shown.line(0.1, 100, begin + 399ms));
    CHECK(shown.line(0.5, 1000, begin + 1s));
    // Nothing has come for a second.
    const auto stalled = shown.line(0.5, 1000, begin + 2s);
    REQUIRE(stalled);
    CHECK(stalled->find(" 0/s") != stalled->npos);
    // Counting began anew.
    const auto anew = shown.line(0.5, 300, begin + 3s);
    REQUIRE(anew);
    CHECK(anew->find(" 300/s") != anew->npos);
    bench::progress quiet("load", "items", false, begin);
    CHECK_FALSE(quiet.line(0.5, 1000, begin + 10s));
}

TEST_CASE("the first signal is noted, and figures say that they are not complete", "[bench]") {
    {
        bench::run_guard guard("test", "ops", {});
        boost::json::object figures;
        guard.begin_window();
        CHECK_FALSE(guard.look(0.5, 1));
        guard.describe(figures, "test");
        CHECK(figures["complete"] == true);
        CHECK(figures["kind"] == "test");
        CHECK(guard.exit_code(true) == 0);
        CHECK(guard.exit_code(false) == 3);
        { const bench::interruption within; }
        ::raise(SIGINT);
        { const bench::interruption another_phase; }
        CHECK(guard.look(0.5, 1));
        guard.end_window();
        guard.describe(figures, "test");
        CHECK(figures["complete"] == false);
        CHECK(guard.exit_code(true) == 130);
    }
    const bench::interruption forgets; // for the tests that follow in this process
    CHECK_FALSE(bench::interruption::came());
}
