// SPDX-License-Identifier: BSL-1.0
// sign: the signature that the library would make, shown without sending anything.
#include "http_text.hpp"
#include "output.hpp"
#include "program.hpp"
#include "program_support/files.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/endpoint.hpp>
#include <codynamo/aws/sigv4.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tool {
namespace asio = boost::asio;
namespace json = boost::json;
namespace aws = codynamo::aws;

namespace {

struct sign_options {
    std::string service = "dynamodb";
    std::string time;
    bool no_normalize_path = false;
    bool omit_session_token = false;
    bool sign_body = false;
};

std::optional<int> digits(std::string_view text, std::size_t from, std::size_t count) {
    int number = 0;
    const char* begin = text.data() + from;
    const auto [end, failure] = std::from_chars(begin, begin + count, number);
    if (failure != std::errc() || end != begin + count || number < 0) return std::nullopt;
    return number;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = std::min(text.find_first_not_of(blanks), text.size());
    text.remove_prefix(begin);
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// "20150830T123600Z". Throws errc::invalid_argument naming `field`.
std::chrono::sys_seconds parse_time(std::string_view text, const std::string& field) {
    using namespace std::chrono;
    if (text.size() == 16 && text[8] == 'T' && text[15] == 'Z') {
        const auto y = digits(text, 0, 4), mo = digits(text, 4, 2), d = digits(text, 6, 2);
        const auto h = digits(text, 9, 2), mi = digits(text, 11, 2), s = digits(text, 13, 2);
        if (y && mo && d && h && mi && s && *h < 24 && *mi < 60 && *s < 60) {
            const year_month_day date(year(*y), month(static_cast<unsigned>(*mo)),
                                      day(static_cast<unsigned>(*d)));
            if (date.ok()) return sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s);
        }
    }
    throw codynamo::error(codynamo::errc::invalid_argument,
                          field + ": not a time of the form 20150830T123600Z");
}

bool is_date_header(const std::pair<std::string, std::string>& header) {
    constexpr std::string_view wanted = "x-amz-date";
    return std::equal(header.first.begin(), header.first.end(), wanted.begin(), wanted.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

/// The request's own X-Amz-Date, else --time, else now.
std::chrono::sys_seconds time_of(const aws::signable_request& request,
                                 const sign_options& options) {
    const auto found = std::find_if(request.headers.begin(), request.headers.end(), is_date_header);
    if (found != request.headers.end()) return parse_time(trimmed(found->second), "X-Amz-Date");
    if (!options.time.empty()) return parse_time(options.time, "--time");
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// Larger than what any service takes.
constexpr std::size_t most_request_bytes = 64U << 20U;

asio::awaitable<int> sign(program& self, std::shared_ptr<sign_options> options) {
    const global_options& global = self.global;
    const std::string text = support::read_stdin("request", most_request_bytes);
    const aws::signable_request request = parse_request(text);
    const codynamo::environment env;
    const auto files = aws::load_profile_files(env);
    const std::string profile = aws::profile_name(env, global.profile);
    aws::signing_scope scope;
    scope.region = aws::resolve_region(global.region, env, files, profile);
    scope.service = options->service;
    aws::signing_options signing;
    signing.normalize_path = !options->no_normalize_path;
    signing.omit_session_token = options->omit_session_token;
    signing.sign_body = options->sign_body;
    const auto provider = aws::default_credentials(source_options_of(global));
    const auto credentials = co_await provider->resolve();
    const auto out = aws::sign(request, *credentials, scope, time_of(request, *options), signing);
    print_answer(global.json, json::object{{"canonical_request", out.canonical_request},
                                           {"string_to_sign", out.string_to_sign},
                                           {"signature", out.signature},
                                           {"signed_headers", out.signed_headers},
                                           {"authorization", out.authorization}});
    co_return exit_ok;
}

} // namespace

void add_signing_verb(CLI::App& app, program& self) {
    const auto options = std::make_shared<sign_options>();
    auto* verb = app.add_subcommand("sign", "Sign the raw HTTP request on stdin; prints JSON");
    verb->add_option("--service", options->service, "Service of the scope")->capture_default_str();
    verb->add_option("--time", options->time, "Like 20150830T123600Z; now if not given");
    verb->add_flag("--no-normalize-path", options->no_normalize_path,
                   "Leave dot segments and double slashes in the path, as S3 wants it");
    verb->add_flag("--omit-session-token", options->omit_session_token,
                   "Add the session token without signing it");
    verb->add_flag("--sign-body", options->sign_body, "Add and sign x-amz-content-sha256");
    verb->callback(
        [&self, options] { self.chosen = [&self, options] { return run(sign(self, options)); }; });
}

} // namespace tool
