// SPDX-License-Identifier: BSL-1.0
// Faults of the connection: how it breaks, times the step at which it does.
#include "fault_table.hpp"

namespace codynamo::test {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using script = std::vector<act>;

struct step {
    const char* name;
    std::function<script(const std::string& body)> before;
    bool answered = false; // bytes of the response have been sent
    bool first = false;
};

struct breakage {
    const char* name;
    script acts;
    errc code;
};

std::string head_for(const std::string& body) {
    const auto whole = response(body);
    return whole.substr(0, whole.size() - body.size());
}

std::vector<step> steps() {
    return {
        {"once accepted", [](const std::string&) { return script{}; }, false, true},
        {"after the request's head", [](const std::string&) { return script{read_head()}; }, false},
        {"after 5 bytes of the request's body",
         [](const std::string&) {
             return script{read_head(), read_body(5)};
         },
         false},
        {"before the response", [](const std::string&) { return script{read_request()}; }, false},
        {"after one byte of the response",
         [](const std::string&) {
             return script{read_request(), say("H"), pause(2ms)};
         },
         true},
        {"inside the response's head",
         [](const std::string& body) {
             return script{read_request(), say(head_for(body).substr(0, 25)), pause(2ms)};
         },
         true},
        {"after the response's head",
         [](const std::string& body) {
             return script{read_request(), say(head_for(body)), pause(2ms)};
         },
         true},
        {"before the response's last byte",
         [](const std::string& body) {
             return script{read_request(), say(head_for(body) + body.substr(0, body.size() - 1)),
                           pause(2ms)};
         },
         true},
    };
}

std::vector<breakage> breakages() {
    return {
        {"silence", {wait_end()}, errc::timeout},
        {"close", {end()}, errc::connection_lost},
        {"close without close_notify", {drop()}, errc::connection_lost},
        {"reset", {reset()}, errc::connection_lost},
    };
}

script operator+(script a, const script& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

void add_after_response(std::vector<fault>& all) {
    const std::pair<const char*, script> ends[] = {{"close", {end()}},
                                                   {"close without close_notify", {drop()}},
                                                   {"reset", {pause(2ms), reset()}}};
    for (const auto& [name, acts] : ends)
        for (const auto rest : {0ms, 20ms})
            all.push_back({.name = std::string(name) + " after the response, next request after " +
                                   std::to_string(rest.count()) + " ms",
                           .acts =
                               [acts = acts](const std::string& body) {
                                   return script{read_request(), say(response(body))} + acts;
                               },
                           .value = gives::right,
                           .rest = rest});
}

} // namespace

std::vector<fault> broken_connections() {
    std::vector<fault> all;
    for (const step& where : steps())
        for (const breakage& what : breakages()) {
            // A reset at once may come before the client knows that it is connected: see
            // fault_test.
            if (what.acts.front().what == act::kind::reset && where.first) continue;
            all.push_back({.name = std::string(what.name) + ' ' + where.name,
                           .acts = [before = where.before, acts = what.acts](
                                       const std::string& body) { return before(body) + acts; },
                           .code = what.code,
                           .retry = again::if_safe});
        }
    for (const step& where : steps())
        if (!where.answered)
            all.push_back(
                {.name = std::string("garbage ") + where.name,
                 .acts =
                     [before = where.before](const std::string& body) {
                         return before(body) + script{say("\x01\x02 garbage\r\n\r\n"), wait_end()};
                     },
                 .code = errc::bad_response});
    add_after_response(all);
    all.push_back({.name = "a response a byte every 100 ms",
                   .acts =
                       [](const std::string& body) {
                           script acts{read_request()};
                           for (const char c : response(body).substr(0, 8))
                               acts = acts + script{say({c}), pause(100ms)};
                           return acts + script{wait_end()};
                       },
                   .code = errc::timeout,
                   .retry = again::if_safe});
    all.push_back({.name = "a response in pieces of 16 bytes",
                   .acts =
                       [](const std::string& body) {
                           script acts{read_request()};
                           const auto whole = response(body);
                           for (std::size_t at = 0; at < whole.size(); at += 16)
                               acts = acts + script{say(whole.substr(at, 16)), pause(1ms)};
                           return acts;
                       },
                   .value = gives::right,
                   .reused = true});
    return all;
}

std::vector<fault> broken_handshakes() {
    const auto alert = [](char level, char what) {
        return say(std::string("\x15\x03\x03\x00\x02", 5) + level + what);
    };
    struct row {
        const char* name;
        script acts;
        errc code;
        again retry;
    };
    const row rows[] = {
        {"silence", {wait_end()}, errc::timeout, again::always},
        {"silence after the client's hello",
         {read_some(), wait_end()},
         errc::timeout,
         again::always},
        {"close at once", {end()}, errc::connect_failed, again::always},
        {"close after the client's hello",
         {read_some(), end()},
         errc::connect_failed,
         again::always},
        {"reset at once", {reset()}, errc::connect_failed, again::always},
        {"reset after the client's hello",
         {read_some(), reset()},
         errc::connect_failed,
         again::always},
        {"half a record, then close",
         {read_some(), say(std::string("\x16\x03\x03\x00\x7a\x02", 6)), end()},
         errc::connect_failed,
         again::always},
        {"alert close_notify",
         {read_some(), alert(1, 0), end()},
         errc::connect_failed,
         again::always},
        {"alert handshake_failure",
         {read_some(), alert(2, 40), end()},
         errc::tls_failed,
         again::never},
        {"alert internal_error",
         {read_some(), alert(2, 80), end()},
         errc::connect_failed,
         again::always},
        {"alert unrecognized_name",
         {read_some(), alert(2, 112), end()},
         errc::tls_failed,
         again::never},
        {"HTTP",
         {read_some(), say("HTTP/1.1 400 Bad Request\r\n\r\n"), end()},
         errc::tls_failed,
         again::never},
        {"garbage",
         {read_some(), say(std::string(300, '\x7f')), end()},
         errc::tls_failed,
         again::never},
    };
    std::vector<fault> all;
    for (const row& r : rows)
        all.push_back({.name = std::string(r.name) + " in the handshake",
                       .acts = [acts = r.acts](const std::string&) { return acts; },
                       .code = r.code,
                       .retry = r.retry,
                       .before_tls = true});
    return all;
}

} // namespace codynamo::test
