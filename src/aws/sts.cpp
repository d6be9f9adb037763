// SPDX-License-Identifier: BSL-1.0
// The form, the signature, and what STS's refusals mean.
#include "aws/sts.hpp"

#include "aws/credential_documents.hpp"
#include "aws/network_source.hpp"

#include <codynamo/aws/retry.hpp>
#include <codynamo/aws/sigv4.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace codynamo::aws::detail {
namespace {

constexpr service_identity sts{credential_service::sts, "STS", "sts"};

bool can_retry_sts(const http_answer& answer) {
    if (is_transient(answer)) return true;
    if (answer.failure || answer.ok()) return false;
    const std::string code = parse_sts_refusal(answer.body.text()).code;
    return code == "IDPCommunicationError" ||
           classify_response(answer.status, code) != retry_class::none;
}

void add_signature(http_request& request, const endpoint& where, const credentials& who,
                   timestamp when) {
    signable_request signable;
    signable.method = request.method;
    signable.target = request.target;
    signable.headers.emplace_back("Host", where.server.authority());
    for (const auto& [name, value] : request.headers)
        signable.headers.emplace_back(name, value.text());
    signable.body = request.body.text();
    const signing_scope scope{where.signing_region, where.signing_service};
    signed_request added =
        sign(signable, who, scope, std::chrono::floor<std::chrono::seconds>(when));
    for (auto& [name, value] : added.added_headers)
        request.headers.emplace_back(name, secret_string(std::move(value)));
    wipe(added.canonical_request);
}

/// These quote the request, headers and all.
bool quotes_request(std::string_view code) {
    constexpr std::array<std::string_view, 3> quoting{
        "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken"};
    return std::find(quoting.begin(), quoting.end(), code) != quoting.end();
}

std::string words_of(const sts_refusal& refused, const text_fields& form,
                     const credentials_ptr& who) {
    std::vector<std::string_view> secrets;
    for (const auto& [name, value] : form)
        if (name == "WebIdentityToken" || name == "ExternalId") secrets.emplace_back(value.text());
    if (who) {
        secrets.emplace_back(who->secret_access_key);
        if (!who->session_token.empty()) secrets.emplace_back(who->session_token);
    }
    return service_words(refused.code, quotes_request(refused.code) ? "" : refused.message,
                         secrets);
}

} // namespace

asio::awaitable<sts_answer> call_sts(source_options options, std::shared_ptr<source_memory> memory,
                                     text_fields form, credentials_ptr who) {
    const service_settings settings = settings_of(sts, options, {});
    options.tls = settings.tls;
    http_request request;
    request.method = "POST";
    request.headers.emplace_back("Content-Type",
                                 secret_string("application/x-www-form-urlencoded"));
    request.body = form_encode(form);
    if (who) add_signature(request, settings.where, *who, options.env.time->now());

    fetch_limits limits;
    limits.attempts = settings.max_attempts;
    http_fetcher sts_server(options, settings.where.server, limits, false, memory);
    const http_answer answer = co_await sts_server.fetch(std::move(request), can_retry_sts);

    const std::string server = "STS at " + settings.where.server.authority();
    sts_answer result;
    if (answer.ok()) {
        try {
            result.found = parse_sts_document(answer.body.text());
        } catch (const error& why) {
            throw error(errc::no_credentials, server + ": " + why.info().message);
        }
        co_return result;
    }
    sts_refusal refused;
    if (!answer.failure) refused = parse_sts_refusal(answer.body.text());
    if (refused.code.empty()) throw error(errc::no_credentials, server + ": " + answer.outcome());
    result.why = server + ": " + answer.outcome() + ": " + words_of(refused, form, who);
    result.refused = std::move(refused.code);
    co_return result;
}

} // namespace codynamo::aws::detail
