// SPDX-License-Identifier: BSL-1.0
// codynamo-bench: measures the library, and soaks a store.
#include "batching_bench.hpp"
#include "gate/loop.hpp"
#include "hitratio.hpp"
#include "inflight.hpp"
#include "memory_bench.hpp"
#include "rate.hpp"
#include "soak.hpp"
#include "wire.hpp"
#include "ycsb.hpp"

#include <codynamo/error.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

/// Some verbs are scripts among the sources.
int run_script(const char* relative, std::vector<std::string> words) {
    std::string script = std::string(CODYNAMO_BENCH_SCRIPTS) + '/' + relative;
    std::vector<char*> arguments{script.data()};
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(script.c_str(), arguments.data());
    std::perror(script.c_str());
    return 3;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Measures codynamo and soaks stores", "codynamo-bench");
    app.require_subcommand(1);
    bench::wire_options options;
    bool prepare = false;
    auto* wire = app.add_subcommand("wire", "Gets of one key at a fixed concurrency, one thread");
    bench::add_wire_options(*wire, options);
    wire->add_flag("--prepare", prepare, "Create the table and store a value of 1 KiB first");
    bench::rate_options rate_options;
    auto* rate = app.add_subcommand(
        "rate", "Gets of one key at a fixed rate; latency from when each was to begin");
    bench::add_rate_options(*rate, rate_options);
    bench::ycsb_options ycsb_options;
    auto* ycsb = app.add_subcommand(
        "ycsb", "YCSB's core workloads through the cache, with what they cost in capacity units");
    bench::add_ycsb_options(*ycsb, ycsb_options);
    bench::batching_options batching_options;
    auto* batching = app.add_subcommand(
        "batching", "Gets of distinct keys, batching off, on and automatic side by side");
    bench::add_batching_options(*batching, batching_options);
    bench::soak_options soak_options;
    auto* soak = app.add_subcommand(
        "soak", "Writes and strong reads under faults; afterwards: was anything lost?");
    bench::add_soak_options(*soak, soak_options);
    bench::hitratio_options hitratio_options;
    auto* hitratio =
        app.add_subcommand("hitratio", "Replays a trace of keys through a memory_backend");
    bench::add_hitratio_options(*hitratio, hitratio_options);
    bench::memory_options memory_options;
    auto* memory = app.add_subcommand(
        "memory", "Hits of a memory_backend beside a bare mutex and table; bytes per entry");
    bench::add_memory_options(*memory, memory_options);
    bench::inflight_options inflight_options;
    auto* inflight = app.add_subcommand(
        "inflight", "Memory, order and cancellation of many gets at a server that stalls");
    bench::add_inflight_options(*inflight, inflight_options);
    auto* peers = app.add_subcommand("peers", "The same gets by other clients of DynamoDB, beside");
    peers->set_help_flag();
    peers->prefix_command();
    auto* gate = app.add_subcommand("gate", "Instructions and allocations per get, and a baseline");
    auto* report = app.add_subcommand("report", "One page of all results");
    for (auto* script : {gate, report}) {
        script->set_help_flag();
        script->prefix_command();
    }
    bench::gate_loop_options gate_loop_options;
    auto* gate_loop = app.add_subcommand("gate-loop", "What gate counts")->group("");
    bench::add_gate_loop_options(*gate_loop, gate_loop_options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& why) {
        return app.exit(why) == 0 ? 0 : 2;
    }
    try {
        if (*peers) return run_script("peers.sh", peers->remaining());
        if (*gate) return run_script("gate/run.py", gate->remaining());
        if (*report) return run_script("report/run.py", report->remaining());
        if (*gate_loop) return bench::run_gate_loop(gate_loop_options);
        if (*batching) return bench::run_batching(batching_options);
        if (*wire) return bench::run_wire(options, prepare);
        if (*rate) return bench::run_rate(rate_options);
        if (*ycsb) return bench::run_ycsb(ycsb_options);
        if (*hitratio) return bench::run_hitratio(hitratio_options);
        if (*inflight) return bench::run_inflight(inflight_options);
        if (*memory) return bench::run_memory(memory_options);
        return soak_options.verify.empty() ? bench::run_soak(soak_options)
                                           : bench::verify_soak(soak_options);
    } catch (const std::exception& why) {
        std::fprintf(stderr, "codynamo-bench: %s\n", why.what());
        const auto* failed = dynamic_cast<const codynamo::error*>(&why);
        return failed && failed->code() == codynamo::errc::invalid_argument ? 2 : 3;
    }
}
