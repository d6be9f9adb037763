// SPDX-License-Identifier: BSL-1.0
// Which of several providers speaks.
#include <codynamo/aws/credentials.hpp>

#include <mutex>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws {
namespace {

class chain_provider final : public credentials_provider {
public:
    explicit chain_provider(std::vector<credentials_provider_ptr> links)
        : links_(std::move(links)) {
        for (const auto& link : links_) {
            if (!link) throw error(errc::invalid_argument, "credentials chain: a link is null");
        }
    }

    [[nodiscard]] std::string_view name() const noexcept override { return "chain"; }

    [[nodiscard]] credentials_ptr current() const override {
        const auto chosen = winner();
        return chosen ? chosen->current() : nullptr;
    }

    [[nodiscard]] asio::awaitable<credentials_ptr> resolve() override {
        if (const auto chosen = winner()) {
            const answer given = co_await ask(chosen, {});
            if (given.found) co_return given.found;
            // Its source is gone; whoever comes first in the chain now may take over.
            elect(nullptr);
        }
        std::string tried;
        for (const auto& link : links_) {
            answer given = co_await ask(link, tried);
            if (given.found) {
                elect(link);
                co_return given.found;
            }
            tried = std::move(given.tried);
        }
        throw not_configured(tried.empty() ? "the chain has no providers" : tried);
    }

    void invalidate(const credentials_ptr& expired) override {
        if (const auto chosen = winner()) chosen->invalidate(expired);
    }

private:
    struct answer {
        /// Null when the link is not configured.
        credentials_ptr found;
        /// Every link asked so far with its reason.
        std::string tried;
    };

    /// Throws when the link is broken.
    static asio::awaitable<answer> ask(credentials_provider_ptr link, std::string tried) {
        if (!tried.empty()) tried.append("; ");
        tried.append(link->name()).append(": ");
        answer given;
        try {
            given.found = co_await link->resolve();
        } catch (const not_configured& unset) {
            tried.append(unset.info().message);
        } catch (const error& broken) {
            diagnostics words = broken.info();
            words.message = tried + broken.as_failure().message();
            throw error(make_failure(make_error_code(errc::no_credentials), std::move(words)));
        }
        given.tried = std::move(tried);
        co_return given;
    }

    [[nodiscard]] credentials_provider_ptr winner() const {
        const std::lock_guard lock(mutex_);
        return winner_;
    }

    void elect(credentials_provider_ptr chosen) {
        const std::lock_guard lock(mutex_);
        winner_ = std::move(chosen);
    }

    const std::vector<credentials_provider_ptr> links_;
    mutable std::mutex mutex_;
    credentials_provider_ptr winner_;
};

} // namespace

credentials_provider_ptr chain_credentials(std::vector<credentials_provider_ptr> links) {
    return std::make_shared<chain_provider>(std::move(links));
}

} // namespace codynamo::aws
