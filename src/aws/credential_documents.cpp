// SPDX-License-Identifier: BSL-1.0
// The JSON ones, and moments of time.
#include "aws/credential_documents.hpp"

#include "aws/json_document.hpp"
#include "aws/network_source.hpp"
#include "aws/signing.hpp"
#include "aws/text.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <utility>

namespace json = boost::json;

namespace codynamo::aws::detail {
namespace {

[[noreturn]] void refuse_document(const std::string& why) {
    throw error(errc::no_credentials, why);
}

struct member_names {
    std::string_view id, secret, token;
};

credentials read_members(const json_document& from, const json::object& in,
                         const member_names& names, bool needs_token) {
    credentials found;
    found.access_key_id = from.required(in, names.id);
    found.secret_access_key = from.required(in, names.secret);
    found.session_token = needs_token ? from.required(in, names.token) : from.text(in, names.token);
    return found;
}

timestamp expiration(std::string_view what, std::string_view text) {
    try {
        return parse_rfc3339(text);
    } catch (const error&) {
        refuse_document(std::string(what) + ": Expiration is not an RFC 3339 time");
    }
}

credentials usable(credentials found, std::string_view what) {
    try {
        require_usable(found);
    } catch (const error& why) {
        refuse_document(std::string(what) + ": " + why.info().message);
    }
    return found;
}

/// Service errors as containers and instance metadata put them: "code" and "message".
void refuse_error_document(const json_document& from, std::string_view what,
                           std::vector<std::string_view> secrets) {
    const auto& top = from.top();
    for (const char* name : {"Code", "code"}) {
        const std::string code = from.words(top, name);
        if (code.empty() || code == "Success") continue;
        std::string message = from.words(top, "Message");
        if (message.empty()) message = from.words(top, "message");
        const secret_string secret(from.words(top, "SecretAccessKey"));
        const secret_string token(from.words(top, "Token"));
        secrets.emplace_back(secret.text());
        secrets.emplace_back(token.text());
        refuse_document(std::string(what) + " says " + service_words(code, message, secrets));
    }
}

/// Reads digits and separators from the front of a text.
class time_reader {
public:
    explicit time_reader(std::string_view text) : rest_(text) {}

    int number(std::size_t digits) {
        const auto part = rest_.substr(0, digits);
        if (part.size() != digits || !std::all_of(part.begin(), part.end(), is_digit)) fail();
        int value = 0;
        std::from_chars(part.data(), part.data() + digits, value);
        rest_.remove_prefix(digits);
        return value;
    }
    int number_up_to(std::size_t digits, int most) {
        const int value = number(digits);
        if (value > most) fail();
        return value;
    }
    char one_of(std::string_view allowed) {
        if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) fail();
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }
    /// ".123456789"; what is finer than a microsecond is cut off.
    std::chrono::microseconds fraction() {
        if (!rest_.starts_with('.')) return {};
        rest_.remove_prefix(1);
        const auto digits = std::min(rest_.size(), rest_.find_first_not_of("0123456789"));
        if (digits == 0) fail();
        long long value = 0;
        for (std::size_t at = 0; at != 6; ++at)
            value = value * 10 + (at < digits ? rest_[at] - '0' : 0);
        rest_.remove_prefix(digits);
        return std::chrono::microseconds(value);
    }
    void end() const {
        if (!rest_.empty()) fail();
    }
    [[noreturn]] static void fail() { throw error(errc::invalid_argument, "not an RFC 3339 time"); }

private:
    std::string_view rest_;
};

} // namespace

credentials parse_process_document(std::string_view text) {
    constexpr std::string_view what = "the process's output";
    const json_document from(text, what);
    const auto& top = from.top();
    const auto* version = top.if_contains("Version");
    if (!version) refuse_document(std::string(what) + ": Version is missing");
    const bool is_one = (version->is_int64() && version->get_int64() == 1) ||
                        (version->is_uint64() && version->get_uint64() == 1);
    if (!is_one) refuse_document(std::string(what) + ": Version is not 1");
    credentials found =
        read_members(from, top, {"AccessKeyId", "SecretAccessKey", "SessionToken"}, false);
    found.account_id = from.text(top, "AccountId");
    if (const std::string ends = from.text(top, "Expiration"); !ends.empty())
        found.expires = expiration(what, ends);
    return usable(std::move(found), what);
}

credentials parse_metadata_document(std::string_view text) {
    return parse_metadata_answer(text, {});
}

credentials parse_metadata_answer(std::string_view text, std::vector<std::string_view> sent) {
    constexpr std::string_view what = "the answer";
    const json_document from(text, what);
    refuse_error_document(from, what, std::move(sent));
    const auto& top = from.top();
    credentials found = read_members(from, top, {"AccessKeyId", "SecretAccessKey", "Token"}, true);
    found.account_id = from.text(top, "AccountId");
    found.expires = expiration(what, from.required(top, "Expiration"));
    return usable(std::move(found), what);
}

credentials parse_sso_document(std::string_view text) {
    constexpr std::string_view what = "the answer";
    const json_document from(text, what);
    const auto* role = from.top().if_contains("roleCredentials");
    if (!role || !role->is_object()) refuse_document("the answer: roleCredentials is missing");
    const auto& in = role->get_object();
    credentials found =
        read_members(from, in, {"accessKeyId", "secretAccessKey", "sessionToken"}, true);
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 1000;
    found.expires = timestamp(std::chrono::milliseconds(from.number(in, "expiration", most)));
    return usable(std::move(found), what);
}

std::string format_rfc3339(timestamp when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(when - day));
    char text[64];
    const int length = std::snprintf(
        text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count()));
    return {text, static_cast<std::size_t>(length)};
}

timestamp parse_rfc3339(std::string_view text) {
    time_reader from(text);
    const int year = from.number(4);
    from.one_of("-");
    const int month = from.number(2);
    from.one_of("-");
    const int day = from.number(2);
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) time_reader::fail();
    from.one_of("Tt ");
    const std::chrono::hours hour(from.number_up_to(2, 23));
    from.one_of(":");
    const std::chrono::minutes minute(from.number_up_to(2, 59));
    from.one_of(":");
    // 60 is a leap second.
    const std::chrono::seconds second(from.number_up_to(2, 60));
    timestamp when = std::chrono::sys_days(date) + hour + minute + second + from.fraction();
    const char zone = from.one_of("Zz+-");
    if (zone == '+' || zone == '-') {
        const std::chrono::hours ahead(from.number_up_to(2, 23));
        from.one_of(":");
        const std::chrono::minutes offset = ahead + std::chrono::minutes(from.number_up_to(2, 59));
        when = zone == '+' ? when - offset : when + offset;
    }
    from.end();
    return when;
}

} // namespace codynamo::aws::detail
