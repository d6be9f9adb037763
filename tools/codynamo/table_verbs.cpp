// SPDX-License-Identifier: BSL-1.0
// table create, describe and delete; clear and clear-expired: everything at once.
#include "output.hpp"
#include "program.hpp"

#include <codynamo/cache.hpp>

#include <cstdio>
#include <memory>
#include <unistd.h>
#include <utility>

namespace tool {
namespace asio = boost::asio;
namespace json = boost::json;
using byte_cache = codynamo::cache<std::string, codynamo::bytes_serializer<>>;

namespace {

struct clear_verb_options {
    bool expired_only = false;
    unsigned segments = codynamo::clear_options().segments;
};

/// One line on stderr that is written over and over; nothing when stderr is no terminal.
class progress_line {
public:
    void show(const codynamo::clear_progress& so_far) {
        if (!terminal_) return;
        std::fprintf(stderr, "\r%llu scanned, %llu deleted, %llu kept",
                     static_cast<unsigned long long>(so_far.scanned),
                     static_cast<unsigned long long>(so_far.deleted),
                     static_cast<unsigned long long>(so_far.kept));
        std::fflush(stderr);
        shown_ = true;
    }
    ~progress_line() {
        if (shown_) std::fputc('\n', stderr);
    }

private:
    const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
    bool shown_ = false;
};

asio::awaitable<int> clear(global_options global, clear_verb_options verb) {
    auto backend = co_await codynamo::dynamodb_backend::open(backend_config(global));
    byte_cache cache(std::move(backend));
    codynamo::clear_progress done;
    {
        progress_line line;
        codynamo::clear_options options;
        options.segments = verb.segments;
        options.progress = [&line](const codynamo::clear_progress& so_far) { line.show(so_far); };
        if (verb.expired_only)
            done = co_await cache.clear_expired(options);
        else
            done = co_await cache.clear_all(options);
    }
    co_await cache.close();
    if (global.json) {
        print_json(json::object{
            {"scanned", done.scanned}, {"deleted", done.deleted}, {"kept", done.kept}});
    } else {
        print(std::to_string(done.deleted) + " deleted, " + std::to_string(done.kept) + " kept\n");
    }
    co_return exit_ok;
}

json::object describe(const codynamo::dynamodb::table_description& table) {
    json::object words{{"table", table.table_name}, {"status", table.table_status}};
    json::array keys;
    for (const auto& key : table.key_schema)
        keys.emplace_back(key.name);
    words["keys"] = std::move(keys);
    if (table.billing_mode) {
        const bool on_demand =
            *table.billing_mode == codynamo::dynamodb::billing_mode::pay_per_request;
        words["billing"] = on_demand ? "pay_per_request" : "provisioned";
    }
    if (table.item_count) words["items"] = *table.item_count;
    if (table.table_size_bytes) words["bytes"] = *table.table_size_bytes;
    return words;
}

/// The table's words with those of its native TTL; a server without TTL has none to add.
asio::awaitable<json::object> describe_table(codynamo::dynamodb_backend backend) {
    codynamo::dynamodb::client client = backend.client();
    codynamo::dynamodb::describe_table_input about_table{backend.config().table_name};
    const auto answer = co_await client.describe_table(std::move(about_table));
    json::object words = describe(answer.table);
    codynamo::dynamodb::describe_time_to_live_input about_ttl{backend.config().table_name};
    const auto ttl = co_await client.attempt(std::move(about_ttl));
    if (ttl) {
        words["ttl"] = ttl->status;
        if (!ttl->attribute_name.empty()) words["ttl_attribute"] = ttl->attribute_name;
    }
    co_return words;
}

void print_table(const global_options& global, const json::object& words) {
    if (global.json) return print_json(words);
    for (const auto& [name, value] : words) {
        const std::string text =
            value.is_string() ? std::string(value.get_string()) : json_text(value);
        print(std::string(name) + ": " + text + "\n");
    }
}

asio::awaitable<int> table_create(global_options global) {
    auto config = backend_config(global);
    config.create = true;
    auto backend = co_await codynamo::dynamodb_backend::open(std::move(config));
    print_table(global, co_await describe_table(backend));
    co_await backend.close();
    co_return exit_ok;
}

asio::awaitable<int> table_describe(global_options global) {
    auto backend = co_await codynamo::dynamodb_backend::open(backend_config(global));
    print_table(global, co_await describe_table(backend));
    co_await backend.close();
    co_return exit_ok;
}

asio::awaitable<int> table_delete(global_options global) {
    auto backend = co_await codynamo::dynamodb_backend::open(backend_config(global));
    const bool was_there = co_await backend.delete_table();
    co_await backend.close();
    if (global.json)
        print_json(json::object{{"table", global.table}, {"deleted", was_there}});
    else if (!was_there)
        complain("there is no table '" + global.table + "'");
    co_return was_there ? exit_ok : exit_miss;
}

using table_verb = asio::awaitable<int> (*)(global_options);

void add_table_verb(CLI::App& table, program& self, const char* name, const char* words,
                    table_verb what) {
    table.add_subcommand(name, words)->callback([&self, what] {
        self.chosen = [&self, what] { return run(what(self.global)); };
    });
}

void add_clear_verb(CLI::App& app, program& self, const char* name, const char* words,
                    bool expired_only) {
    const auto options = std::make_shared<clear_verb_options>();
    options->expired_only = expired_only;
    auto* verb = app.add_subcommand(name, words);
    verb->add_option("--segments", options->segments, "Parallel scan segments, 1 to 64")
        ->capture_default_str();
    verb->callback([&self, options] {
        self.chosen = [&self, options] { return run(clear(self.global, *options)); };
    });
}

} // namespace

void add_table_verbs(CLI::App& app, program& self) {
    auto* table = app.add_subcommand("table", "The table itself");
    table->require_subcommand(1);
    add_table_verb(*table, self, "create", "Create it if missing, and wait until it is ready",
                   table_create);
    add_table_verb(*table, self, "describe", "What the service says about it", table_describe);
    add_table_verb(*table, self, "delete", "Delete it with everything in it", table_delete);
    add_clear_verb(app, self, "clear", "Delete everything in the table", false);
    add_clear_verb(app, self, "clear-expired", "Delete what has expired", true);
}

} // namespace tool
