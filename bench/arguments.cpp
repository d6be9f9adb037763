// SPDX-License-Identifier: BSL-1.0
// The options as the command line has them.
#include "arguments.hpp"

#include "machine.hpp"
#include "program_support/command_line.hpp"
#include "soak_value.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bench {
namespace {

std::string prefix_fault(const std::string& text) {
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c > ' '; });
    return plain && !text.empty() && text.size() <= 1024
               ? ""
               : "1 to 1024 printable ASCII characters, no blanks";
}

template <class Duration>
void add_duration(CLI::App& app, const std::string& name, Duration& out, const char* meaning) {
    app.add_option_function<unsigned>(
           name, [&out](unsigned value) { out = Duration(value); }, meaning)
        ->check(support::in_range(10U, 3'600'000U))
        ->default_str(std::to_string(out.count()));
}

void add_soak_place(CLI::App& app, soak_options& options) {
    add_server_option(app, options.server);
    app.add_option("--table", options.table, "Name of the table")->required();
    app.add_option("--region", options.region, "E.g. eu-central-1; none: from the environment");
    app.add_option("--tls-ca", options.tls_ca, "PEM file of the authorities to trust");
    add_duration(app, "--call-timeout", options.call_timeout, "Bound of a call in milliseconds");
    add_duration(app, "--attempt-timeout", options.attempt_timeout,
                 "Bound of an attempt in milliseconds");
    support::add_json_option(app, options.json);
}

void add_soak_load(CLI::App& app, soak_options& options) {
    app.add_option("--seconds", options.seconds, "How long")
        ->check(support::in_range(0.1, 31'536'000.0))
        ->capture_default_str();
    app.add_option("--writers", options.writers, "Writes in flight")
        ->check(support::in_range(1U, 100'000U))
        ->capture_default_str();
    app.add_option("--readers", options.readers, "Strong reads in flight")
        ->check(support::in_range(0U, 100'000U))
        ->capture_default_str();
    app.add_option("--keys", options.keys, "Keys written; not fewer than writers")
        ->check(support::in_range(1U, 100'000'000U))
        ->capture_default_str();
    app.add_option("--value-size", options.value_size, "Bytes of a value")
        ->check(support::in_range(min_soak_value, std::size_t{400'000}))
        ->capture_default_str();
    app.add_option("--key-prefix", options.key_prefix, "What every key begins with")
        ->check(prefix_fault)
        ->capture_default_str();
}

} // namespace

void add_soak_options(CLI::App& app, soak_options& options) {
    add_soak_place(app, options);
    add_soak_load(app, options);
    auto* log = app.add_option("--ack-log", options.ack_log,
                               "File that acknowledged writes are logged to; appended to");
    auto* verify = app.add_option("--verify", options.verify,
                                  "Read everything back that this log says, instead of writing");
    log->excludes(verify);
    app.add_flag("--erase", options.erase, "After a good verification: delete the log's items")
        ->needs(verify);
    app.add_option("--series", options.series, "File for one JSON object a line and interval")
        ->excludes(verify);
    add_duration(app, "--series-interval", options.series_interval,
                 "Length of an interval in milliseconds");
    app.final_callback([&options] {
        if (options.ack_log.empty() == options.verify.empty()) {
            throw CLI::RequiredError("one of --ack-log and --verify");
        }
        if (!options.verify.empty() && is_spawned_engine(options.server)) {
            throw CLI::ValidationError(
                "--server", options.server + " is started for the run and has nothing to verify; "
                                             "name the server by its URL");
        }
        if (options.keys < options.writers) {
            throw CLI::ValidationError("--keys", std::to_string(options.keys) + " for " +
                                                     std::to_string(options.writers) +
                                                     " writers: each needs one of its own");
        }
    });
}

void add_place_options(CLI::App& app, wire_options& options) {
    app.add_option("--region", options.region, "E.g. eu-central-1; none: from the environment");
    app.add_option("--table", options.table, "Name of the table")->capture_default_str();
    app.add_option("--key", options.key, "Key of the value to get")->capture_default_str();
    app.add_option("--tls-ca", options.tls_ca, "PEM file of the authorities to trust");
}

void use_server(wire_options& options, const server_under_test& server) {
    options.endpoint = server.endpoint();
    options.server_description = server.description();
    if (const auto pid = server.pid()) options.server_pids.push_back(*pid);
}

void add_window_options(CLI::App& app, wire_options& options) {
    app.add_option("--seconds", options.seconds, "How long to measure")
        ->check(support::in_range(0.01, 86'400.0))
        ->capture_default_str();
    app.add_option("--warmup", options.warmup_seconds, "Seconds that are not measured, before")
        ->check(support::in_range(0.0, 3'600.0))
        ->capture_default_str();
    support::add_json_option(app, options.json);
    app.add_option("--server-pid", options.server_pids,
                   "Process of the server, to tell its CPU time from other load's; may be repeated")
        ->check(pid_fault);
}

void add_wire_options(CLI::App& app, wire_options& options) {
    add_place_options(app, options);
    app.add_option("--concurrency", options.concurrency, "Gets in flight")
        ->check(support::in_range(1U, 1'000'000U))
        ->capture_default_str();
    app.add_option("--ops", options.ops,
                   "End after so many, without a warm-up; instead of --seconds")
        ->check(support::in_range(std::uint64_t{1}, std::uint64_t{1} << 60U));
    add_window_options(app, options);
}

} // namespace bench
