// SPDX-License-Identifier: BSL-1.0
// Signatures: any request is signed, the same each time, or refused; no header is injected.
#include "fuzz/targets.hpp"

#include <codynamo/aws/sigv4.hpp>

#include <algorithm>
#include <string>

namespace codynamo::fuzz {
namespace {

constexpr std::chrono::sys_seconds when{std::chrono::seconds{1'440'938'160}};

void check_any(std::string_view input) {
    aws::signable_request request;
    aws::signing_options options;
    const unsigned char flags = take_byte(input);
    options.normalize_path = (flags & 1) != 0;
    options.omit_session_token = (flags & 2) != 0;
    options.sign_body = (flags & 4) != 0;
    request.method = take_until(input, '\n');
    request.target = take_until(input, '\n');
    for (auto line = take_until(input, '\n'); !line.empty(); line = take_until(input, '\n')) {
        const auto name = take_until(line, ':');
        request.headers.emplace_back(name, line);
    }
    request.body = input;
    const aws::credentials who("AKIDEXAMPLE", "secret", (flags & 8) != 0 ? "token" : "");
    (void)succeeds(
        [&] {
            const auto once = aws::sign(request, who, {"us-east-1", "service"}, when, options);
            const auto twice = aws::sign(request, who, {"us-east-1", "service"}, when, options);
            require(once.signature == twice.signature, "signing is a function");
            require(once.signature.size() == 64 &&
                        once.signature.find_first_not_of("0123456789abcdef") == std::string::npos,
                    "64 hexadecimal digits");
            for (const auto& [name, value] : once.added_headers)
                require(value.find_first_of("\r\n") == value.npos, "no header is injected");
        },
        errc::invalid_argument);
}

void check_json(std::string_view input) {
    const std::string authority(take_until(input, '\n'));
    const std::string region(take_until(input, '\n'));
    const std::string target(take_until(input, '\n'));
    const std::string id(take_until(input, '\n'));
    const std::string token(take_until(input, '\n'));
    std::string head;
    const bool written = succeeds(
        [&] {
            aws::json_request_signer signer(authority, {region, "dynamodb"});
            const auto who = std::make_shared<const aws::credentials>(id, "secret", token);
            signer.write_head(head, target, input, who, when);
        },
        errc::invalid_argument);
    if (!written) return require(head.empty(), "a refused head is untouched");
    const auto lines = std::count(head.begin(), head.end(), '\n');
    require(lines == (token.empty() ? 10 : 11), "no header is injected");
    require(head.ends_with("\r\n\r\n"), "a whole head");
}

} // namespace

void signature(std::string_view input) {
    if (take_byte(input) % 2 == 0)
        check_any(input);
    else
        check_json(input);
}

} // namespace codynamo::fuzz
