// SPDX-License-Identifier: BSL-1.0
// What the verbs of the command-line program share: global options, exit codes, and a way to run.
#pragma once

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/awaitable.hpp>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace tool {

enum exit_code { exit_ok = 0, exit_miss = 1, exit_usage = 2, exit_failure = 3 };

struct global_options {
    std::string table;
    std::string region;
    std::string endpoint;
    std::string profile;
    std::string ca_file;
    bool json = false;
};

/// The program while it parses its arguments; a verb's callback sets `chosen`.
struct program {
    global_options global;
    std::function<int()> chosen;
};

/// The backend of --table, unopened: nothing is created and nothing sent.
/// Throws errc::invalid_argument when there is no --table.
[[nodiscard]] codynamo::dynamodb_backend_config backend_config(const global_options& global);

/// Where to look for credentials.
[[nodiscard]] codynamo::aws::source_options source_options_of(const global_options& global);

/// Runs one coroutine to its end in this thread; what it throws is thrown.
[[nodiscard]] int run(boost::asio::awaitable<int> what);

void add_item_verbs(CLI::App& app, program& self);
void add_table_verbs(CLI::App& app, program& self);
void add_signing_verbs(CLI::App& app, program& self);
void add_credential_verbs(CLI::App& app, program& self);

} // namespace tool
