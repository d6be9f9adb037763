// SPDX-License-Identifier: BSL-1.0
// What an unsuccessful response means. Sources: AWS JSON 1.0 protocol, DynamoDB Developer Guide
// "Error handling"; tolerant of proxies and emulators.
#include "dynamodb/codec.hpp"
#include "dynamodb/json_reader.hpp"
#include "dynamodb/utf8.hpp"

#include <codynamo/dynamodb/failure_details.hpp>

#include <utility>

namespace codynamo::dynamodb {
namespace json = boost::json;
namespace {

/// "com.amazonaws.dynamodb.v20120810#Code" and "Code:http://…" to "Code".
std::string_view bare_code(std::string_view text) {
    text = text.substr(0, text.find(':'));
    const std::size_t hash = text.rfind('#');
    if (hash != std::string_view::npos) text.remove_prefix(hash + 1);
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// The first of these members that is a string and not empty.
std::string_view first_text(const json::object& from,
                            std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        const json::string* found = nullptr;
        if (const json::value* v = from.if_contains(name)) found = v->if_string();
        if (found != nullptr && !found->empty()) return *found;
    }
    return {};
}

/// For eyes, logs and terminals: control characters of the server as \xNN, nothing cut off.
std::string clean(std::string_view text) {
    return printable(text, std::string_view::npos);
}

/// Reads what it can: a malformed item must not hide the error it belongs to.
void read_item_leniently(const json::object& from, item& out) {
    const json::value* found = from.if_contains("Item");
    if (found == nullptr || !found->is_object()) return;
    try {
        read_item(*found, path("Item"), out);
    } catch (const error&) {
        out.clear();
    }
}

void read_cancellation_reasons(const json::object& from, std::vector<cancellation_reason>& out) {
    const json::value* found = from.if_contains("CancellationReasons");
    if (found == nullptr || !found->is_array()) return;
    for (const json::value& each : found->get_array()) {
        // One entry for each action, whatever it looks like: positions tell which action it was.
        cancellation_reason& reason = out.emplace_back();
        const json::object* members = each.if_object();
        if (members == nullptr) continue;
        reason.code = clean(first_text(*members, {"Code", "code"}));
        reason.message = clean(first_text(*members, {"Message", "message"}));
        read_item_leniently(*members, reason.old_item);
    }
}

void read_throttling_reasons(const json::object& from, std::vector<throttling_reason>& out) {
    for (const std::string_view name : {"ThrottlingReasons", "throttlingReasons"}) {
        const json::value* found = from.if_contains(name);
        if (found == nullptr || !found->is_array()) continue;
        for (const json::value& each : found->get_array())
            if (const json::object* members = each.if_object())
                out.push_back({clean(first_text(*members, {"reason", "Reason"})),
                               clean(first_text(*members, {"resource", "Resource"}))});
    }
}

std::shared_ptr<const failure_details> read_details(const json::object& from) {
    auto details = std::make_shared<failure_details>();
    read_cancellation_reasons(from, details->cancellation_reasons);
    read_throttling_reasons(from, details->throttling_reasons);
    read_item_leniently(from, details->old_item);
    const bool empty = details->cancellation_reasons.empty() &&
                       details->throttling_reasons.empty() && details->old_item.empty();
    return empty ? nullptr : std::move(details);
}

/// One line of a page: runs of blanks and of what cannot be printed become one blank.
std::string excerpt(std::string_view body) {
    constexpr std::size_t most_characters = 80;
    std::string out;
    std::size_t characters = 0;
    bool blank = false;
    for (std::size_t at = 0; at < body.size() && characters < most_characters;) {
        const std::size_t length = utf8_length(body.data() + at, body.size() - at);
        if (length == 0 || body[at] == ' ' || is_control(body.data() + at, length)) {
            blank = !out.empty();
        } else {
            if (blank) out += ' ';
            characters += blank ? 2 : 1;
            blank = false;
            out.append(body, at, length);
        }
        at += length == 0 ? 1 : length;
    }
    return out;
}

/// The words for an answer that the service itself did not write.
std::string describe_foreign_body(const net::response_view& response) {
    std::string out = "HTTP " + std::to_string(response.status) + " with ";
    const std::string start = excerpt(response.body);
    if (start.empty()) return out += "an empty body";
    const std::string_view type = response.header("content-type");
    const std::string bare = printable(type.substr(0, type.find(';')));
    if (bare.empty() || bare.find("json") != std::string::npos)
        out += "a body that is not a JSON object: ";
    else
        out += "a " + bare + " body: ";
    return out += start;
}

std::string describe_without_message(const net::response_view& response, std::string_view code) {
    const std::string status = "HTTP " + std::to_string(response.status);
    return code.empty() ? status + " without an error code"
                        : std::string(code) + " (" + status + ')';
}

} // namespace

std::string request_id_of(const net::response_view& response) {
    constexpr std::size_t longest = 128;
    constexpr std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const std::string_view id = response.header("x-amzn-requestid");
    const bool plain = id.find_first_not_of(allowed) == std::string_view::npos;
    return plain && id.size() <= longest ? std::string(id) : std::string();
}

failure decode_failure(const net::response_view& response) {
    diagnostics words;
    words.http_status = response.status;
    words.request_id = request_id_of(response);
    words.service_code = clean(bare_code(response.header("x-amzn-errortype")));

    boost::system::error_code parsed;
    const json::value body = parse_json(response.body, {}, parsed);
    if (const json::object* members = body.if_object(); members != nullptr && !parsed.failed()) {
        if (words.service_code.empty())
            words.service_code = clean(bare_code(first_text(*members, {"code"})));
        if (words.service_code.empty())
            words.service_code = clean(bare_code(first_text(*members, {"__type"})));
        words.message = clean(first_text(*members, {"message", "Message", "errorMessage"}));
        words.details = read_details(*members);
        if (words.message.empty())
            words.message = describe_without_message(response, words.service_code);
    } else {
        words.message = describe_foreign_body(response);
    }
    const errc code = errc_of(words.service_code, response.status);
    return make_failure(code, std::move(words));
}

} // namespace codynamo::dynamodb
