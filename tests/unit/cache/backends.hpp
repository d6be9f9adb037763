// SPDX-License-Identifier: BSL-1.0
// Backends for tests: the least that is one, and one that does as it is told.
#pragma once

#include "support/tap.hpp"

#include <codynamo/any_backend.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/testing/manual_clock.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace codynamo::test_support {

/// The three functions and nothing else, as a user would write them.
class minimal_backend {
public:
    boost::asio::awaitable<std::optional<record>> load(std::string key) {
        const auto at = kept_->find(key);
        if (at == kept_->end()) co_return std::nullopt;
        co_return at->second;
    }
    boost::asio::awaitable<void> store(std::string key, record r) {
        (*kept_)[key] = std::move(r);
        co_return;
    }
    boost::asio::awaitable<bool> erase(std::string key) { co_return kept_->erase(key) == 1; }

    [[nodiscard]] std::map<std::string, record>& kept() const { return *kept_; }

private:
    std::shared_ptr<std::map<std::string, record>> kept_ =
        std::make_shared<std::map<std::string, record>>();
};

/// A minimal_backend with hooks before and after each operation, which may fail or do what somebody
/// else does meanwhile; and a list of what was asked.
class scripted_backend {
public:
    using hook = std::function<boost::asio::awaitable<void>()>;
    struct script {
        hook before_load, after_load, before_store, after_store, before_erase, after_erase;
        std::vector<std::string> calls;
    };

    boost::asio::awaitable<std::optional<record>> load(std::string key) {
        script_->calls.push_back("load " + key);
        co_await play(script_->before_load);
        std::optional<record> found = co_await kept_.load(key);
        co_await play(script_->after_load);
        co_return found;
    }
    boost::asio::awaitable<void> store(std::string key, record r) {
        script_->calls.push_back("store " + key);
        co_await play(script_->before_store);
        co_await kept_.store(key, std::move(r));
        co_await play(script_->after_store);
    }
    boost::asio::awaitable<bool> erase(std::string key) {
        script_->calls.push_back("erase " + key);
        co_await play(script_->before_erase);
        const bool was_there = co_await kept_.erase(key);
        co_await play(script_->after_erase);
        co_return was_there;
    }

    [[nodiscard]] script& play_book() const { return *script_; }
    [[nodiscard]] std::map<std::string, record>& kept() const { return kept_.kept(); }

private:
    /// Each hook is played once.
    static boost::asio::awaitable<void> play(hook& what) {
        const hook once = std::exchange(what, nullptr);
        if (once) co_await once();
    }

    minimal_backend kept_;
    std::shared_ptr<script> script_ = std::make_shared<script>();
};

/// A hook that fails.
[[nodiscard]] inline scripted_backend::hook failing(errc code) {
    return [code]() -> boost::asio::awaitable<void> {
        throw error(code, "as the script says");
        co_return;
    };
}

/// An environment whose time stands still.
struct frozen {
    std::shared_ptr<testing::manual_clock> clock = std::make_shared<testing::manual_clock>();

    [[nodiscard]] environment env() const {
        environment e = testing_support::tapped();
        e.time = clock;
        return e;
    }
    [[nodiscard]] record made(std::string value, ttl lifetime = for_ever, ttl age = ttl{0}) const {
        return {.value = std::move(value),
                .written = clock->now() - age,
                .lifetime = lifetime,
                .source = {}};
    }
};

} // namespace codynamo::test_support
