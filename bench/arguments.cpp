// SPDX-License-Identifier: BSL-1.0
// The options as the command line has them.
#include "arguments.hpp"

namespace bench {

void add_wire_options(CLI::App& app, wire_options& options) {
    app.add_option("--endpoint", options.endpoint, "URL of the server")->required();
    app.add_option("--table", options.table, "Name of the table")->capture_default_str();
    app.add_option("--key", options.key, "Key of the value to get")->capture_default_str();
    app.add_option("--concurrency", options.concurrency, "Gets in flight")
        ->check(CLI::Range(1U, 1'000'000U))
        ->capture_default_str();
    app.add_option("--seconds", options.seconds, "How long to measure")
        ->check(CLI::Range(0.01, 86'400.0))
        ->capture_default_str();
    app.add_option("--warmup", options.warmup_seconds, "Seconds that are not measured, before")
        ->check(CLI::Range(0.0, 3'600.0))
        ->capture_default_str();
    app.add_option("--tls-ca", options.tls_ca, "PEM file of the authorities to trust");
    app.add_option("--json", options.json, "Write the figures to this file; '-' for stdout");
}

} // namespace bench
