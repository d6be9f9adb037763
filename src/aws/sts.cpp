// SPDX-License-Identifier: BSL-1.0
// The form, the signature, and what STS's refusals mean.
#include "aws/sts.hpp"

#include "aws/clock_skew.hpp"
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

/// With STS, RequestExpired is a matter of the date too.
bool is_misdated(const sts_refusal& refused) {
    return refused.code == "RequestExpired" || refuses_date(refused.code, refused.message);
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
        if (name == "WebIdentityToken") secrets.emplace_back(value.text());
    if (who) {
        secrets.emplace_back(who->secret_access_key);
        if (!who->session_token.empty()) secrets.emplace_back(who->session_token);
    }
    // What STS says of dates quotes no more than dates.
    const bool quotes = quotes_request(refused.code) && !is_misdated(refused);
    return service_words(refused.code, quotes ? "" : refused.message, secrets);
}

http_request request_of(const text_fields& form, const endpoint& where,
                        const credentials_ptr& signer, timestamp date) {
    http_request request;
    request.method = "POST";
    request.headers.emplace_back("Content-Type",
                                 secret_string("application/x-www-form-urlencoded"));
    request.body = form_encode(form);
    if (signer) add_signature(request, where, *signer, date);
    return request;
}

/// Takes in what an answer of STS itself, to a request dated with the offset `used`, shows of its
/// clock. Whether the request was refused for its date, and another date may do.
bool learn_clock(const http_answer& answer, const sts_refusal& refused,
                 std::chrono::microseconds used, clock_skew& skew) {
    if (!answer.ok() && refused.code.empty()) return false; // a proxy's answer
    const bool is_refusal = is_misdated(refused);
    const auto off = answer.clock_error.value_or(0us);
    if (answer.clock_error) (void)skew.learn(off + used, answer.when, is_refusal);
    if (!is_refusal) return false;
    if (std::chrono::abs(off) > clock_skew::refusal_threshold) return skew.offset() != used;
    return skew.drop(used);
}

/// What is known of both clocks, after STS has refused a date.
std::string date_words(const http_answer& answer) {
    std::string text = "; the request was dated " + format_rfc3339(answer.when.sent);
    if (answer.clock_error) {
        const auto ahead = std::chrono::round<std::chrono::seconds>(*answer.clock_error);
        text += ", the server's clock said " +
                format_rfc3339(answer.when.received + *answer.clock_error) + " (" +
                std::to_string(ahead.count()) + " s ahead)";
    }
    return text + ": set this machine's clock";
}

} // namespace

asio::awaitable<sts_answer> call_sts(source_options options, std::shared_ptr<source_memory> memory,
                                     text_fields form, credentials_ptr signer) {
    const service_settings settings = settings_of(sts, options, {});
    options.tls = settings.tls;
    fetch_limits limits;
    limits.attempts = settings.max_attempts;
    http_fetcher sts_server(options, settings.where.server, limits, false, memory);
    http_answer answer;
    sts_refusal refused;
    bool has_other_date = false;
    for (bool may_repeat = settings.learns_clock;; may_repeat = false) {
        const auto used = memory->skew()->offset();
        http_request request = request_of(form, settings.where, signer, options.env.time->now());
        answer = co_await sts_server.fetch(std::move(request), can_retry_sts);
        refused = {};
        if (!answer.failure && !answer.ok()) refused = parse_sts_refusal(answer.body.text());
        has_other_date =
            settings.learns_clock && learn_clock(answer, refused, used, *memory->skew());
        if (!may_repeat || !has_other_date || !signer) break;
    }

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
    if (refused.code.empty()) throw error(errc::no_credentials, server + ": " + answer.outcome());
    result.why = server + ": " + answer.outcome() + ": " + words_of(refused, form, signer);
    if (signer && is_misdated(refused)) result.why += date_words(answer);
    result.refused = std::move(refused.code);
    co_return result;
}

} // namespace codynamo::aws::detail
