// SPDX-License-Identifier: BSL-1.0
// Bytes from a server: the same response however they are cut, and a decoder that refuses or reads.
#include "dynamodb/codec.hpp"
#include "fuzz/targets.hpp"
#include "net/wire.hpp"

#include <algorithm>
#include <string>

namespace codynamo::fuzz {
namespace {

struct parsed {
    net::advance state = net::advance::more;
    unsigned status = 0;
    std::string body{};
    bool reusable = false;

    friend bool operator==(const parsed&, const parsed&) = default;
};

void look_at(const net::response_view& response, unsigned char operation) {
    if (response.status != 200) {
        (void)dynamodb::decode_failure(response);
        return;
    }
    (void)succeeds([&] { dynamodb::check_crc32(response); }, errc::checksum_mismatch);
    unsigned at = 0;
#define CODYNAMO_DECODE(name)                                                                      \
    if (operation % 16 == at++)                                                                    \
        (void)succeeds(                                                                            \
            [&] {                                                                                  \
                dynamodb::name##_output out;                                                       \
                dynamodb::decode(response.body, out);                                              \
            },                                                                                     \
            errc::bad_response);
    CODYNAMO_FOR_EACH_OPERATION(CODYNAMO_DECODE)
#undef CODYNAMO_DECODE
}

parsed feed(std::string_view bytes, std::size_t piece, unsigned char operation) {
    net::pool_config limits;
    limits.max_head_bytes = 1024;
    limits.max_body_bytes = 4096;
    net::wire protocol({false, "h", 80}, limits, nullptr);
    protocol.reset();
    protocol.begin();
    protocol.head() = "POST / HTTP/1.1\r\n\r\n";
    require(protocol.request(), "without TLS a request can always be sent");
    const auto [first, second] = protocol.unsent();
    require(protocol.sent(first.size() + second.size()), "and so can the rest of it");
    parsed out;
    while (out.state == net::advance::more && !bytes.empty()) {
        const auto space = protocol.space();
        require(!space.empty(), "there is room for more bytes");
        const auto n = std::min({piece, bytes.size(), space.size()});
        std::copy_n(bytes.data(), n, space.data());
        bytes.remove_prefix(n);
        out.state = protocol.received(n);
    }
    if (out.state == net::advance::more) out.state = protocol.ended();
    require(out.state != net::advance::more, "the end of the connection is an end");
    if (out.state != net::advance::done) return out;
    const auto response = protocol.response();
    out.status = response.status;
    out.body = response.body;
    out.reusable = protocol.reusable() && bytes.empty();
    require(out.body.size() <= limits.max_body_bytes, "the body's bound");
    look_at(response, operation);
    return out;
}

} // namespace

void response(std::string_view input) {
    const std::size_t piece = 1 + take_byte(input) % 64;
    const unsigned char operation = take_byte(input);
    const parsed whole = feed(input, input.size() + 1, operation);
    const parsed cut = feed(input, piece, operation);
    require((whole.state == net::advance::done) == (cut.state == net::advance::done),
            "the cuts do not decide whether there is a response");
    if (whole.state != net::advance::done) return;
    require(whole.status == cut.status && whole.body == cut.body,
            "the cuts do not decide what the response is");
}

} // namespace codynamo::fuzz
