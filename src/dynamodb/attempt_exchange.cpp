// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/attempt_exchange.hpp"

#include "aws/secret_scan.hpp"
#include "dynamodb/codec.hpp"

#include <codynamo/dynamodb/failure_details.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace codynamo::dynamodb {
namespace {

constexpr std::string_view masked = "***";
constexpr std::string_view unquoted = "(not quoted: it repeats a secret)";

/// Masks what `end_of` says behind each occurrence of `label`. In one pass: text from outside may
/// have megabytes.
template <class EndOf>
void mask_behind(std::string& text, std::string_view label, std::size_t kept, EndOf end_of) {
    std::size_t at = text.find(label);
    if (at == text.npos) return;
    std::string shown;
    std::size_t done = 0;
    for (; at != text.npos; at = text.find(label, done)) {
        shown.append(text, done, at + kept - done);
        done = end_of(at + label.size());
        if (done != at + kept) shown += masked;
    }
    text = shown.append(text, done);
}

void replace_all(std::string& text, std::string_view secret) {
    mask_behind(text, secret, 0, [](std::size_t end) { return end; });
}

void mask_signatures(std::string& text) {
    constexpr std::string_view label = "Signature=";
    constexpr std::string_view digits = "0123456789abcdefABCDEF";
    mask_behind(text, label, label.size(), [&](std::size_t at) {
        return std::min(text.find_first_not_of(digits, at), text.size());
    });
}

failure with_response(const failure& why, const net::response_view& response) {
    diagnostics words = why.info ? *why.info : diagnostics{};
    words.http_status = response.status;
    words.request_id = request_id_of(response);
    return make_failure(why.code, std::move(words));
}

} // namespace

failure without_secrets(failure refusal, const aws::credentials& signer) {
    if (!refusal.info) return refusal;
    const std::vector<std::string_view> secrets{signer.secret_access_key, signer.session_token};
    const aws::detail::secret_scanner scanner(secrets);
    const auto mask = [&](std::string& text) {
        for (const std::string_view secret : secrets)
            if (secret.size() >= aws::detail::shortest_secret) replace_all(text, secret);
        mask_signatures(text);
        if (scanner.finds_in(text)) text = unquoted;
    };
    diagnostics words = *refusal.info;
    mask(words.message);
    mask(words.service_code);
    if (scanner.finds_in(words.request_id)) words.request_id.clear();
    if (words.details) {
        auto details = *words.details;
        for (auto& reason : details.cancellation_reasons) {
            mask(reason.code);
            mask(reason.message);
        }
        for (auto& reason : details.throttling_reasons) {
            mask(reason.reason);
            mask(reason.resource);
        }
        words.details = std::make_shared<const failure_details>(std::move(details));
    }
    return make_failure(refusal.code, std::move(words));
}

void attempt_exchange::begin(route& by, const aws::credentials_ptr& who) noexcept {
    by_ = &by;
    who_ = &who;
    outcome_ = {};
    refuses_date_ = false;
    learnt_skew_ = false;
    dropped_skew_ = false;
    written_at_ = {};
}

attempt_outcome attempt_exchange::finish(net::send_outcome sent) {
    if (sent.code) {
        outcome_ = {};
        outcome_.why = make_failure(sent.code, std::move(sent.message));
        outcome_.maybe_executed = sent.sent;
        outcome_.queued = sent.queued;
        if (written_at_ != std::chrono::steady_clock::time_point())
            outcome_.exchange_time = time_.steady_now() - written_at_;
    }
    outcome_.sent_twice = sent.sent_twice;
    return std::exchange(outcome_, {});
}

void attempt_exchange::write(std::string& head, std::string& body) {
    what_.encode(body);
    sent_at_ = time_.now();
    written_at_ = time_.steady_now();
    used_offset_ = skew_.offset();
    const auto date = std::chrono::floor<std::chrono::seconds>(sent_at_ + used_offset_);
    by_->signer.write_head(head, what_.target(), body, *who_, date);
}

void attempt_exchange::read(const net::response_view& response) {
    const bool success = response.status == 200;
    // Whoever stands in between has a clock of his own, which nobody need keep right.
    bool is_from_service = true;
    const auto is_numbered = [&] { return !response.header("x-amzn-requestid").empty(); };
    // What is neither success nor the server's failure was refused before anything was done.
    outcome_.maybe_executed = response.status / 100 == 2 || response.status >= 500;
    try {
        check_crc32(response);
        if (success) {
            what_.decode(response.body); // an emulator may number no requests
        } else {
            const failure said = decode_failure(response);
            is_from_service = is_numbered() || !said.info->service_code.empty();
            outcome_.why = without_secrets(said, **who_);
            // What is done about it is decided by what was said, not by what is shown.
            refuses_date_ = aws::refuses_date(said.info->service_code, said.info->message);
            if (outcome_.why->info->service_code != said.info->service_code)
                outcome_.service_code = said.info->service_code;
        }
    } catch (...) {
        outcome_.why = without_secrets(with_response(current_failure(), response), **who_);
        is_from_service = is_numbered() && outcome_.why->code != errc::checksum_mismatch;
    }
    if (is_from_service) learn_skew(response);
    if (!success) outcome_.retry_after = response.header("x-amz-retry-after");
}

void attempt_exchange::learn_skew(const net::response_view& response) {
    if (!skew_.enabled()) return;
    const std::string_view date = response.header("date");
    if (!outcome_.why && skew_.is_old_news(date, sent_at_)) return;
    const aws::exchange_times when{.sent = sent_at_, .received = time_.now()};
    const auto observed = aws::observed_skew(response, when);
    if (observed) {
        outcome_.date_error = *observed - used_offset_;
        learnt_skew_ = skew_.learn(*observed, when, refuses_date_);
        if (!learnt_skew_) skew_.remember(date, sent_at_);
    }
    // The header agrees with the date that was refused: one of the two clocks there is wrong.
    const auto off = outcome_.date_error.value_or(std::chrono::microseconds(0));
    if (refuses_date_ && std::chrono::abs(off) <= aws::clock_skew::refusal_threshold)
        outcome_.offset_dropped = dropped_skew_ = skew_.drop(used_offset_);
}

} // namespace codynamo::dynamodb
