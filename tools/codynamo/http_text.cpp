// SPDX-License-Identifier: BSL-1.0
// Takes a request's text apart, as it stands: what is a valid header is the signer's to say.
#include "http_text.hpp"

#include <codynamo/error.hpp>

#include <string>

namespace tool {
namespace {

[[noreturn]] void refuse(unsigned line, const char* why) {
    throw codynamo::error(codynamo::errc::invalid_argument,
                          "request, line " + std::to_string(line) + ": " + why);
}

/// The next line without its end; what remains is left in `text`.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

void parse_request_line(std::string_view line, codynamo::aws::signable_request& out) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last ||
        !line.substr(last).starts_with(" HTTP/"))
        refuse(1, "not of the form METHOD TARGET HTTP/1.1");
    out.method = line.substr(0, first);
    out.target = line.substr(first + 1, last - first - 1);
}

} // namespace

codynamo::aws::signable_request parse_request(std::string_view text) {
    codynamo::aws::signable_request out;
    parse_request_line(take_line(text), out);
    for (unsigned number = 2; !text.empty(); ++number) {
        const std::string_view line = take_line(text);
        if (line.empty()) break;
        if (line.front() == ' ' || line.front() == '\t') {
            if (out.headers.empty()) refuse(number, "continues a header, and there is none");
            out.headers.back().second.append("\n").append(line);
            continue;
        }
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) refuse(number, "not of the form Name: value");
        out.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
    }
    out.body = text;
    return out;
}

} // namespace tool
