// SPDX-License-Identifier: BSL-1.0
// Which server a live test meets, by what the server says about itself.
#pragma once

#include <string>

namespace codynamo::test {

/// Of an http URL with a port: "dynoxide 1.5.0", "moto (Werkzeug/3.1)", "DynamoDB Local
/// (Jetty(12.0.14))", or what else the headers of its answer say. Throws std::runtime_error when
/// nothing answers.
[[nodiscard]] std::string server_at(const std::string& url);

/// The URL that the variable holds. Prints which server is there, once for each URL. Throws
/// std::runtime_error when it is not set; by its words ctest takes the test as skipped.
[[nodiscard]] std::string endpoint_from(const char* variable);

} // namespace codynamo::test
