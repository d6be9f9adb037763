// SPDX-License-Identifier: BSL-1.0
// The fast signer. Everything that stays the same for a second is hashed and written once a second,
// once more when the operation is another: what is left per request are four short hashes.
#include "aws/sha256.hpp"
#include "aws/signing.hpp"
#include "aws/text.hpp"
#include "aws/wipe.hpp"
#include "net/wipe.hpp"

#include <codynamo/aws/sigv4.hpp>

#include <openssl/crypto.h>

#include <charconv>
#include <mutex>
#include <optional>

namespace codynamo::aws {
namespace {

using detail::hmac_sha256;
using detail::sha256;

constexpr std::string_view signed_names = "content-type;host;x-amz-date;x-amz-target";
constexpr std::string_view signed_names_with_token =
    "content-type;host;x-amz-date;x-amz-security-token;x-amz-target";
constexpr std::string_view last_headers =
    "\r\nAccept-Encoding: identity\r\nUser-Agent: codynamo/0.1.0\r\n\r\n";
constexpr std::size_t signature_and_length = 64 + sizeof("\r\nContent-Length: ") + 20;

} // namespace

struct json_request_signer::impl {
    impl(std::string host, signing_scope where)
        : authority(std::move(host)), scope(std::move(where)) {
        detail::require_word("authority", authority);
        detail::require_usable(scope);
        before_target = "POST / HTTP/1.1\r\nHost: " + authority +
                        "\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: ";
    }

    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;
    ~impl() {
        detail::wipe(after_target);
        canonical.wipe(); // the end of the token may be in its last block
        targeted.wipe();
    }

    /// Makes everything below the mutex fit credentials and second. The mutex is held.
    void refresh(const credentials_ptr& who, std::chrono::sys_seconds when) {
        if (who && who == owner && when == second) return;
        if (!who) throw error(errc::invalid_argument, "credentials: null");
        const detail::date_stamp stamp(when);
        if (who != owner || !key || key_date != stamp.date()) refresh_key(who, stamp.date());
        second.reset();
        target.clear();
        const auto date_scope = detail::credential_scope(stamp.date(), scope);
        prepare_text(stamp, date_scope);
        prepare_hashes(stamp, date_scope);
        second = when;
    }

    void refresh_key(const credentials_ptr& who, std::string_view date) {
        detail::require_usable(*who);
        owner.reset();
        auto derived = derive_signing_key(who->secret_access_key, date, scope);
        key.emplace(derived);
        OPENSSL_cleanse(derived.data(), derived.size());
        key_date.assign(date);
        owner = who;
    }

    void prepare_text(const detail::date_stamp& stamp, std::string_view date_scope) {
        const bool token = !owner->session_token.empty();
        constexpr std::size_t fixed = 256; // all that is of this function's own making
        detail::wipe(after_target);        // another's token may be longer
        after_target.reserve(fixed + owner->session_token.size() + owner->access_key_id.size() +
                             date_scope.size());
        after_target.assign("\r\nX-Amz-Date: ").append(stamp.full());
        if (token) after_target.append("\r\nX-Amz-Security-Token: ").append(owner->session_token);
        after_target.append("\r\nAuthorization: ").append(detail::algorithm);
        after_target.append(" Credential=").append(owner->access_key_id).append("/");
        after_target.append(date_scope).append(", SignedHeaders=");
        after_target.append(token ? signed_names_with_token : signed_names);
        after_target.append(", Signature=");
    }

    void prepare_hashes(const detail::date_stamp& stamp, std::string_view date_scope) {
        canonical = sha256();
        canonical.update("POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:");
        canonical.update(authority);
        canonical.update("\nx-amz-date:");
        canonical.update(stamp.full());
        if (!owner->session_token.empty()) {
            canonical.update("\nx-amz-security-token:");
            canonical.update(owner->session_token);
        }
        canonical.update("\nx-amz-target:");
        string_to_sign = *key;
        for (std::string_view piece :
             {detail::algorithm, std::string_view("\n"), stamp.full(), std::string_view("\n"),
              date_scope, std::string_view("\n")}) {
            string_to_sign->update(piece);
        }
    }

    /// Makes `targeted` fit the operation. The mutex is held.
    void aim(std::string_view amz_target) {
        if (amz_target == target) return;
        target.clear();
        targeted = canonical;
        targeted.update(amz_target);
        targeted.update("\n\n");
        targeted.update(owner->session_token.empty() ? signed_names : signed_names_with_token);
        targeted.update("\n");
        target.assign(amz_target);
    }

    std::string authority;
    signing_scope scope;
    std::string before_target;

    std::mutex mutex;
    /// Whom the key belongs to; held, so that no other credentials can have the same address.
    credentials_ptr owner;
    std::string key_date;
    /// HMAC with the signing key that has absorbed nothing yet.
    std::optional<hmac_sha256> key;

    /// The second for which the rest is made; nullopt while it is for none.
    std::optional<std::chrono::sys_seconds> second;
    std::string after_target;
    sha256 canonical;
    std::optional<hmac_sha256> string_to_sign;
    /// The operation that `targeted` is for; empty while it is for none.
    std::string target;
    sha256 targeted;
};

json_request_signer::json_request_signer(std::string authority, signing_scope scope)
    : impl_(std::make_unique<impl>(std::move(authority), std::move(scope))) {}

json_request_signer::~json_request_signer() = default;
json_request_signer::json_request_signer(json_request_signer&&) noexcept = default;
json_request_signer& json_request_signer::operator=(json_request_signer&&) noexcept = default;

void json_request_signer::write_head(std::string& head, std::string_view amz_target,
                                     std::string_view body, const credentials_ptr& who,
                                     std::chrono::sys_seconds when) {
    detail::require_word("x-amz-target", amz_target);
    const auto body_hash = detail::to_hex(detail::sha256_of(body));

    std::unique_lock lock(impl_->mutex);
    impl_->refresh(who, when);
    impl_->aim(amz_target);
    sha256 canonical = impl_->targeted;
    hmac_sha256 mac = *impl_->string_to_sign;
    net::reserve_wiping(head, impl_->before_target.size() + amz_target.size() +
                                  impl_->after_target.size() + signature_and_length +
                                  last_headers.size());
    head.append(impl_->before_target).append(amz_target).append(impl_->after_target);
    lock.unlock();

    canonical.update(detail::view(body_hash));
    mac.update(detail::view(detail::to_hex(canonical.finish())));
    head.append(detail::view(detail::to_hex(mac.finish())));

    char length[20];
    const auto end = std::to_chars(length, length + sizeof(length), body.size()).ptr;
    head.append("\r\nContent-Length: ").append(length, end);
    head.append(last_headers);
}

} // namespace codynamo::aws
