// SPDX-License-Identifier: BSL-1.0
// get, set and rm: one value, in or out.
#include "output.hpp"
#include "program.hpp"
#include "program_support/command_line.hpp"
#include "program_support/files.hpp"

#include <codynamo/cache.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
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

/// No value of a table is as large.
constexpr std::size_t most_value_bytes = 16U << 20U;

/// The VALUE of set: itself, "-" for stdin, "@FILE" for a file's content.
std::string value_of(const std::string& argument) {
    if (argument == "-") return support::read_stdin("VALUE", most_value_bytes);
    if (!argument.starts_with('@')) return argument;
    return support::read_file(argument.substr(1), "VALUE", most_value_bytes);
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

std::string plain_text(const std::string& stored, const format_options& format) {
    if (format.bytes) return stored;
    return (format.text ? stored : json_text(parse_stored(stored))) + "\n";
}

asio::awaitable<int> get(program& self, item_options_ptr options) {
    const support::json_output& json_to = self.global.json;
    byte_cache cache(co_await open_table(self));
    const auto found = co_await cache.get_entry(options->key);
    if (found) {
        // With --json alone, bytes that are no text are not made one.
        const std::string text =
            json_to.is_stdout() ? std::string() : plain_text(found->value, options->format);
        const json::value words =
            json_to.is_wanted() ? describe(options->key, *found, options->format) : json::object();
        print_answer(json_to, text, words);
    } else {
        json_to.write(json_text(json::object{{"key", options->key}, {"hit", false}}));
        if (!json_to.is_stdout())
            complain("no value under the key " + json_text(json::string(options->key)) +
                     " in table '" + self.global.table + "'");
    }
    co_await cache.close();
    co_return found ? exit_ok : exit_miss;
}

asio::awaitable<int> set(program& self, item_options_ptr options) {
    const std::chrono::duration<double> lifetime(options->ttl_seconds);
    codynamo::detail::cache_core::check_key(options->key);
    std::string bytes = encode(value_of(options->value), options->format);
    const auto size = bytes.size();
    byte_cache cache(co_await open_table(self));
    self.writing = true;
    co_await cache.set(options->key, std::move(bytes), lifetime);
    self.writing = false;
    self.global.json.write(json_text(json::object{
        {"key", options->key}, {"bytes", size}, {"ttl_seconds", options->ttl_seconds}}));
    co_await cache.close();
    co_return exit_ok;
}

/// What became of the keys of rm, in their order.
struct erasure {
    std::vector<std::string> keys;
    std::vector<bool> was_there{}; ///< of those that are done

    [[nodiscard]] json::array done(bool there) const {
        json::array names;
        for (std::size_t i = 0; i != was_there.size(); ++i)
            if (was_there[i] == there) names.emplace_back(keys[i]);
        return names;
    }
    [[nodiscard]] json::object figures() const {
        return {{"erased", done(true)}, {"missing", done(false)}};
    }
    /// At an early end: what became of the key after those that are done.
    [[nodiscard]] steps_done so_far(write_state last) const {
        json::object words = figures();
        json::array failed;
        json::array unknown;
        json::array untried;
        for (std::size_t i = was_there.size(); i != keys.size(); ++i) {
            const bool tried = i == was_there.size() && last != write_state::none;
            json::array& where = !tried ? untried : last == write_state::unknown ? unknown : failed;
            where.emplace_back(keys[i]);
        }
        words["failed"] = std::move(failed);
        words["unknown"] = std::move(unknown);
        words["not_tried"] = std::move(untried);
        std::string text;
        for (const auto& [name, names] : words) {
            if (names.as_array().empty()) continue;
            std::string label(name == "not_tried" ? "not tried" : name);
            text += (text.empty() ? "" : ", ") + label + " " + json_text(names);
        }
        return {std::move(words), std::move(text)};
    }
};

asio::awaitable<int> rm(program& self, item_options_ptr options) {
    for (const std::string& key : options->keys)
        codynamo::detail::cache_core::check_key(key);
    byte_cache cache(co_await open_table(self));
    const auto made = std::make_shared<erasure>(erasure{options->keys});
    self.done_so_far = [made](write_state last) { return made->so_far(last); };
    for (const std::string& key : made->keys) {
        self.writing = true;
        const bool was_there = co_await cache.erase(key);
        self.writing = false;
        made->was_there.push_back(was_there);
    }
    self.global.json.write(json_text(made->figures()));
    const json::array missing = made->done(false);
    if (!self.global.json.is_stdout()) {
        for (const json::value& key : missing)
            complain("no value under the key " + json_text(key) + " in table '" +
                     self.global.table + "'");
    }
    self.done_so_far = nullptr;
    co_await cache.close();
    co_return missing.empty() ? exit_ok : exit_miss;
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
    get_verb->callback(
        [&self, options] { self.chosen = [&self, options] { return run(get(self, options)); }; });

    auto* set_verb = app.add_subcommand("set", "Store a value");
    set_verb->add_option("KEY", options->key)->required();
    set_verb->add_option("VALUE", options->value, "JSON text; '-' reads stdin, '@FILE' a file")
        ->required();
    set_verb
        ->add_option("--ttl", options->ttl_seconds,
                     "Lifetime in seconds, fractions allowed; 0 is for ever")
        ->check(support::in_range(0.0, 1e9)); // thirty years
    add_format(*set_verb, options->format);
    set_verb->callback(
        [&self, options] { self.chosen = [&self, options] { return run(set(self, options)); }; });

    auto* rm_verb = app.add_subcommand("rm", "Erase values; exit code 1 when one was not there");
    rm_verb->add_option("KEY", options->keys)->required();
    rm_verb->callback(
        [&self, options] { self.chosen = [&self, options] { return run(rm(self, options)); }; });
}

} // namespace tool
