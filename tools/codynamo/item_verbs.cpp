// SPDX-License-Identifier: BSL-1.0
// get, set and rm: one value, in or out.
#include "output.hpp"
#include "program.hpp"

#include <codynamo/cache.hpp>

#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace tool {
namespace asio = boost::asio;
namespace json = boost::json;
using byte_cache = codynamo::cache<std::string, codynamo::bytes_serializer<>>;

namespace {

/// How a value is shown and read: JSON unless told otherwise.
struct format_options {
    bool bytes = false;
    bool text = false;
};

struct item_options {
    std::vector<std::string> keys;
    std::string key;
    std::string value;
    double ttl_seconds = 0;
    format_options format;
};

using item_options_ptr = std::shared_ptr<item_options>;

std::string read_all(std::istream& from, const std::string& name) {
    std::string content(std::istreambuf_iterator<char>(from), {});
    if (from.bad()) {
        throw codynamo::error(codynamo::errc::invalid_argument, name + " cannot be read");
    }
    return content;
}

/// The VALUE of set: itself, "-" for stdin, "@FILE" for a file's content.
std::string value_of(const std::string& argument) {
    if (argument == "-") return read_all(std::cin, "stdin");
    if (!argument.starts_with('@')) return argument;
    const std::string name = argument.substr(1);
    std::ifstream file(name, std::ios::binary);
    if (!file) {
        throw codynamo::error(codynamo::errc::invalid_argument, "VALUE: no file '" + name + "'");
    }
    return read_all(file, name);
}

/// What is stored for a VALUE. JSON is checked before anything is sent.
std::string encode(std::string value, const format_options& format) {
    if (format.bytes || format.text) return value;
    try {
        return json_text(parse_json(value));
    } catch (const std::exception& why) {
        throw codynamo::error(codynamo::errc::invalid_argument,
                              std::string("VALUE: ") + why.what() +
                                  " (for anything else there are --text and --bytes)");
    }
}

json::value parse_stored(const std::string& stored) {
    try {
        return parse_json(stored);
    } catch (const std::exception& why) {
        throw codynamo::error(codynamo::errc::deserialize_failed,
                              std::string("the value: ") + why.what() +
                                  " (for anything else there are --text and --bytes)");
    }
}

json::object describe(const std::string& key, const codynamo::entry<std::string>& found,
                      const format_options& format) {
    json::object answer{{"key", key}, {"hit", true}};
    if (format.bytes)
        answer["value_base64"] = base64(found.value);
    else if (format.text)
        answer["value"] = found.value;
    else
        answer["value"] = parse_stored(found.value);
    answer["age_seconds"] = in_seconds(found.age);
    if (found.remaining)
        answer["remaining_seconds"] = in_seconds(*found.remaining);
    else
        answer["remaining_seconds"] = nullptr;
    answer["source"] = found.source;
    return answer;
}

void print_plain(const std::string& stored, const format_options& format) {
    if (format.bytes) return print(stored);
    print((format.text ? stored : json_text(parse_stored(stored))) + "\n");
}

asio::awaitable<int> get(global_options global, item_options_ptr options) {
    auto backend = co_await codynamo::dynamodb_backend::open(backend_config(global));
    byte_cache cache(std::move(backend));
    const auto found = co_await cache.get_entry(options->key);
    if (!found) {
        if (global.json)
            print_json(json::object{{"key", options->key}, {"hit", false}});
        else
            complain("no value under this key");
    } else if (global.json) {
        print_json(describe(options->key, *found, options->format));
    } else {
        print_plain(found->value, options->format);
    }
    co_await cache.close();
    co_return found ? exit_ok : exit_miss;
}

asio::awaitable<int> set(global_options global, item_options_ptr options) {
    const std::chrono::duration<double> lifetime(options->ttl_seconds);
    std::string bytes = encode(value_of(options->value), options->format);
    const auto size = bytes.size();
    auto backend = co_await codynamo::dynamodb_backend::open(backend_config(global));
    byte_cache cache(std::move(backend));
    co_await cache.set(options->key, std::move(bytes), lifetime);
    co_await cache.close();
    if (global.json) {
        print_json(json::object{
            {"key", options->key}, {"bytes", size}, {"ttl_seconds", options->ttl_seconds}});
    }
    co_return exit_ok;
}

asio::awaitable<int> rm(global_options global, item_options_ptr options) {
    auto backend = co_await codynamo::dynamodb_backend::open(backend_config(global));
    byte_cache cache(std::move(backend));
    json::array erased;
    json::array missing;
    for (const std::string& key : options->keys) {
        const bool was_there = co_await cache.erase(key);
        (was_there ? erased : missing).emplace_back(key);
    }
    co_await cache.close();
    const int code = missing.empty() ? exit_ok : exit_miss;
    if (global.json) {
        print_json(json::object{{"erased", std::move(erased)}, {"missing", std::move(missing)}});
    } else if (code == exit_miss) {
        for (const json::value& key : missing)
            complain("there was nothing under " + json_text(key));
    }
    co_return code;
}

void add_format(CLI::App& verb, format_options& format) {
    auto* bytes = verb.add_flag("--bytes", format.bytes, "The value is bytes, taken as they are");
    verb.add_flag("--text", format.text, "The value is text, taken as it is")->excludes(bytes);
}

} // namespace

void add_item_verbs(CLI::App& app, program& self) {
    const auto options = std::make_shared<item_options>();
    auto* get_verb = app.add_subcommand("get", "Print a value, alone");
    get_verb->add_option("KEY", options->key)->required();
    add_format(*get_verb, options->format);
    get_verb->callback([&self, options] {
        self.chosen = [&self, options] { return run(get(self.global, options)); };
    });

    auto* set_verb = app.add_subcommand("set", "Store a value");
    set_verb->add_option("KEY", options->key)->required();
    set_verb->add_option("VALUE", options->value, "JSON text; '-' reads stdin, '@FILE' a file")
        ->required();
    set_verb
        ->add_option("--ttl", options->ttl_seconds,
                     "Lifetime in seconds, fractions allowed; 0 is for ever")
        ->check(CLI::Range(0.0, 1e9)); // thirty years
    add_format(*set_verb, options->format);
    set_verb->callback([&self, options] {
        self.chosen = [&self, options] { return run(set(self.global, options)); };
    });

    auto* rm_verb = app.add_subcommand("rm", "Erase values; exit code 1 when one was not there");
    rm_verb->add_option("KEY", options->keys)->required();
    rm_verb->callback([&self, options] {
        self.chosen = [&self, options] { return run(rm(self.global, options)); };
    });
}

} // namespace tool
