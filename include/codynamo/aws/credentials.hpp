// SPDX-License-Identifier: BSL-1.0
// Who signs: credentials and where they come from.
#pragma once

#include <codynamo/environment.hpp>
#include <codynamo/error.hpp>
#include <codynamo/export.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::aws {

/// A key pair, with a token when it is a session's. Has no printer, and wipes its secrets when it
/// goes.
struct CODYNAMO_API credentials {
    std::string access_key_id;
    std::string secret_access_key;
    /// Empty for long-term credentials.
    std::string session_token;
    /// Empty when unknown.
    std::string account_id;
    /// nullopt: they do not expire.
    std::optional<timestamp> expires;

    credentials() = default;
    credentials(std::string id, std::string secret, std::string token = {});
    credentials(const credentials&) = default;
    credentials(credentials&&) = default;
    credentials& operator=(const credentials& other);
    credentials& operator=(credentials&& other) noexcept;
    ~credentials();
};

using credentials_ptr = std::shared_ptr<const credentials>;

/// Thrown by credentials_provider::resolve when there is nothing to read: no variable, no file, no
/// profile. A chain then asks its next link; any other exception says that the provider is
/// configured but broken, and ends the search. Its code is errc::no_credentials.
class CODYNAMO_API not_configured : public error {
public:
    /// `reason` is one clause without secrets, e.g. "AWS_ACCESS_KEY_ID is not set".
    explicit not_configured(const std::string& reason);
    /// The same again, for somebody else who waited for it.
    explicit not_configured(failure why);
};

/// A source of credentials. Thread-safe; asked anew for each attempt of each request. The provider
/// must outlive its resolve().
class CODYNAMO_API credentials_provider {
public:
    virtual ~credentials_provider() = default;
    /// How it is called in error messages, e.g. "environment".
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    /// The credentials at hand without suspending; null when resolve() has to be asked.
    [[nodiscard]] virtual credentials_ptr current() const = 0;
    /// Fails with errc::no_credentials; the message says "not configured" (the exception is then a
    /// codynamo::aws::not_configured) or what is wrong.
    /// Completes on the caller's executor. Cancelling one caller does not disturb the others.
    /// A client does not wait for it beyond the deadline of its call.
    [[nodiscard]] virtual boost::asio::awaitable<credentials_ptr> resolve() = 0;
    /// The service said that these have expired: do not hand out the same again if others can be
    /// had.
    virtual void invalidate(const credentials_ptr& expired);

    // The rest has defaults for a provider that never renews anything.

    /// The credentials that are still valid although resolve() waits for a renewal; null when there
    /// are none. A call that has waited for resolve() for a quarter of its time, or a second, signs
    /// with these. By default what current() gives.
    [[nodiscard]] virtual credentials_ptr valid() const;
    /// For error messages: the name and what else is known, e.g. "container (169.254.170.2;
    /// credentials expired at 2026-01-31T12:00:00Z)". Without secrets. By default the name.
    [[nodiscard]] virtual std::string describe() const;
    /// Ends a renewal that is under way; a caller that still waits for it starts another. A client
    /// calls this when it is closed. By default does nothing.
    virtual void abandon_renewal();
    /// The service's clock is `ahead` of this machine's (negative: behind), as a client has learnt
    /// from its answers: by that clock expiry is judged and requests are dated. By default does
    /// nothing.
    virtual void set_clock_offset(std::chrono::microseconds ahead);
};

using credentials_provider_ptr = std::shared_ptr<credentials_provider>;

/// Always the same. Throws errc::invalid_argument when the key id or the secret is empty or holds a
/// control character.
[[nodiscard]] CODYNAMO_API credentials_provider_ptr static_credentials(credentials fixed);

/// Asks each in turn until one has credentials, and stays with that one. A provider that is
/// configured but broken ends the search, so that a typing error never makes a program run under
/// another identity. When none has any, the exception is a not_configured whose message lists each
/// link with its reason: "no credentials found: environment: not configured: …; profile: …".
/// Throws errc::invalid_argument when a link is null.
[[nodiscard]] CODYNAMO_API credentials_provider_ptr
chain_credentials(std::vector<credentials_provider_ptr> links);

/// What one link of a chain said when it was asked.
struct provider_answer {
    std::string provider{};
    /// "found", "not configured: …", "failed: …", or "not asked".
    std::string said{};
};

struct chain_report {
    /// Null when no link had any.
    credentials_ptr found{};
    /// Name of the link they are from; empty when there is none.
    std::string provider{};
    /// All links in order.
    std::vector<provider_answer> asked{};
};

/// Asks like chain_credentials and tells what each link said, instead of throwing. A link after one
/// that was found or has failed is "not asked". Throws errc::invalid_argument when a link is null;
/// a cancellation is thrown on.
[[nodiscard]] CODYNAMO_API boost::asio::awaitable<chain_report>
examine_chain(std::vector<credentials_provider_ptr> links);

} // namespace codynamo::aws
