// SPDX-License-Identifier: BSL-1.0
// What the verbs of the command-line program share: global options, exit codes, and a way to run.
#pragma once

#include "program_support/interruption.hpp"
#include "program_support/json_output.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/dynamodb/client.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

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
    support::json_output json;
};

/// What a verb of several steps has done, for when it ends early.
struct steps_done {
    boost::json::object figures; ///< added to what --json says of the early end
    std::string text;            ///< a sentence for people; empty for none
};

/// What is known at an early end of the write that was under way.
enum class write_state { none, failed, unknown };

/// The program while it parses its arguments; a verb's callback sets `chosen`.
struct program {
    global_options global;
    std::function<int()> chosen;

    /// "us-east-1 at https://…": where the table is; empty until a verb has opened it.
    std::string place;
    /// Set by verbs of several steps.
    std::function<steps_done(write_state last)> done_so_far;
    /// Whether a write is under way: of one that is interrupted the outcome is unknown.
    bool writing = false;
};

/// The backend of --table with nothing created and nothing sent. Notes where it is.
/// Throws errc::invalid_argument when there is no --table.
[[nodiscard]] boost::asio::awaitable<codynamo::dynamodb_backend> open_table(program& self);
[[nodiscard]] codynamo::dynamodb_backend_config backend_config(const global_options& global);

/// Where to look for credentials.
[[nodiscard]] codynamo::aws::source_options source_options_of(const global_options& global);

/// Runs one coroutine to its end in this thread; what it throws is thrown. An interruption cancels
/// it, and support::interrupted is thrown instead.
[[nodiscard]] int run(boost::asio::awaitable<int> verb);

/// Says why a verb ended early and what it had done by then, and returns the exit code. For a catch
/// block only; other exceptions than interrupted and codynamo::error are rethrown.
[[nodiscard]] int report_early_end(const program& self);

void add_item_verbs(CLI::App& app, program& self);
void add_table_verbs(CLI::App& app, program& self);
void add_signing_verb(CLI::App& app, program& self);
void add_endpoint_verb(CLI::App& app, program& self);
void add_credential_verbs(CLI::App& app, program& self);

} // namespace tool
