// SPDX-License-Identifier: BSL-1.0
// The general signer: any method, path, query and headers.
#include "aws/canonical.hpp"
#include "aws/sha256.hpp"
#include "aws/signing.hpp"
#include "aws/text.hpp"
#include "aws/wipe.hpp"

#include <codynamo/aws/sigv4.hpp>

#include <openssl/crypto.h>

#include <algorithm>

namespace codynamo::aws {
namespace {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// Headers in canonical form, overwritten when they go: the session token is among them, and what
/// the caller has put into others.
struct canonical_list {
    canonical_list() = default;
    canonical_list(const canonical_list&) = delete;
    canonical_list& operator=(const canonical_list&) = delete;
    ~canonical_list() {
        for (auto& [name, value] : all)
            detail::wipe(value);
    }

    header_list all;
};

/// Set by the signer itself: what the caller has under these names is an older signature's.
bool is_replaced(std::string_view name, const signing_options& options) {
    return name == "authorization" || name == "x-amz-date" || name == "x-amz-security-token" ||
           (options.sign_body && name == "x-amz-content-sha256");
}

/// What proxies on the way add, drop or rewrite (the list of botocore's auth.py).
bool is_unsigned(std::string_view name) {
    constexpr std::string_view names[] = {"connection",
                                          "expect",
                                          "keep-alive",
                                          "proxy-authenticate",
                                          "proxy-authorization",
                                          "te",
                                          "trailer",
                                          "transfer-encoding",
                                          "upgrade",
                                          "user-agent",
                                          "x-amzn-trace-id"};
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

const std::string* find(const header_list& headers, std::string_view name) {
    const auto found = std::find_if(headers.begin(), headers.end(),
                                    [&](const auto& header) { return header.first == name; });
    return found == headers.end() ? nullptr : &found->second;
}

/// Names in lower case and values in canonical form, in order of arrival.
void add_canonical(header_list& headers, const signable_request& request,
                   const signing_options& options) {
    for (const auto& [name, value] : request.headers) {
        detail::require_word("header name", name);
        auto lower = detail::to_lower(name);
        if (is_replaced(lower, options) || is_unsigned(lower)) continue;
        auto canonical = detail::canonical_header_value(lower, value);
        headers.emplace_back(std::move(lower), std::move(canonical));
    }
    if (!find(headers, "host")) throw error(errc::invalid_argument, "headers: there is no Host");
}

/// Puts a header both where it is signed and where the caller finds it.
void add(header_list& canonical, signed_request& out, std::string name, std::string value) {
    canonical.emplace_back(detail::to_lower(name), value);
    out.added_headers.emplace_back(std::move(name), std::move(value));
}

/// How many bytes the canonical request has at most.
std::size_t room_for(std::string_view method, std::string_view path, std::string_view query,
                     const header_list& headers, std::string_view body_hash) {
    std::size_t room = method.size() + path.size() + query.size() + body_hash.size() + 8;
    for (const auto& [name, value] : headers)
        room += 2 * name.size() + value.size() + 3;
    return room;
}

void write_canonical_request(signed_request& out, const signable_request& request,
                             header_list& headers, std::string_view body_hash,
                             const signing_options& options) {
    const auto question = request.target.find('?');
    const std::string_view target = request.target;
    const auto path = detail::canonical_path(target.substr(0, question), options.normalize_path);
    const auto query = detail::canonical_query(
        question == std::string::npos ? std::string_view() : target.substr(question + 1));

    std::stable_sort(headers.begin(), headers.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string& text = out.canonical_request;
    // At once: a text that grows leaves the token behind.
    text.reserve(room_for(request.method, path, query, headers, body_hash));
    text.append(request.method).append("\n").append(path).append("\n").append(query);
    for (std::size_t i = 0; i < headers.size(); ++i) {
        if (i != 0 && headers[i].first == headers[i - 1].first) {
            text.append(",").append(headers[i].second);
            continue;
        }
        text.append("\n").append(headers[i].first).append(":").append(headers[i].second);
        out.signed_headers.append(i == 0 ? "" : ";").append(headers[i].first);
    }
    text.append("\n\n").append(out.signed_headers).append("\n").append(body_hash);
}

} // namespace

signed_request sign(const signable_request& request, const credentials& who,
                    const signing_scope& scope, std::chrono::sys_seconds when,
                    const signing_options& options) {
    detail::require_usable(who);
    detail::require_usable(scope);
    detail::require_word("method", request.method);
    if (!request.target.empty()) detail::require_no_control("request target", request.target);
    canonical_list list;
    auto& headers = list.all;
    add_canonical(headers, request, options);

    signed_request out;
    const detail::date_stamp stamp(when);
    const bool token = !who.session_token.empty();
    add(headers, out, "X-Amz-Date", std::string(stamp.full()));
    if (token && !options.omit_session_token) {
        add(headers, out, "X-Amz-Security-Token", who.session_token);
    }
    const auto hash = detail::to_hex(detail::sha256_of(request.body));
    std::string body_hash(detail::view(hash));
    if (options.sign_body) {
        add(headers, out, "x-amz-content-sha256", body_hash);
        if (!find(headers, "content-length")) {
            add(headers, out, "Content-Length", std::to_string(request.body.size()));
        }
    } else if (const auto* given = find(headers, "x-amz-content-sha256")) {
        body_hash = *given;
    }
    write_canonical_request(out, request, headers, body_hash, options);

    const auto date_scope = detail::credential_scope(stamp.date(), scope);
    out.string_to_sign.append(detail::algorithm).append("\n").append(stamp.full()).append("\n");
    out.string_to_sign.append(date_scope).append("\n");
    out.string_to_sign.append(
        detail::view(detail::to_hex(detail::sha256_of(out.canonical_request))));

    auto key = derive_signing_key(who.secret_access_key, stamp.date(), scope);
    out.signature = detail::view(detail::to_hex(detail::hmac_of(key, out.string_to_sign)));
    OPENSSL_cleanse(key.data(), key.size());

    out.authorization.append(detail::algorithm).append(" Credential=").append(who.access_key_id);
    out.authorization.append("/").append(date_scope).append(", SignedHeaders=");
    out.authorization.append(out.signed_headers).append(", Signature=").append(out.signature);
    if (token && options.omit_session_token) {
        out.added_headers.emplace_back("X-Amz-Security-Token", who.session_token);
    }
    out.added_headers.emplace_back("Authorization", out.authorization);
    return out;
}

} // namespace codynamo::aws
