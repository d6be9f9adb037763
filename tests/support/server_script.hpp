// SPDX-License-Identifier: BSL-1.0
// What a test server is told to do, as data.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace codynamo::testing {

/// One thing the server does.
struct act {
    enum class kind {
        read_request, ///< reads one whole request; ends the connection when the client has ended
        read_head,    ///< reads up to the end of a request's head
        read_body,    ///< reads `size` bytes of the body that follows
        read_some,    ///< reads whatever comes first
        answer,       ///< says what the server's answer function makes of the last request
        say,          ///< sends the text
        say_raw,      ///< sends the text past TLS
        pause,        ///< waits
        end,          ///< closes, with close_notify under TLS
        drop,         ///< closes the socket without close_notify
        reset,        ///< closes with RST
        renegotiate,  ///< asks for another handshake (TLS 1.2)
        wait_end,     ///< waits until the client ends
    };
    kind what;
    std::string text;
    std::chrono::milliseconds time{};
    std::size_t size = 0;
};

inline act read_request() {
    return {act::kind::read_request, {}, {}};
}
inline act read_head() {
    return {act::kind::read_head, {}, {}};
}
inline act read_body(std::size_t size) {
    return {act::kind::read_body, {}, {}, size};
}
inline act read_some() {
    return {act::kind::read_some, {}, {}};
}
inline act answer_it() {
    return {act::kind::answer, {}, {}};
}
inline act say(std::string text) {
    return {act::kind::say, std::move(text), {}};
}
inline act say_raw(std::string bytes) {
    return {act::kind::say_raw, std::move(bytes), {}};
}
inline act pause(std::chrono::milliseconds time) {
    return {act::kind::pause, {}, time};
}
inline act end() {
    return {act::kind::end, {}, {}};
}
inline act drop() {
    return {act::kind::drop, {}, {}};
}
inline act reset() {
    return {act::kind::reset, {}, {}};
}
inline act renegotiate() {
    return {act::kind::renegotiate, {}, {}};
}
inline act wait_end() {
    return {act::kind::wait_end, {}, {}};
}

/// A whole response with Content-Length.
std::string response(std::string_view body, int status = 200, std::string_view more_headers = {});

struct stub_tls {
    std::string certificate_pem; ///< the chain
    std::string key_pem;
    bool only_tls_1_1 = false;
    bool only_tls_1_2 = false;
    bool demands_certificate = false; ///< of the client
    std::string ciphers{};            ///< of TLS 1.2 and below, as OpenSSL spells them
};

} // namespace codynamo::testing
