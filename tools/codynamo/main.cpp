// SPDX-License-Identifier: BSL-1.0
// codynamo: looks at and changes a cache's table from the command line.
#include "output.hpp"
#include "program.hpp"

#include <algorithm>
#include <exception>
#include <string_view>

namespace {

constexpr const char* footer =
    "Exit codes: 0 done or found, 1 not found, 2 wrong usage or invalid input, 3 failure.\n"
    "Credentials come from where an AWS SDK would look; `codynamo credentials` tells which.";

void add_global_options(CLI::App& app, tool::global_options& global) {
    app.add_option("--table", global.table, "Name of the table")->envname("CODYNAMO_TABLE");
    app.add_option("--region", global.region, "AWS region; else AWS_REGION, else the profile's");
    app.add_option("--endpoint", global.endpoint,
                   "URL of the service; else AWS_ENDPOINT_URL_DYNAMODB, else the region's");
    app.add_option("--profile", global.profile, "Profile of the shared AWS files");
    app.add_option("--ca-file", global.ca_file, "PEM file of the authorities to trust with TLS");
    app.add_flag("--json", global.json, "Print one JSON object, for scripts");
}

/// Even when the arguments could not be understood.
bool wants_json(int argc, char** argv) {
    return std::any_of(argv, argv + argc,
                       [](const char* each) { return std::string_view(each) == "--json"; });
}

int run_chosen(const tool::program& self) {
    try {
        return self.chosen();
    } catch (const codynamo::error& why) {
        tool::complain(why.what());
        if (self.global.json) tool::print_json(tool::describe(why));
        return tool::exit_code_of(why.code());
    }
}

int run_program(int argc, char** argv) {
    tool::program self;
    CLI::App app("A cache on Amazon DynamoDB, shared with programs in C++ and Python", "codynamo");
    app.footer(footer);
    app.require_subcommand(1);
    // Global options are understood after the verb too; verbs inherit this.
    app.fallthrough();
    add_global_options(app, self.global);
    tool::add_item_verbs(app, self);
    tool::add_table_verbs(app, self);
    tool::add_signing_verbs(app, self);
    tool::add_credential_verbs(app, self);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& why) {
        if (app.exit(why) == 0) return tool::exit_ok;
        if (wants_json(argc, argv)) {
            tool::print_json(
                tool::describe(codynamo::error(codynamo::errc::invalid_argument, why.what())));
        }
        return tool::exit_usage;
    }
    return run_chosen(self);
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run_program(argc, argv);
    } catch (const std::exception& why) {
        tool::complain(why.what());
        return tool::exit_failure;
    }
}
