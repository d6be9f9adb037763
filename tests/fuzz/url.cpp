// SPDX-License-Identifier: BSL-1.0
// URLs, regions and ARNs: an endpoint that can be written down and read again, or an error.
#include "fuzz/targets.hpp"

#include <codynamo/aws/endpoint.hpp>

#include <string>

namespace codynamo::fuzz {
namespace {

void check_origin(const net::origin& server) {
    const std::string url = (server.tls ? "https://" : "http://") + server.authority();
    require(url.find_first_of("\r\n\t @") == url.npos, "nothing that would break a header");
    const auto again = net::parse_origin(url, "again");
    require(again.tls == server.tls && again.port == server.port &&
                again.authority() == server.authority(),
            "an authority reads back");
}

} // namespace

void url(std::string_view input) {
    aws::endpoint_parameters of;
    const unsigned char flags = take_byte(input);
    of.use_fips = (flags & 1) != 0;
    of.use_dualstack = (flags & 2) != 0;
    of.mode = static_cast<aws::account_id_endpoint_mode>((flags >> 2) % 3);
    of.endpoint = take_until(input, '\n');
    of.region = take_until(input, '\n');
    of.account_id = take_until(input, '\n');
    while (!input.empty())
        of.resource_arns.emplace_back(take_until(input, '\n'));
    (void)succeeds([&] { check_origin(net::parse_origin(of.endpoint, "endpoint")); },
                   errc::invalid_argument);
    (void)succeeds(
        [&] {
            const auto where = aws::resolve_endpoint(of);
            check_origin(where.server);
            require(!where.signing_region.empty() || (of.region.empty() && !of.endpoint.empty()),
                    "a region to sign for, unless a custom endpoint has none");
        },
        errc::invalid_argument);
}

} // namespace codynamo::fuzz
