// SPDX-License-Identifier: BSL-1.0
// Printing, with the library's own JSON, which keeps every number exact.
#include "output.hpp"

#include "program.hpp"

#include <codynamo/json_serializer.hpp>

#include <cstdio>
#include <stdexcept>

namespace tool {
namespace json = boost::json;

void print(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() ||
        std::fflush(stdout) != 0) {
        throw std::runtime_error("stdout does not take the output");
    }
}

void print_json(const json::value& value) {
    print(json_text(value) + "\n");
}

void print_answer(const support::json_output& to, std::string_view text, const json::value& words) {
    if (!to.is_stdout()) print(text);
    if (to.is_wanted()) to.write(json_text(words));
}

void print_answer(const support::json_output& to, const json::value& words) {
    print_answer(to, json_text(words) + "\n", words);
}

void complain(std::string_view sentence) {
    std::fprintf(stderr, "codynamo: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
}

json::object describe(const codynamo::error& why) {
    const codynamo::diagnostics& info = why.info();
    json::object words{{"error", why.as_failure().message()},
                       {"kind", why.code().message()},
                       {"attempts", info.attempts},
                       {"outcome_unknown", info.outcome_unknown}};
    if (!info.service_code.empty()) words["service_code"] = info.service_code;
    if (info.http_status != 0) words["http_status"] = info.http_status;
    if (!info.request_id.empty()) words["request_id"] = info.request_id;
    return words;
}

int exit_code_of(const boost::system::error_code& code) {
    return code == codynamo::errc::invalid_argument ? exit_usage : exit_failure;
}

json::value parse_json(std::string_view text) {
    return codynamo::json_serializer<json::value>().deserialize(text);
}

std::string json_text(const json::value& value) {
    return codynamo::json_serializer<json::value>().serialize(value);
}

std::string base64(std::string_view bytes) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        unsigned group = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            group = group << 8 |
                    (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            text += at + i > bytes.size() ? '=' : digits[group >> (18 - 6 * i) & 63];
        }
    }
    return text;
}

double in_seconds(std::chrono::microseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

} // namespace tool
