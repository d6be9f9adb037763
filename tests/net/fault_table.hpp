// SPDX-License-Identifier: BSL-1.0
// The faults, as data: what the server does to one attempt, and what must come of it.
#pragma once

#include "support/server_script.hpp"

#include <codynamo/error.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::test {

enum class again {
    never,
    if_safe, ///< when the operation may be sent twice
    always,  ///< the request has certainly not been executed
};

/// What a call gets of an attempt with this fault.
enum class gives { failure, right };

struct fault {
    std::string name;
    /// The acts of one turn, from the body of the right answer.
    std::function<std::vector<testing::act>(const std::string& body)> acts;
    gives value = gives::failure;
    errc code = errc::connection_lost; ///< of the failure
    again retry = again::never;
    /// Whether the connection may serve the next request.
    bool reused = false;
    /// Before the next request is sent.
    std::chrono::milliseconds rest{0};
    /// Empty for all operations.
    std::string_view only_for{};
    /// With TLS: happens in place of the handshake.
    bool before_tls = false;
};

using said = std::function<std::string(const std::string& body)>;

/// Acts that read the request and say something else than the right answer.
std::function<std::vector<testing::act>(const std::string&)> read_and_say(said what);
/// An answer that is tolerated.
fault fine(std::string name, said what, bool reused);
/// An answer that nobody can understand: the request may have been executed all the same.
fault bad(std::string name, said what, errc code = errc::bad_response);

/// Silence, garbage and all kinds of ends, at every step of a request.
std::vector<fault> broken_connections();
/// Wrong framing and right but unusual framing.
std::vector<fault> framings();
/// Well framed answers with wrong or unusual contents.
std::vector<fault> contents();
/// What stores that speak the protocol leave out or say in their own way: all tolerated.
std::vector<fault> compatible_answers();
/// Error answers of the service and of what stands before it.
std::vector<fault> error_answers();
/// What happens instead of a TLS handshake.
std::vector<fault> broken_handshakes();

} // namespace codynamo::test
