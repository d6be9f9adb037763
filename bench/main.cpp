// SPDX-License-Identifier: BSL-1.0
// codynamo-bench: measures the library, and soaks a store.
#include "batching_bench.hpp"
#include "soak.hpp"
#include "wire.hpp"

#include <codynamo/error.hpp>

#include <cstdio>
#include <exception>

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
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& why) {
        return app.exit(why) == 0 ? 0 : 2;
    }
    try {
        if (*batching) return bench::run_batching(batching_options);
        if (*wire) return bench::run_wire(options, prepare);
        return soak_options.verify.empty() ? bench::run_soak(soak_options)
                                           : bench::verify_soak(soak_options);
    } catch (const std::exception& why) {
        std::fprintf(stderr, "codynamo-bench: %s\n", why.what());
        const auto* failed = dynamic_cast<const codynamo::error*>(&why);
        return failed && failed->code() == codynamo::errc::invalid_argument ? 2 : 3;
    }
}
