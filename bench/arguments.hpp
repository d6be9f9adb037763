// SPDX-License-Identifier: BSL-1.0
// The verbs' options. What the library's loop and the floor's are both told.
#pragma once

#include "program_support/json_output.hpp"
#include "server_under_test.hpp"
#include "soak.hpp"

#include <boost/json/object.hpp>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bench {

struct wire_options {
    /// As --server has it.
    std::string server = "dynoxide";
    /// URL of that server; empty: the region's endpoint.
    std::string endpoint;
    /// What the JSON says of it.
    boost::json::object server_description;
    std::string table = "codynamo-bench";
    std::string key = "1k";
    std::string region;
    unsigned concurrency = 32;
    double seconds = 10;
    double warmup_seconds = 0.5;
    /// Not zero: so many operations and no warm-up, however long it takes.
    std::uint64_t ops = 0;
    std::string tls_ca;
    support::json_output json;
    /// Processes of the server, where it is on this machine.
    std::vector<pid_t> server_pids;
};

/// Region, table, key and authorities: where the value is on the server.
void add_place_options(CLI::App& app, wire_options& options);
/// How long, and where the figures go.
void add_window_options(CLI::App& app, wire_options& options);
/// Both, and the concurrency.
void add_wire_options(CLI::App& app, wire_options& options);
/// Of --prepare.
inline constexpr const char* prepare_help =
    "Create the table and store a value of 1 KiB first; not needed on a server that is started for "
    "the run";
/// Notes the server in the options.
void use_server(wire_options& options, const server_under_test& server);
void add_soak_options(CLI::App& app, soak_options& options);

} // namespace bench
