// SPDX-License-Identifier: BSL-1.0
// What a source keeps from one fetch to the next: ways to servers, what it learnt of their clock,
// and a token that its file did not take.
#pragma once

#include "aws/clock_skew.hpp"
#include "aws/learnt_clock.hpp"
#include "aws/secret_memory.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/net/transport.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace codynamo::aws::detail {

/// By what one transport differs from another one of the same source.
struct kept_way {
    net::origin server{};
    bool direct = false;
    std::string ca_file{};

    bool operator==(const kept_way&) const = default;
};

/// A refreshed token of an SSO session that is not in its file.
struct unsaved_sso_token {
    std::string path{};
    /// accessToken and refreshToken as the file has them.
    secret_string stale_access{};
    secret_string stale_refresh{};
    /// What the file should be.
    secret_string text{};
};

/// Thread-safe: a fetch that was given up may go on beside the next one.
class source_memory {
public:
    /// Null when there is none.
    [[nodiscard]] std::shared_ptr<net::transport> transport_of(const kept_way& way) const {
        const std::lock_guard lock(mutex_);
        for (const auto& [known, transport] : ways_)
            if (known == way) return transport;
        return nullptr;
    }
    void keep(const kept_way& way, std::shared_ptr<net::transport> transport) {
        const std::lock_guard lock(mutex_);
        // Settings that change at each fetch do not make it grow.
        if (ways_.size() == most_ways) ways_.erase(ways_.begin());
        ways_.emplace_back(way, std::move(transport));
    }

    /// What is known of the services' clock; never null.
    [[nodiscard]] const std::shared_ptr<clock_skew>& skew() const noexcept { return skew_; }

    /// The server that was asked last, for messages; empty before.
    [[nodiscard]] std::string server() const {
        const std::lock_guard lock(mutex_);
        return server_;
    }
    void set_server(std::string authority) {
        const std::lock_guard lock(mutex_);
        server_ = std::move(authority);
    }

    [[nodiscard]] std::optional<unsaved_sso_token> unsaved() const {
        const std::lock_guard lock(mutex_);
        return unsaved_;
    }
    void set_unsaved(std::optional<unsaved_sso_token> token) {
        const std::lock_guard lock(mutex_);
        unsaved_ = std::move(token);
    }

private:
    static constexpr std::size_t most_ways = 4;

    const std::shared_ptr<clock_skew> skew_ = std::make_shared<clock_skew>(true);
    mutable std::mutex mutex_;
    std::string server_;
    std::vector<std::pair<kept_way, std::shared_ptr<net::transport>>> ways_;
    std::optional<unsaved_sso_token> unsaved_;
};

/// A new memory; the clock of `options` is from now on corrected by what is learnt into it.
[[nodiscard]] inline std::shared_ptr<source_memory> attach_memory(source_options& options) {
    auto made = std::make_shared<source_memory>();
    options.env.time = std::make_shared<learnt_clock>(options.env.time, made->skew());
    return made;
}

} // namespace codynamo::aws::detail
