// SPDX-License-Identifier: BSL-1.0
// The bounds of a role, and the source that assumes it.
#include "aws/assume_role.hpp"

#include "aws/bounded_resolve.hpp"
#include "aws/network_source.hpp"
#include "aws/sts.hpp"
#include "aws/text.hpp"

#include <algorithm>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws {
namespace detail {
namespace {

/// What is wrong with the text; empty when it will do.
std::string complaint(std::string_view value, std::size_t least, std::size_t most,
                      std::string_view punctuation) {
    if (value.size() < least || value.size() > most) {
        return "must have " + std::to_string(least) + " to " + std::to_string(most) + " characters";
    }
    const bool allowed = std::all_of(value.begin(), value.end(), [&](char c) {
        return is_alphanumeric(c) || punctuation.find(c) != std::string_view::npos;
    });
    return allowed ? std::string()
                   : "must be made of letters, digits and " + std::string(punctuation);
}

/// Of one answer of the source, which somebody else may have made: a fetch bounds its own time.
constexpr std::chrono::seconds longest_wait{60};

bool has_expired(const sts_answer& answer) {
    return answer.refused == "ExpiredToken" || answer.refused == "ExpiredTokenException";
}

class assume_role final : public network_source {
public:
    assume_role(credentials_provider_ptr source, assume_role_config role, source_options options,
                std::shared_ptr<source_memory> memory)
        : source_(std::move(source)), role_(std::move(role)), options_(std::move(options)),
          memory_(memory ? std::move(memory) : attach_memory(options_)) {}

    [[nodiscard]] std::string_view name() const noexcept override { return "assume role"; }
    void set_clock_offset(std::chrono::microseconds ahead) override {
        source_->set_clock_offset(ahead);
    }
    void abandon_renewal() override { source_->abandon_renewal(); }

private:
    [[nodiscard]] asio::awaitable<credentials> ask() override {
        const credentials_ptr first = co_await signer();
        sts_answer answer = co_await call_sts(options_, memory_, form(), first);
        if (has_expired(answer)) {
            source_->invalidate(first);
            const credentials_ptr second = co_await signer();
            if (second != first) answer = co_await call_sts(options_, memory_, form(), second);
        }
        if (!answer.refused.empty()) throw error(errc::no_credentials, words(answer.why));
        co_return std::move(answer.found);
    }

    [[nodiscard]] asio::awaitable<credentials_ptr> signer() {
        try {
            co_return co_await resolve_within(longest_wait, source_, options_.env.time);
        } catch (const error& why) {
            throw error(errc::no_credentials,
                        words("its source credentials (" + std::string(source_->name()) +
                              "): " + why.info().message));
        }
    }

    [[nodiscard]] std::string words(const std::string& why) const {
        return "role " + quotable(role_.role_arn) + ": " + why;
    }

    [[nodiscard]] text_fields form() const {
        text_fields fields;
        const auto add = [&](const char* name, const std::string& value) {
            fields.emplace_back(name, secret_string(value));
        };
        add("Action", "AssumeRole");
        add("Version", "2011-06-15");
        add("RoleArn", role_.role_arn);
        add("RoleSessionName", session_name_or_default(role_.session_name, options_.env));
        // An hour is what STS takes by itself.
        if (role_.duration != std::chrono::hours(1))
            add("DurationSeconds", std::to_string(role_.duration.count()));
        if (!role_.external_id.empty()) add("ExternalId", role_.external_id);
        return fields;
    }

    const credentials_provider_ptr source_;
    const assume_role_config role_;
    source_options options_;
    const std::shared_ptr<source_memory> memory_;
};

} // namespace

void check_role_arn(std::string_view field, std::string_view value) {
    if (value.size() < 20 || value.size() > 2048)
        refuse_argument(field, value, "must have 20 to 2048 characters");
    const bool shaped =
        value.starts_with("arn:") && std::count(value.begin(), value.end(), ':') > 4;
    if (!shaped || !std::all_of(value.begin(), value.end(), is_visible))
        refuse_argument(field, value, "is no ARN like arn:aws:iam::123456789012:role/name");
}

void check_session_name(std::string_view field, std::string_view value) {
    const std::string wrong = complaint(value, 2, 64, "_+=,.@-");
    if (!wrong.empty()) refuse_argument(field, value, wrong);
}

void check(const assume_role_config& role) {
    check_role_arn("role_arn", role.role_arn);
    if (!role.session_name.empty()) check_session_name("session_name", role.session_name);
    if (!role.external_id.empty()) {
        const std::string wrong = complaint(role.external_id, 2, 1224, "_+=,.@:/-");
        if (!wrong.empty()) throw error(errc::invalid_argument, "external_id: " + wrong);
    }
    if (role.duration < std::chrono::minutes(15) || role.duration > std::chrono::hours(12)) {
        throw error(errc::invalid_argument, "duration = " + std::to_string(role.duration.count()) +
                                                " s: must be from 900 s to 43200 s");
    }
}

std::string session_name_or_default(const std::string& given, const environment& env) {
    if (!given.empty()) return given;
    const auto now = std::chrono::floor<std::chrono::milliseconds>(env.time->now());
    return "codynamo-" + std::to_string(now.time_since_epoch().count());
}

std::shared_ptr<credential_source> assume_role_source(credentials_provider_ptr source,
                                                      assume_role_config role,
                                                      source_options options,
                                                      std::shared_ptr<source_memory> memory) {
    if (!source) throw error(errc::invalid_argument, "the role's source credentials are null");
    check(role);
    return std::make_shared<assume_role>(std::move(source), std::move(role), std::move(options),
                                         std::move(memory));
}

} // namespace detail

credentials_provider_ptr assume_role_credentials(credentials_provider_ptr source,
                                                 assume_role_config role, source_options options) {
    auto memory = detail::attach_memory(options);
    const environment env = options.env;
    auto assumed =
        detail::assume_role_source(std::move(source), std::move(role), std::move(options), memory);
    return detail::refreshing(std::move(assumed), env, {}, memory);
}

} // namespace codynamo::aws
