// SPDX-License-Identifier: BSL-1.0
// The words of each errc, and how failures become exceptions and exceptions failures.
#include <codynamo/error.hpp>

#include <string_view>

namespace codynamo {
namespace {

constexpr std::pair<errc, std::string_view> all_words[] = {
    {errc::invalid_argument, "invalid argument"},
    {errc::serialize_failed, "the value could not be serialized"},
    {errc::deserialize_failed, "the stored bytes could not be deserialized"},
    {errc::no_credentials, "no credentials"},
    {errc::closed, "closed"},
    {errc::resolve_failed, "the host name could not be resolved"},
    {errc::connect_failed, "no connection could be made"},
    {errc::tls_failed, "the TLS handshake failed"},
    {errc::connection_lost, "the connection was lost"},
    {errc::timeout, "the deadline passed"},
    {errc::overloaded, "too many requests are waiting for a connection"},
    {errc::circuit_open, "the endpoint has been failing and is left alone for the moment"},
    {errc::bad_response, "the response could not be understood"},
    {errc::response_too_large, "the response is too large"},
    {errc::checksum_mismatch, "the checksum of the response does not match its body"},
    {errc::resource_not_found, "the table or index does not exist"},
    {errc::resource_in_use, "the table exists already or is being changed"},
    {errc::conditional_check_failed, "the condition was not met"},
    {errc::transaction_canceled, "the transaction was refused"},
    {errc::transaction_conflict, "another transaction holds the item"},
    {errc::throttled, "the service asked to slow down"},
    {errc::access_denied, "access denied"},
    {errc::credentials_rejected, "the service refused the credentials"},
    {errc::token_expired, "the session token has expired"},
    {errc::validation_failed, "the service refused the request as malformed"},
    {errc::unknown_operation, "the server does not know the operation"},
    {errc::service_failed, "the service failed"},
    {errc::service_error, "the service reported an error"},
    {errc::schema_mismatch, "the table has another key schema"},
    {errc::unprocessed, "the service left the key unprocessed"},
    {errc::backend_failed, "the backend failed"},
};

std::string_view words_of(errc code) noexcept {
    for (const auto& [known, words] : all_words) {
        if (known == code) return words;
    }
    return "unknown error";
}

class category final : public boost::system::error_category {
public:
    /// The fixed id makes the copies of two shared libraries equal.
    constexpr category() noexcept : error_category(0x6f1c2a94d3b8e057) {}

    [[nodiscard]] const char* name() const noexcept override { return "codynamo"; }
    [[nodiscard]] std::string message(int value) const override {
        return std::string(words_of(static_cast<errc>(value)));
    }
};

std::string describe(const failure& why) {
    std::string text = why.message();
    if (!why.info) return text;
    const diagnostics& info = *why.info;
    const char* separator = " (";
    const auto add = [&](std::string_view label, std::string_view value) {
        text.append(separator).append(label).append(value);
        separator = ", ";
    };
    if (!info.service_code.empty()) add("", info.service_code);
    if (info.http_status != 0) add("HTTP ", std::to_string(info.http_status));
    if (!info.request_id.empty()) add("request id ", info.request_id);
    if (info.attempts > 1) add(std::to_string(info.attempts), " attempts");
    if (separator[0] == ',') text += ')';
    if (info.outcome_unknown) text += "; outcome unknown: it may have taken effect";
    return text;
}

} // namespace

const boost::system::error_category& codynamo_category() noexcept {
    static constexpr category instance;
    return instance;
}

boost::system::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), codynamo_category()};
}

std::string failure::message() const {
    return info && !info->message.empty() ? info->message : code.message();
}

failure make_failure(boost::system::error_code code, std::string message) {
    diagnostics words;
    words.message = std::move(message);
    return make_failure(code, std::move(words));
}

failure make_failure(boost::system::error_code code, diagnostics words) {
    return {code, std::make_shared<const diagnostics>(std::move(words))};
}

error::error(failure why)
    : system_error(why.code), failure_(std::move(why)),
      what_(std::make_shared<const std::string>(describe(failure_))) {
    if (!failure_.info) failure_.info = std::make_shared<const diagnostics>();
}

error::error(errc code, std::string message)
    : error(make_failure(make_error_code(code), std::move(message))) {}

const char* error::what() const noexcept {
    return what_->c_str();
}

const diagnostics& error::info() const noexcept {
    return *failure_.info;
}

void throw_exception_from_error(const failure& why, const boost::source_location&) {
    throw_failure(why);
}

void throw_failure(failure why) {
    if (why.code.category() == codynamo_category()) throw error(std::move(why));
    if (why.info && !why.info->message.empty()) {
        throw boost::system::system_error(why.code, why.info->message);
    }
    throw boost::system::system_error(why.code);
}

failure current_failure() {
    try {
        throw;
    } catch (const error& caught) {
        return caught.as_failure();
    } catch (const boost::system::system_error& caught) {
        return {caught.code(), nullptr};
    }
}

} // namespace codynamo
