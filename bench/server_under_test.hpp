// SPDX-License-Identifier: BSL-1.0
// The server that --server names: one that is started for the run, or one that is there.
#pragma once

#include "spawned_server.hpp"

#include <boost/json/object.hpp>

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace bench {

/// The endpoint of the region, or what the environment names instead.
inline constexpr std::string_view aws_server = "aws";
/// Fixed answers: what is measured against it is the client.
inline constexpr std::string_view canned_server = "canned";

/// dynoxide, moto and dynamodb-local: started for the run, and empty.
[[nodiscard]] bool is_spawned_engine(std::string_view name) noexcept;

/// Empty, or what is wrong with `value`, which may be one of `names` or the URL of a server.
[[nodiscard]] std::string server_fault(const std::string& value,
                                       const std::vector<std::string>& names);

/// --server, with the engines, aws, and `more` names beside a URL.
void add_server_option(CLI::App& app, std::string& out, const std::vector<std::string>& more = {});
/// --server, a URL and nothing else; required.
void add_server_url_option(CLI::App& app, std::string& out);

class server_under_test {
public:
    /// `name`: as --server has it, but canned. An engine is started, which an interruption gives
    /// up: see interruption::came().
    explicit server_under_test(std::string name);

    [[nodiscard]] bool is_spawned() const noexcept { return spawned_.has_value(); }
    /// URL of the server; empty: the library finds the endpoint of the region.
    [[nodiscard]] const std::string& endpoint() const noexcept { return endpoint_; }
    /// Of the server that was started.
    [[nodiscard]] std::optional<pid_t> pid() const;
    /// As describe_server(), with the version of the installed package.
    [[nodiscard]] const boost::json::object& description() const noexcept { return description_; }

private:
    std::optional<spawned_server> spawned_;
    std::string endpoint_;
    boost::json::object description_;
};

/// `engine`, `url` and `version`, which is what the server says of itself; `package_version` of one
/// that is started. Each is null when it is not known.
[[nodiscard]] boost::json::object describe_server(std::string_view engine, const std::string& url);

} // namespace bench
