// SPDX-License-Identifier: BSL-1.0
#include "server_under_test.hpp"

#include "run_guard.hpp"

#include <codynamo/error.hpp>
#include <codynamo/net/transport.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <istream>
#include <utility>

namespace bench {
namespace {

constexpr std::array<std::string_view, 3> engines{"dynoxide", "moto", "dynamodb-local"};
constexpr auto version_timeout = std::chrono::seconds(2);
constexpr std::size_t max_head_bytes = 64 * 1024;

struct server_version {
    std::string engine;
    std::string version;
};

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// False at the end of the head, and when what is not HTTP has used up `budget`.
bool next_line(std::istream& from, std::string& line, std::size_t& budget) {
    line.clear();
    for (char c = 0; budget > 0 && from.get(c) && c != '\n'; --budget)
        line += c;
    if (line.ends_with('\r')) line.pop_back();
    return budget > 0 && !line.empty();
}

/// The figures are UTF-8, which a header need not be.
std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

/// Of the headers of an answer: dynoxide's own, or Server. Plain HTTP only.
server_version ask_version(const std::string& url) {
    const auto server = codynamo::net::parse_origin(url, "--server");
    server_version answer;
    if (server.tls) return answer;
    boost::asio::ip::tcp::iostream stream;
    stream.expires_after(version_timeout);
    stream.connect(server.host, std::to_string(server.port));
    stream << "GET / HTTP/1.0\r\nHost: " << server.authority() << "\r\n\r\n" << std::flush;
    std::size_t budget = max_head_bytes;
    for (std::string line; next_line(stream, line, budget);) {
        const auto colon = line.find(": ");
        if (colon == line.npos) continue;
        const std::string name = lower_case(line.substr(0, colon));
        const std::string value = printable(line.substr(colon + 2));
        if (name == "x-dynoxide-version") return {"dynoxide", value};
        if (name == "server" && answer.version.empty()) answer.version = value;
    }
    return answer;
}

boost::json::value text_or_null(std::string_view text) {
    return text.empty() ? boost::json::value() : boost::json::value(text);
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

} // namespace

bool is_spawned_engine(std::string_view name) noexcept {
    return std::find(engines.begin(), engines.end(), name) != engines.end();
}

std::string server_fault(const std::string& value, const std::vector<std::string>& names) {
    if (std::find(names.begin(), names.end(), value) != names.end()) return {};
    if (value.find("://") != value.npos) {
        try {
            (void)codynamo::net::parse_origin(value, "URL");
            return {};
        } catch (const codynamo::error& error) {
            return error.what();
        }
    }
    return "'" + value + "' is " + (names.empty() ? "" : "none of " + joined(names) + ", and ") +
           "not a URL such as http://127.0.0.1:8000";
}

void add_server_option(CLI::App& app, std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> names(engines.begin(), engines.end());
    names.emplace_back(aws_server);
    names.insert(names.end(), more.begin(), more.end());
    app.add_option("--server", out,
                   "dynoxide, moto, dynamodb-local (your copy, in the folder that "
                   "DYNAMODB_LOCAL_HOME names): started for the run; aws: the endpoint of the "
                   "region; or the URL of a server")
        ->check([names](const std::string& value) { return server_fault(value, names); })
        ->capture_default_str();
}

void add_server_url_option(CLI::App& app, std::string& out) {
    app.add_option("--server", out, "URL of the server")
        ->check([](const std::string& value) { return server_fault(value, {}); })
        ->required();
}

boost::json::object describe_server(std::string_view engine, const std::string& url) {
    server_version answer;
    if (!url.empty() && engine != canned_server) answer = ask_version(url);
    return {{"engine", text_or_null(engine.empty() ? answer.engine : engine)},
            {"url", text_or_null(url)},
            {"version", text_or_null(answer.version)},
            {"package_version", nullptr}};
}

server_under_test::server_under_test(std::string name) {
    std::string engine;
    if (is_spawned_engine(name)) {
        spawned_.emplace(name);
        endpoint_ = spawned_->endpoint();
        engine = std::move(name);
        if (!endpoint_.empty())
            std::fprintf(stderr, "%s at %s\n", engine.c_str(), endpoint_.c_str());
    } else if (name == aws_server) {
        engine = std::move(name);
    } else {
        endpoint_ = std::move(name);
    }
    description_ = describe_server(engine, endpoint_);
    if (spawned_) description_["package_version"] = text_or_null(spawned_->package_version());
}

std::optional<pid_t> server_under_test::pid() const {
    if (!spawned_) return std::nullopt;
    return spawned_->pid();
}

} // namespace bench
