// SPDX-License-Identifier: BSL-1.0
// Error answers: always an error with words that a terminal can show.
#include "dynamodb/codec.hpp"
#include "dynamodb/utf8.hpp"
#include "fuzz/targets.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace codynamo::fuzz {
namespace {

bool printable(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto length = dynamodb::utf8_length(text.data() + at, text.size() - at);
        const auto c = static_cast<unsigned char>(text[at]);
        if (length == 0 || c < 0x20 || c == 0x7F) return false;
        at += length;
    }
    return true;
}

} // namespace

void failure(std::string_view input) {
    constexpr std::array<unsigned, 8> statuses{400, 401, 404, 413, 429, 500, 503, 301};
    net::response_view response;
    response.status = statuses[take_byte(input) % statuses.size()];
    const auto type = take_until(input, '\n');
    const auto request_id = take_until(input, '\n');
    const std::array<net::header_view, 2> headers{
        {{"x-amzn-errortype", type}, {"x-amzn-requestid", request_id}}};
    response.headers = headers;
    response.body = input;
    const codynamo::failure why = dynamodb::decode_failure(response);
    require(why.code.failed(), "an error answer is an error");
    require(why.info && !why.info->message.empty(), "with words");
    require(printable(why.info->message), "that can be printed");
    require(printable(why.info->service_code), "the code can be printed");
    require(printable(why.info->request_id), "the request id can be printed");
    require(why.info->http_status == response.status, "with its status");
}

} // namespace codynamo::fuzz
