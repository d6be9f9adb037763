// SPDX-License-Identifier: BSL-1.0
// codynamo-bench: measures the library, and soaks a store.
#include "batching_bench.hpp"
#include "hitratio.hpp"
#include "inflight.hpp"
#include "memory_bench.hpp"
#include "scale.hpp"
#include "soak.hpp"
#include "wire.hpp"

#include <codynamo/error.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace {

/// Becomes another program: some verbs are scripts among the sources, one stands beside us.
int become(std::string script, std::vector<std::string> words) {
    std::vector<char*> arguments{script.data()};
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(script.c_str(), arguments.data());
    std::perror(script.c_str());
    return 3;
}

std::string micro_program() {
    std::error_code fault;
    const auto own = std::filesystem::read_symlink("/proc/self/exe", fault);
    const auto program = own.parent_path() / "codynamo-micro";
    if (!std::filesystem::exists(program))
        throw std::runtime_error("there is no " + program.string() +
                                 ": build it after tools/install-dependencies.sh bench");
    return program.string();
}

CLI::App* add_program(CLI::App& app, const char* name, const char* what) {
    auto* verb = app.add_subcommand(name, what);
    verb->set_help_flag();
    verb->prefix_command();
    return verb;
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
    bench::scale_options scale_options;
    auto* scale = app.add_subcommand("scale", "What a second thread adds where the CPU counts");
    bench::add_scale_options(*scale, scale_options);
    auto* micro = add_program(app, "micro", "The parts of a get and a set, by Google Benchmark");
    auto* compile =
        add_program(app, "compile", "How long a user's translation unit takes to compile");
    auto* peers = add_program(app, "peers", "The same gets by other clients of DynamoDB, beside");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& why) {
        return app.exit(why) == 0 ? 0 : 2;
    }
    try {
        if (*peers) return become(CODYNAMO_BENCH_PEERS, peers->remaining());
        if (*compile) return become(CODYNAMO_BENCH_COMPILE, compile->remaining());
        if (*micro) return become(micro_program(), micro->remaining());
        if (*scale) return bench::run_scale(scale_options);
        if (*batching) return bench::run_batching(batching_options);
        if (*wire) return bench::run_wire(options, prepare);
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
