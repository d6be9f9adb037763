// SPDX-License-Identifier: BSL-1.0
// table create, describe and delete; clear and clear-expired: everything at once.
#include "output.hpp"
#include "program.hpp"
#include "program_support/command_line.hpp"
#include "program_support/terminal.hpp"

#include <codynamo/cache.hpp>

#include <cstdint>
#include <memory>
#include <string>
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

std::string count(std::uint64_t number, const char* what) {
    return std::to_string(number) + what;
}

/// A line of progress on the terminal, if there is one.
class clear_report {
public:
    void note(const codynamo::clear_progress& so_far) {
        done_ = so_far;
        if (!terminal_) return;
        support::show_progress(count(so_far.scanned, " scanned, ") +
                               count(so_far.deleted, " deleted, ") + count(so_far.kept, " kept"));
        shown_ = true;
    }
    void end_line() {
        if (std::exchange(shown_, false)) support::clear_progress();
    }
    ~clear_report() { end_line(); }

    [[nodiscard]] steps_done so_far() const {
        return {{{"scanned", done_.scanned}, {"deleted", done_.deleted}, {"kept", done_.kept}},
                count(done_.deleted, " deleted, ") + count(done_.kept, " kept")};
    }

private:
    codynamo::clear_progress done_;
    const bool terminal_ = support::is_stderr_terminal();
    bool shown_ = false;
};

asio::awaitable<int> clear(program& self, clear_verb_options verb) {
    byte_cache cache(co_await open_table(self));
    const auto report = std::make_shared<clear_report>();
    self.done_so_far = [report](write_state) {
        report->end_line();
        return report->so_far();
    };
    codynamo::clear_options options;
    options.segments = verb.segments;
    options.progress = [report](const codynamo::clear_progress& so_far) { report->note(so_far); };
    self.writing = true;
    if (verb.expired_only)
        report->note(co_await cache.clear_expired(options));
    else
        report->note(co_await cache.clear_all(options));
    self.writing = false;
    report->end_line();
    const steps_done done = report->so_far();
    print_answer(self.global.json, done.text + "\n", done.figures);
    self.done_so_far = nullptr;
    co_await cache.close();
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

void print_table(const program& self, const json::object& words) {
    std::string text;
    for (const auto& [name, value] : words) {
        text += std::string(name) + ": " +
                (value.is_string() ? std::string(value.get_string()) : json_text(value)) + "\n";
    }
    print_answer(self.global.json, text, words);
}

asio::awaitable<int> table_create(program& self) {
    auto backend = co_await open_table(self);
    self.writing = true;
    co_await backend.ensure_table();
    self.writing = false;
    print_table(self, co_await describe_table(backend));
    co_await backend.close();
    co_return exit_ok;
}

asio::awaitable<int> table_describe(program& self) {
    auto backend = co_await open_table(self);
    print_table(self, co_await describe_table(backend));
    co_await backend.close();
    co_return exit_ok;
}

asio::awaitable<int> table_delete(program& self) {
    auto backend = co_await open_table(self);
    self.writing = true;
    const bool was_there = co_await backend.delete_table();
    self.writing = false;
    self.global.json.write(
        json_text(json::object{{"table", self.global.table}, {"deleted", was_there}}));
    if (!was_there && !self.global.json.is_stdout())
        complain("there is no table '" + self.global.table + "' in " + self.place);
    co_await backend.close();
    co_return was_there ? exit_ok : exit_miss;
}

using table_verb = asio::awaitable<int> (*)(program&);

void add_table_verb(CLI::App& table, program& self, const char* name, const char* words,
                    table_verb what) {
    table.add_subcommand(name, words)->callback([&self, what] {
        self.chosen = [&self, what] { return run(what(self)); };
    });
}

void add_clear_verb(CLI::App& app, program& self, const char* name, const char* words,
                    bool expired_only) {
    const auto options = std::make_shared<clear_verb_options>();
    options->expired_only = expired_only;
    auto* verb = app.add_subcommand(name, words);
    verb->add_option("--segments", options->segments, "Parallel scan segments, 1 to 64")
        ->check(support::in_range(1U, 64U))
        ->capture_default_str();
    verb->callback([&self, options] {
        self.chosen = [&self, options] { return run(clear(self, *options)); };
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
