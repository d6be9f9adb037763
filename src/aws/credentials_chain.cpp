// SPDX-License-Identifier: BSL-1.0
// Which of several providers speaks.
#include <codynamo/aws/credentials.hpp>

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws {
namespace {

void require_links(const std::vector<credentials_provider_ptr>& links) {
    for (const auto& link : links) {
        if (!link) throw error(errc::invalid_argument, "credentials chain: a link is null");
    }
}

/// What one link came to: one of the three.
struct answer {
    credentials_ptr found;
    std::optional<failure> unset;
    std::optional<failure> broken;
};

/// A cancellation passes through.
asio::awaitable<answer> ask(credentials_provider_ptr link) {
    answer given;
    try {
        given.found = co_await link->resolve();
        if (!given.found) {
            given.broken = make_failure(make_error_code(errc::no_credentials), "it gave none");
        }
    } catch (const not_configured& unset) {
        given.unset = unset.as_failure();
    } catch (const error& broken) {
        given.broken = broken.as_failure();
    }
    co_return given;
}

void append_reason(std::string& tried, std::string_view name, const failure& why) {
    if (!tried.empty()) tried.append("; ");
    tried.append(name).append(": ").append(why.message());
}

class chain_provider final : public credentials_provider {
public:
    explicit chain_provider(std::vector<credentials_provider_ptr> links)
        : links_(std::move(links)) {
        require_links(links_);
    }

    [[nodiscard]] std::string_view name() const noexcept override { return "chain"; }

    [[nodiscard]] credentials_ptr current() const override {
        const auto chosen = winner();
        return chosen ? chosen->current() : nullptr;
    }

    [[nodiscard]] asio::awaitable<credentials_ptr> resolve() override {
        if (const auto chosen = winner()) {
            const answer given = co_await ask(chosen);
            if (given.found) co_return given.found;
            if (given.broken) refuse({}, *chosen, *given.broken);
            // Its source is gone; whoever comes first in the chain now may take over.
            elect(nullptr);
        }
        std::string tried;
        for (const auto& link : links_) {
            set_asked(link);
            const answer given = co_await ask(link);
            if (given.found) {
                elect(link);
                co_return given.found;
            }
            if (given.broken) refuse(std::move(tried), *link, *given.broken);
            append_reason(tried, link->name(), *given.unset);
        }
        throw not_configured(make_failure(
            make_error_code(errc::no_credentials),
            "no credentials found: " + (tried.empty() ? "the chain has no providers" : tried)));
    }

    void invalidate(const credentials_ptr& expired) override {
        if (const auto chosen = winner()) chosen->invalidate(expired);
    }

    [[nodiscard]] credentials_ptr valid() const override {
        const auto chosen = winner();
        return chosen ? chosen->valid() : nullptr;
    }

    [[nodiscard]] std::string describe() const override {
        credentials_provider_ptr link;
        {
            const std::lock_guard lock(mutex_);
            link = winner_ ? winner_ : asked_;
        }
        return link ? link->describe() : std::string(name());
    }

    void abandon_renewal() override {
        for (const auto& link : links_)
            link->abandon_renewal();
    }

    void set_clock_offset(std::chrono::microseconds ahead) override {
        for (const auto& link : links_)
            link->set_clock_offset(ahead);
    }

private:
    [[noreturn]] static void refuse(std::string tried, const credentials_provider& link,
                                    const failure& broken) {
        append_reason(tried, link.name(), broken);
        diagnostics words = broken.info ? *broken.info : diagnostics{};
        words.message = std::move(tried);
        throw error(make_failure(make_error_code(errc::no_credentials), std::move(words)));
    }

    [[nodiscard]] credentials_provider_ptr winner() const {
        const std::lock_guard lock(mutex_);
        return winner_;
    }

    void elect(credentials_provider_ptr chosen) {
        const std::lock_guard lock(mutex_);
        winner_ = std::move(chosen);
    }

    void set_asked(credentials_provider_ptr link) {
        const std::lock_guard lock(mutex_);
        asked_ = std::move(link);
    }

    const std::vector<credentials_provider_ptr> links_;
    mutable std::mutex mutex_;
    credentials_provider_ptr winner_;
    /// The link that was asked last, for messages.
    credentials_provider_ptr asked_;
};

} // namespace

credentials_provider_ptr chain_credentials(std::vector<credentials_provider_ptr> links) {
    return std::make_shared<chain_provider>(std::move(links));
}

asio::awaitable<chain_report> examine_chain(std::vector<credentials_provider_ptr> links) {
    require_links(links);
    chain_report report;
    bool over = false;
    for (const auto& link : links) {
        provider_answer entry;
        entry.provider = link->name();
        entry.said = "not asked";
        if (!over) {
            const answer given = co_await ask(link);
            over = !given.unset;
            if (given.found) {
                entry.said = "found";
                report.found = given.found;
                report.provider = entry.provider;
            } else {
                entry.said =
                    given.unset ? given.unset->message() : "failed: " + given.broken->message();
            }
        }
        report.asked.push_back(std::move(entry));
    }
    co_return report;
}

} // namespace codynamo::aws
