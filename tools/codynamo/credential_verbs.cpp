// SPDX-License-Identifier: BSL-1.0
// credentials: who would sign, where that is from, and what every other place said.
#include "output.hpp"
#include "program.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/profile.hpp>
#include <codynamo/aws/settings.hpp>

#include <chrono>
#include <cstdio>
#include <utility>

namespace tool {
namespace asio = boost::asio;
namespace json = boost::json;
namespace aws = codynamo::aws;

namespace {

/// As the AWS command line shows it.
std::string masked(const std::string& access_key_id) {
    constexpr std::size_t shown = 4;
    const std::string stars(16, '*');
    return access_key_id.size() <= shown
               ? stars
               : stars + access_key_id.substr(access_key_id.size() - shown);
}

/// RFC 3339 in UTC, whole seconds.
std::string rfc3339(codynamo::timestamp when) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(when);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(seconds - day);
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    return text;
}

json::value or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

struct region_choice {
    std::string name;
    std::string source;
    bool settings_are_sound = true;
};

/// A region is not needed to have credentials, and a file that cannot be read is told by the chain.
region_choice region_of(const global_options& global, const codynamo::environment& env) {
    region_choice chosen;
    if (!global.region.empty()) {
        chosen.name = global.region;
        chosen.source = "--region";
        return chosen;
    }
    try {
        const auto settings = aws::read_settings(env, aws::load_profile_files(env), global.profile);
        chosen.name = settings.region;
        chosen.source = settings.region_source;
    } catch (const codynamo::error& why) {
        complain(why.what());
        chosen.settings_are_sound = false;
    }
    return chosen;
}

/// Of the instance that this runs on, where nobody names one. What goes wrong is no reason not to
/// tell of credentials.
asio::awaitable<region_choice> instance_region(aws::source_options options) {
    region_choice chosen;
    try {
        chosen.name = co_await aws::instance_metadata_region(options);
        if (!chosen.name.empty()) chosen.source = "instance metadata";
    } catch (const codynamo::error& why) {
        complain(why.what());
    }
    co_return chosen;
}

/// What the link that failed said, else what all of them said.
std::string error_of(const aws::chain_report& report) {
    std::string all;
    for (const auto& each : report.asked) {
        if (each.said.starts_with("failed: ")) return each.provider + " " + each.said;
        all += (all.empty() ? "" : "; ") + each.provider + ": " + each.said;
    }
    return "no credentials found: " + all;
}

/// Everything that was found out, in the order in which it is shown.
json::object describe(const aws::chain_report& report, const region_choice& region) {
    json::object words;
    if (report.found) {
        words["provider"] = report.provider;
        words["access_key_id"] = masked(report.found->access_key_id);
        words["account_id"] = or_null(report.found->account_id);
        words["expiration"] =
            report.found->expires ? json::value(rfc3339(*report.found->expires)) : nullptr;
    } else {
        words["error"] = error_of(report);
    }
    words["region"] = or_null(region.name);
    words["region_source"] = or_null(region.source);
    json::array chain;
    for (const auto& each : report.asked)
        chain.push_back(json::object{{"provider", each.provider}, {"said", each.said}});
    words["chain"] = std::move(chain);
    return words;
}

std::string text_of(const json::value& value) {
    return value.is_string() ? std::string(value.as_string()) : std::string("none");
}

std::string lines_of(const json::object& words) {
    std::string text;
    for (const auto& [key, value] : words) {
        if (key == "chain" || key == "error") continue;
        std::string label(key);
        label.resize(14, ' ');
        text += label + " " + text_of(value) + "\n";
    }
    text += "chain\n";
    for (const auto& link : words.at("chain").as_array())
        text += "    " + text_of(link.at("provider")) + ": " + text_of(link.at("said")) + "\n";
    return text;
}

asio::awaitable<int> credentials(program& self) {
    const global_options& global = self.global;
    aws::source_options options = source_options_of(global);
    region_choice region = region_of(global, options.env);
    if (region.name.empty() && region.settings_are_sound) {
        region = co_await instance_region(options);
        options.region = region.name;
    }
    const aws::chain_report report = co_await aws::examine_chain(aws::default_chain(options));
    const json::object words = describe(report, region);
    print_answer(global.json, lines_of(words), words);
    if (report.found) co_return exit_ok;
    complain(global.json.is_stdout() ? text_of(words.at("error")) : "no credentials found");
    co_return exit_failure;
}

} // namespace

void add_credential_verbs(CLI::App& app, program& self) {
    app.add_subcommand("credentials", "Who would sign requests, and where that is from; exit code "
                                      "3 when nobody would")
        ->callback([&self] { self.chosen = [&self] { return run(credentials(self)); }; });
}

} // namespace tool
