// SPDX-License-Identifier: BSL-1.0
// Credentials as a value that wipes its secrets, and those that never change.
#include "aws/signing.hpp"
#include "aws/wipe.hpp"

#include <codynamo/aws/credentials.hpp>

#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws {
namespace {

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
    detail::wipe(secret_access_key);
    detail::wipe(session_token);
}

not_configured::not_configured(const std::string& reason)
    : error(errc::no_credentials, "not configured: " + reason) {}

not_configured::not_configured(failure why) : error(std::move(why)) {}

void credentials_provider::invalidate(const credentials_ptr&) {}

credentials_ptr credentials_provider::valid() const {
    return current();
}

std::string credentials_provider::describe() const {
    return std::string(name());
}

void credentials_provider::abandon_renewal() {}

void credentials_provider::set_clock_offset(std::chrono::microseconds) {}

credentials_provider_ptr static_credentials(credentials fixed) {
    return std::make_shared<static_provider>(std::move(fixed));
}

} // namespace codynamo::aws
