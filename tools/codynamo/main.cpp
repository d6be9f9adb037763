// SPDX-License-Identifier: BSL-1.0
// codynamo: looks at and changes a cache's table from the command line.
#include "output.hpp"
#include "program.hpp"
#include "program_support/command_line.hpp"
#include "program_support/files.hpp"

#include <exception>
#include <string>
#include <vector>

namespace {

constexpr const char* footer =
    "Exit codes: 0 done or found, 1 not found, 2 wrong usage or invalid input, 3 failure, 130 "
    "interrupted.\n"
    "Credentials come from where an AWS SDK would look; `codynamo credentials` tells which.";

void add_global_options(CLI::App& app, tool::global_options& global) {
    app.add_option("--table", global.table, "Name of the table")->envname("CODYNAMO_TABLE");
    app.add_option("--region", global.region, "AWS region; else AWS_REGION, else the profile's");
    app.add_option("--endpoint", global.endpoint,
                   "URL of the service; else AWS_ENDPOINT_URL_DYNAMODB, else the region's");
    app.add_option("--profile", global.profile, "Profile of the shared AWS files");
    app.add_option("--ca-file", global.ca_file, "PEM file of the authorities to trust with TLS");
    support::add_json_option(app, global.json);
}

int run_chosen(tool::program& self) {
    const support::interruption signals;
    try {
        self.global.json.open();
        return self.chosen();
    } catch (...) {
        return tool::report_early_end(self);
    }
}

int run_program(int argc, char** argv) {
    tool::program self;
    CLI::App app("A cache on Amazon DynamoDB, shared with programs in C++ and Python", "codynamo");
    app.footer(footer);
    support::set_up(app);
    // Global options are understood after the verb too; verbs inherit this.
    app.fallthrough();
    add_global_options(app, self.global);
    tool::add_item_verbs(app, self);
    tool::add_table_verbs(app, self);
    tool::add_signing_verb(app, self);
    tool::add_endpoint_verb(app, self);
    tool::add_credential_verbs(app, self);
    try {
        app.parse(argc, argv);
        const auto keys = app.got_subcommand("rm")
                              ? app.get_subcommand("rm")->get_option("KEY")->results()
                              : std::vector<std::string>();
        if (const std::string word = support::json_word_before(keys, argc, argv); !word.empty())
            throw CLI::ValidationError("--json", "is '" + word +
                                                     "' a file or a key? Write --json=FILE, or "
                                                     "put --json [FILE] last");
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& why) {
        const codynamo::error wrong(codynamo::errc::invalid_argument,
                                    support::usage_error(app, why));
        tool::complain(wrong.what());
        if (support::wants_json_on_stdout(argc, argv)) tool::print_json(tool::describe(wrong));
        return tool::exit_usage;
    }
    return run_chosen(self);
}

} // namespace

int main(int argc, char** argv) {
    support::reserve_standard_descriptors();
    try {
        return run_program(argc, argv);
    } catch (const std::exception& why) {
        tool::complain(why.what());
        return tool::exit_failure;
    }
}
