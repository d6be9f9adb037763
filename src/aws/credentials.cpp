// SPDX-License-Identifier: BSL-1.0
// Credentials, and the providers that need no network.
#include "aws/profile_paths.hpp"
#include "aws/signing.hpp"
#include "aws/text.hpp"

#include <codynamo/aws/credentials.hpp>
#include <codynamo/aws/profile.hpp>

#include <openssl/crypto.h>

#include <mutex>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws {
namespace {

/// The whole buffer, since an earlier and longer value may have left its end behind.
void wipe(std::string& secret) noexcept {
    secret.resize(secret.capacity());
    OPENSSL_cleanse(secret.data(), secret.size());
}

/// Turns the refusal of unusable credentials into this room's error, which names where they are
/// from.
void require_usable_from(std::string_view source, const credentials& who) {
    try {
        detail::require_usable(who);
    } catch (const error& refused) {
        throw error(errc::no_credentials, std::string(source) + ": " + refused.info().message);
    }
}

class static_provider final : public credentials_provider {
public:
    explicit static_provider(credentials fixed)
        : fixed_(std::make_shared<const credentials>(std::move(fixed))) {
        detail::require_usable(*fixed_);
    }

    [[nodiscard]] std::string_view name() const noexcept override { return "static"; }
    [[nodiscard]] credentials_ptr current() const override { return fixed_; }
    [[nodiscard]] asio::awaitable<credentials_ptr> resolve() override { co_return fixed_; }

private:
    credentials_ptr fixed_;
};

/// A provider that reads without suspending, and then remembers.
class reading_provider : public credentials_provider {
public:
    [[nodiscard]] credentials_ptr current() const override {
        const std::lock_guard lock(mutex_);
        return known_;
    }

    [[nodiscard]] asio::awaitable<credentials_ptr> resolve() override {
        if (auto known = current()) co_return known;
        // Two callers at once read twice, which harms nobody.
        auto fresh = std::make_shared<const credentials>(read());
        const std::lock_guard lock(mutex_);
        if (!known_) known_ = std::move(fresh);
        co_return known_;
    }

    void invalidate(const credentials_ptr& expired) override {
        const std::lock_guard lock(mutex_);
        if (known_ == expired) known_.reset();
    }

private:
    /// Throws not_configured, or error with errc::no_credentials.
    [[nodiscard]] virtual credentials read() const = 0;

    mutable std::mutex mutex_;
    credentials_ptr known_;
};

class environment_provider final : public reading_provider {
public:
    explicit environment_provider(environment env) : env_(std::move(env)) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "environment"; }

private:
    [[nodiscard]] credentials read() const override {
        credentials found(detail::trimmed_variable(env_, "AWS_ACCESS_KEY_ID"),
                          detail::trimmed_variable(env_, "AWS_SECRET_ACCESS_KEY"),
                          detail::trimmed_variable(env_, "AWS_SESSION_TOKEN"));
        found.account_id = detail::trimmed_variable(env_, "AWS_ACCOUNT_ID");
        const bool id = !found.access_key_id.empty();
        const bool secret = !found.secret_access_key.empty();
        if (!id && !secret) throw not_configured("AWS_ACCESS_KEY_ID is not set");
        if (!secret) {
            throw error(errc::no_credentials,
                        "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
        }
        if (!id) {
            throw error(errc::no_credentials,
                        "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not");
        }
        require_usable_from("environment variables", found);
        return found;
    }

    environment env_;
};

class profile_provider final : public reading_provider {
public:
    profile_provider(environment env, std::string profile)
        : env_(std::move(env)), given_(std::move(profile)) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "profile"; }

private:
    [[nodiscard]] credentials read() const override {
        const std::string profile = profile_name(env_, given_);
        const std::string label = "profile \"" + profile + "\"";
        const profile_files files = load();
        const profile_section* section = files.find(profile);
        if (!section) {
            const bool named =
                !given_.empty() || !detail::trimmed_variable(env_, "AWS_PROFILE").empty();
            if (named) throw error(errc::no_credentials, label + " does not exist");
            throw not_configured("there is no " + label);
        }
        refuse_other_sources(label, *section);
        return static_keys(label, *section);
    }

    [[nodiscard]] profile_files load() const {
        try {
            return load_profile_files(env_);
        } catch (const error& malformed) {
            throw error(errc::no_credentials, malformed.info().message);
        }
    }

    static void refuse_other_sources(const std::string& label, const profile_section& section) {
        for (const char* source :
             {"role_arn", "credential_source", "web_identity_token_file", "sso_session",
              "sso_account_id", "sso_start_url", "login_session", "credential_process"}) {
            if (section.contains(source)) {
                throw error(errc::no_credentials,
                            label + " has " + source + ": configured but not supported");
            }
        }
    }

    [[nodiscard]] static credentials static_keys(const std::string& label,
                                                 const profile_section& section) {
        const auto value = [&](std::string_view key) {
            const auto found = section.find(key);
            return found == section.end() ? std::string() : found->second;
        };
        credentials found(value("aws_access_key_id"), value("aws_secret_access_key"),
                          value("aws_session_token"));
        found.account_id = value("aws_account_id");
        const bool id = !found.access_key_id.empty();
        const bool secret = !found.secret_access_key.empty();
        if (!id && !secret) throw not_configured(label + " has no credentials");
        if (!id) throw error(errc::no_credentials, label + " has no aws_access_key_id");
        if (!secret) throw error(errc::no_credentials, label + " has no aws_secret_access_key");
        require_usable_from(label, found);
        return found;
    }

    environment env_;
    std::string given_;
};

} // namespace

credentials::credentials(std::string id, std::string secret, std::string token)
    : access_key_id(std::move(id)), secret_access_key(std::move(secret)),
      session_token(std::move(token)) {}

credentials& credentials::operator=(const credentials& other) {
    if (this != &other) *this = credentials(other);
    return *this;
}

credentials& credentials::operator=(credentials&& other) noexcept {
    // By exchange: what was here goes to `taken`, whose destructor wipes it.
    credentials taken(std::move(other));
    std::swap(access_key_id, taken.access_key_id);
    secret_access_key.swap(taken.secret_access_key);
    session_token.swap(taken.session_token);
    std::swap(account_id, taken.account_id);
    std::swap(expires, taken.expires);
    return *this;
}

credentials::~credentials() {
    wipe(secret_access_key);
    wipe(session_token);
}

not_configured::not_configured(const std::string& reason)
    : error(errc::no_credentials, "not configured: " + reason) {}

void credentials_provider::invalidate(const credentials_ptr&) {}

credentials_provider_ptr static_credentials(credentials fixed) {
    return std::make_shared<static_provider>(std::move(fixed));
}

credentials_provider_ptr environment_credentials(environment env) {
    return std::make_shared<environment_provider>(std::move(env));
}

credentials_provider_ptr profile_credentials(environment env, std::string profile_name) {
    return std::make_shared<profile_provider>(std::move(env), std::move(profile_name));
}

credentials_provider_ptr default_credentials(environment env, std::string profile_name) {
    return chain_credentials(
        {environment_credentials(env), profile_credentials(env, std::move(profile_name))});
}

} // namespace codynamo::aws
