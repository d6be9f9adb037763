// SPDX-License-Identifier: BSL-1.0
#include "program_support/command_line.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace support {
namespace {

/// The innermost verb that was recognised; the program itself where there is none.
const CLI::App& innermost(const CLI::App& app) {
    const CLI::App* at = &app;
    for (;;) {
        const auto chosen = at->get_subcommands();
        if (chosen.empty()) return *at;
        at = chosen.back();
    }
}

/// "get, set and so on", hidden ones left out.
std::string verbs_of(const CLI::App& app) {
    std::string names;
    for (const CLI::App* verb :
         app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); }))
        names += (names.empty() ? "" : ", ") + verb->get_name();
    return names;
}

bool is_option(const std::string& word) {
    return word.size() > 1 && word.front() == '-';
}

/// The first word that nothing took.
std::string first_extra(const CLI::App& app) {
    const std::vector<std::string> words = app.remaining(true);
    return words.empty() ? std::string() : words.front();
}

std::string verb_error(const CLI::App& app, const CLI::App& at) {
    const std::string extra = first_extra(app);
    if (is_option(extra)) return "unknown option '" + extra + "'";
    const std::string prefix = &at == &app ? "" : at.get_name() + " ";
    const std::string list =
        "; verbs " + (prefix.empty() ? prefix : "of " + prefix) + "are " + verbs_of(at);
    return extra.empty() ? "a verb is missing" + list
                         : "unknown verb '" + prefix + extra + "'" + list;
}

std::string sentence(const CLI::App& app, const CLI::App& at, const CLI::ParseError& error) {
    if (at.get_require_subcommand_min() > 0 && at.get_subcommands().empty())
        return verb_error(app, at);
    if (dynamic_cast<const CLI::ExtrasError*>(&error)) {
        const std::string extra = first_extra(app);
        if (extra.empty()) return error.what();
        return is_option(extra) ? "unknown option '" + extra + "'"
                                : "unexpected argument '" + extra + "'";
    }
    std::string words = error.what();
    // CLI11's end of a missing option or argument.
    constexpr std::string_view required = " is required";
    if (dynamic_cast<const CLI::RequiredError*>(&error) && words.ends_with(required))
        return words.substr(0, words.size() - required.size()) + " is missing";
    return words;
}

} // namespace

void set_up(CLI::App& app) {
    app.require_subcommand(1);
    app.set_version_flag("--version", app.get_name() + " " + CODYNAMO_VERSION);
}

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App& at = innermost(app);
    std::string help = app.get_name();
    for (const CLI::App* verb = &app; !verb->get_subcommands().empty();) {
        verb = verb->get_subcommands().back();
        help += " " + verb->get_name();
    }
    return sentence(app, at, error) + "; see " + help + " --help";
}

std::string json_word_before(const std::vector<std::string>& keys, int argc, char** argv) {
    char** const end = argv + argc;
    const auto is_key = [&keys](const char* word) {
        return std::find(keys.begin(), keys.end(), word) != keys.end();
    };
    for (char** at = argv; (at = std::find(at, end, std::string_view("--json"))) != end;) {
        ++at;
        if (at != end && !std::string_view(*at).starts_with('-') &&
            std::any_of(at + 1, end, is_key))
            return *at;
    }
    return {};
}

bool wants_json_on_stdout(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--json=-") return true;
        if (word != "--json") continue;
        const std::string_view next = i + 1 < argc ? argv[i + 1] : "-";
        if (next.starts_with('-')) return true;
    }
    return false;
}

} // namespace support
