// SPDX-License-Identifier: BSL-1.0
// Faults of the answer's frame: heads, lengths and chunks, wrong ones and right but unusual ones.
#include "fault_table.hpp"

namespace codynamo::test {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using script = std::vector<act>;

std::string ok(std::string_view headers, std::string_view rest) {
    return "HTTP/1.1 200 OK\r\n" + std::string(headers) + "\r\n" + std::string(rest);
}

std::string with_length(const std::string& length, const std::string& body) {
    return ok("Content-Length: " + length + "\r\n", body);
}

std::string size_of(const std::string& body, int more = 0) {
    return std::to_string(static_cast<int>(body.size()) + more);
}

std::string hexadecimal(std::size_t n) {
    std::string digits;
    for (; n != 0; n /= 16)
        digits.insert(digits.begin(), "0123456789abcdef"[n % 16]);
    return digits;
}

std::string chunk(const std::string& text) {
    return hexadecimal(text.size()) + "\r\n" + text + "\r\n";
}

std::string chunked(const std::string& chunks) {
    return ok("Transfer-Encoding: chunked\r\n", chunks);
}

std::vector<fault> right_framings() {
    const auto halves = [](const std::string& b) {
        return chunk(b.substr(0, 1)) + chunk(b.substr(1));
    };
    return {
        fine(
            "a chunked answer",
            [=](const std::string& b) { return chunked(halves(b) + "0\r\n\r\n"); }, true),
        fine(
            "chunks with extensions and a trailer",
            [](const std::string& b) {
                return chunked(hexadecimal(b.size()) + ";a=\"b\"\r\n" + b +
                               "\r\n0\r\nX-Late: 1\r\n\r\n");
            },
            true),
        fine(
            "the same length twice",
            [](const std::string& b) {
                return with_length(size_of(b) + "\r\nContent-Length: " + size_of(b), b);
            },
            true),
        fine(
            "100 Continue first",
            [](const std::string& b) { return "HTTP/1.1 100 Continue\r\n\r\n" + response(b); },
            true),
        fine(
            "103 Early Hints first",
            [](const std::string& b) {
                return "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + response(b);
            },
            true),
        fine(
            "HTTP/1.0",
            [](const std::string& b) {
                return "HTTP/1.0 200 OK\r\nContent-Length: " + size_of(b) + "\r\n\r\n" + b;
            },
            false),
        fine(
            "HTTP/1.0 with keep-alive",
            [](const std::string& b) {
                return "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: " +
                       size_of(b) + "\r\n\r\n" + b;
            },
            true),
        fine(
            "Connection: close",
            [](const std::string& b) { return response(b, 200, "Connection: close\r\n"); }, false),
        fine(
            "surplus bytes in the same piece",
            [](const std::string& b) { return response(b) + "?"; }, false),
        fine(
            "a second response in the same piece",
            [](const std::string& b) { return response(b) + response("{\"Item\":{}}"); }, false),
        {.name = "the answer before the request has been read",
         .acts =
             [](const std::string& b) {
                 return script{say(response(b)), read_request()};
             },
         .value = gives::right,
         .reused = true},
        {.name = "a second response a little later",
         .acts =
             [](const std::string& b) {
                 return script{read_request(), say(response(b)), pause(5ms),
                               say(response("{\"Item\":{\"key\":{\"S\":\"other\"}}}")), wait_end()};
             },
         .value = gives::right,
         .rest = 60ms},
        {.name = "no length, ended with close_notify",
         .acts =
             [](const std::string& b) {
                 return script{read_request(), say(ok("", b)), end()};
             },
         .value = gives::right},
    };
}

std::vector<fault> wrong_lengths() {
    std::vector<fault> all{
        bad("a negative length", [](const std::string& b) { return with_length("-5", b); }),
        bad("a length that is no number",
            [](const std::string& b) { return with_length("many", b); }),
        bad("a length with a sign",
            [](const std::string& b) { return with_length("+" + size_of(b), b); }),
        bad("a length in hexadecimal",
            [](const std::string& b) { return with_length("0x" + hexadecimal(b.size()), b); }),
        bad("a length beyond 64 bits",
            [](const std::string& b) { return with_length("18446744073709551617", b); }),
        bad("two lengths that differ",
            [](const std::string& b) {
                return with_length(size_of(b) + "\r\nContent-Length: 1", b);
            }),
        bad("a list of lengths that differ",
            [](const std::string& b) { return with_length(size_of(b) + ", 1", b); }),
        bad("length and chunks",
            [](const std::string& b) {
                return ok("Content-Length: " + size_of(b) + "\r\nTransfer-Encoding: chunked\r\n",
                          chunk(b) + "0\r\n\r\n");
            }),
        bad("a length too short, the rest at once",
            [](const std::string& b) { return with_length(size_of(b, -1), b); }),
        bad(
            "the largest length",
            [](const std::string& b) { return with_length("18446744073709551615", b); },
            errc::response_too_large),
        bad(
            "a length over the limit",
            [](const std::string& b) { return with_length("100001", b); },
            errc::response_too_large),
    };
    all.push_back({.name = "a length too short, the rest in answer to the next request",
                   .acts =
                       [](const std::string& b) {
                           return script{
                               read_request(),
                               say(with_length(size_of(b, -1), b.substr(0, b.size() - 1))),
                               read_some(), say(b.substr(b.size() - 1)), wait_end()};
                       },
                   .code = errc::bad_response});
    all.push_back(
        {.name = "a length too long, then silence",
         .acts =
             [](const std::string& b) {
                 return script{read_request(), say(with_length(size_of(b, 1), b)), wait_end()};
             },
         .code = errc::timeout,
         .retry = again::if_safe});
    all.push_back({.name = "a length too long, then close",
                   .acts =
                       [](const std::string& b) {
                           return script{read_request(), say(with_length(size_of(b, 1), b)), end()};
                       },
                   .retry = again::if_safe});
    all.push_back({.name = "no length and no body, closed",
                   .acts =
                       [](const std::string&) {
                           return script{read_request(), say(ok("", "")), end()};
                       },
                   .retry = again::if_safe});
    all.push_back(
        {.name = "no length, closed before the last byte",
         .acts =
             [](const std::string& b) {
                 return script{read_request(), say(ok("", b.substr(0, b.size() - 1))), end()};
             },
         .code = errc::bad_response});
    return all;
}

std::vector<fault> wrong_chunks() {
    std::vector<fault> all{
        bad("a chunk size that is no number",
            [](const std::string& b) { return chunked("zz\r\n" + b); }),
        bad("a chunk size beyond 64 bits",
            [](const std::string& b) { return chunked("fffffffffffffffff\r\n" + b); }),
        bad("a chunk longer than its size",
            [](const std::string& b) { return chunked("1\r\n" + b + "\r\n0\r\n\r\n"); }),
        bad(
            "a chunk over the limit", [](const std::string& b) { return chunked("186a1\r\n" + b); },
            errc::response_too_large),
        bad("a chunked body of the wrong content",
            [](const std::string& b) { return chunked(chunk(b.substr(1)) + "0\r\n\r\n"); }),
    };
    all.push_back({.name = "no last chunk, then close",
                   .acts =
                       [](const std::string& b) {
                           return script{read_request(), say(chunked(chunk(b))), end()};
                       },
                   .retry = again::if_safe});
    all.push_back({.name = "no last chunk, then silence",
                   .acts =
                       [](const std::string& b) {
                           return script{read_request(), say(chunked(chunk(b))), wait_end()};
                       },
                   .code = errc::timeout,
                   .retry = again::if_safe});
    return all;
}

std::vector<fault> wrong_heads() {
    return {
        bad("another protocol", [](const std::string&) { return "SSH-2.0-OpenSSH_9.2\r\n\r\n"; }),
        bad("a body without a head", [](const std::string&) { return "{\"Item\":{}}\r\n\r\n"; }),
        bad("HTTP/2.0",
            [](const std::string& b) {
                return "HTTP/2.0 200 OK\r\nContent-Length: " + size_of(b) + "\r\n\r\n" + b;
            }),
        bad("a status of two digits",
            [](const std::string& b) { return "HTTP/1.1 20 OK\r\n\r\n" + b; }),
        bad("lines that end with LF only",
            [](const std::string& b) { return "HTTP/1.1 200 OK\n\n" + b; }),
        bad("a NUL in the head",
            [](const std::string& b) { return ok(std::string("A: b\0c\r\n", 8), b); }),
        bad("a blank before the colon", [](const std::string& b) { return ok("A : b\r\n", b); }),
        bad("101 Switching Protocols",
            [](const std::string&) { return "HTTP/1.1 101 Switching Protocols\r\n\r\n"; }),
        bad("100 Continue without end",
            [](const std::string& b) {
                std::string text;
                for (int i = 0; i < 17; ++i)
                    text += "HTTP/1.1 100 Continue\r\n\r\n";
                return text + response(b);
            }),
        bad(
            "a head over the limit",
            [](const std::string& b) { return ok("A: " + std::string(5000, 'a') + "\r\n", b); },
            errc::response_too_large),
        bad(
            "a head of many fields over the limit",
            [](const std::string& b) {
                std::string fields;
                for (int i = 0; i < 1000; ++i)
                    fields += "A: b\r\n";
                return ok(fields, b);
            },
            errc::response_too_large),
        bad(
            "a head without end",
            [](const std::string&) {
                return ok("A: b\r\n", "").substr(0, 20) + std::string(9000, 'a');
            },
            errc::response_too_large),
        bad(
            "a body over the limit, without length",
            [](const std::string&) { return ok("", std::string(150'000, ' ')); },
            errc::response_too_large),
    };
}

} // namespace

std::function<std::vector<act>(const std::string&)> read_and_say(said what) {
    return [what = std::move(what)](const std::string& body) {
        return script{read_request(), say(what(body))};
    };
}

fault fine(std::string name, said what, bool reused) {
    return {.name = std::move(name),
            .acts = read_and_say(std::move(what)),
            .value = gives::right,
            .reused = reused};
}

fault bad(std::string name, said what, errc code) {
    return {.name = std::move(name), .acts = read_and_say(std::move(what)), .code = code};
}

std::vector<fault> framings() {
    std::vector<fault> all;
    for (const auto& some : {right_framings(), wrong_lengths(), wrong_chunks(), wrong_heads()})
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

} // namespace codynamo::test
