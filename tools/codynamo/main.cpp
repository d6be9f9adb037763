// SPDX-License-Identifier: BSL-1.0
// codynamo: looks at and changes a cache's table from the command line.
#include "output.hpp"
#include "program.hpp"

#include <exception>

namespace {

constexpr const char* footer =
    "Exit codes: 0 done or found, 1 not found, 2 wrong usage or invalid input, 3 failure.\n"
    "Credentials come from the environment (AWS_ACCESS_KEY_ID ...) or the shared AWS files.";

void add_global_options(CLI::App& app, tool::global_options& global) {
    app.add_option("--table", global.table, "Name of the table")->envname("CODYNAMO_TABLE");
    app.add_option("--region", global.region, "AWS region; else AWS_REGION, else the profile's");
    app.add_option("--endpoint", global.endpoint,
                   "URL of the service; else AWS_ENDPOINT_URL_DYNAMODB, else the region's");
    app.add_option("--profile", global.profile, "Profile of the shared AWS files");
    app.add_option("--ca-file", global.ca_file, "PEM file of the authorities to trust with TLS");
    app.add_flag("--json", global.json, "Print one JSON object, for scripts");
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
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& why) {
        return app.exit(why) == 0 ? tool::exit_ok : tool::exit_usage;
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
