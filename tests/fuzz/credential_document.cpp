// SPDX-License-Identifier: BSL-1.0
// Credentials as servers and programs write them: usable ones, or an error that does not quote.
#include "aws/credential_documents.hpp"
#include "fuzz/targets.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <string>

namespace codynamo::fuzz {
namespace {

constexpr std::string_view canary = "SECRETCANARY";

bool has_control(const std::string& text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F;
    });
}

/// A server's error code and message are quoted, whatever they say.
bool is_in_service_words(std::string_view document) {
    boost::system::error_code not_json;
    const auto top = boost::json::parse({document.data(), document.size()}, not_json);
    if (not_json || !top.is_object()) return false;
    return std::any_of(top.get_object().begin(), top.get_object().end(), [](const auto& member) {
        const std::string_view name(member.key().data(), member.key().size());
        const bool words =
            name == "Code" || name == "code" || name == "Message" || name == "message";
        return words && boost::json::serialize(member.value()).find(canary) != std::string::npos;
    });
}

template <class Parse>
void check(Parse parse, std::string_view document) {
    try {
        const aws::credentials who = parse(document);
        require(!who.access_key_id.empty() && !who.secret_access_key.empty(), "both keys");
        require(!has_control(who.access_key_id) && !has_control(who.secret_access_key) &&
                    !has_control(who.session_token) && !has_control(who.account_id),
                "nothing that would break a header");
    } catch (const error& why) {
        require(why.code() == errc::no_credentials, "an error of another kind");
        require(std::string_view(why.what()).find(canary) == std::string_view::npos ||
                    is_in_service_words(document),
                "secrets are not quoted");
    }
}

} // namespace

void credential_document(std::string_view input) {
    switch (take_byte(input) % 5) {
    case 0:
        return check(aws::detail::parse_process_document, input);
    case 1:
        return check(aws::detail::parse_metadata_document, input);
    case 2:
        return check(aws::detail::parse_sso_document, input);
    case 3:
        return check(aws::detail::parse_sts_document, input);
    default:
        (void)succeeds([&] { (void)aws::detail::parse_rfc3339(input); }, errc::invalid_argument);
    }
}

} // namespace codynamo::fuzz
