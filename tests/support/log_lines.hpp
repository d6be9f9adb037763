// SPDX-License-Identifier: BSL-1.0
// Keeps what a test's object logs.
#pragma once

#include <codynamo/environment.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::testing_support {

/// The lines of one log, oldest first. Copies share them. All members may be called from any
/// thread, as a logger's sink must be; a sink keeps the lines alive.
class log_lines {
public:
    [[nodiscard]] std::function<void(log_level, std::string_view)> sink() const {
        return [kept = kept_](log_level, std::string_view line) {
            const std::lock_guard lock(kept->mutex);
            kept->lines.emplace_back(line);
        };
    }

    [[nodiscard]] std::vector<std::string> all() const {
        const std::lock_guard lock(kept_->mutex);
        return kept_->lines;
    }

    void clear() const {
        const std::lock_guard lock(kept_->mutex);
        kept_->lines.clear();
    }

private:
    struct state {
        std::mutex mutex;
        std::vector<std::string> lines{};
    };
    std::shared_ptr<state> kept_ = std::make_shared<state>();
};

} // namespace codynamo::testing_support
