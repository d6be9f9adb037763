// SPDX-License-Identifier: BSL-1.0
// codynamo-bench: measures the library.
#include "wire.hpp"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    CLI::App app("Measures codynamo", "codynamo-bench");
    app.require_subcommand(1);
    bench::wire_options options;
    bool prepare = false;
    auto* wire = app.add_subcommand("wire", "Gets of one key at a fixed concurrency, one thread");
    bench::add_wire_options(*wire, options);
    wire->add_flag("--prepare", prepare, "Create the table and store a value of 1 KiB first");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& why) {
        return app.exit(why) == 0 ? 0 : 2;
    }
    try {
        return bench::run_wire(options, prepare);
    } catch (const std::exception& why) {
        std::fprintf(stderr, "codynamo-bench: %s\n", why.what());
        return 3;
    }
}
