// SPDX-License-Identifier: BSL-1.0
// What a table's requests cost, in capacity units.
#pragma once

#include <codynamo/dynamodb/operations.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <atomic>
#include <optional>
#include <vector>

namespace codynamo::detail {

class capacity_counter {
public:
    explicit capacity_counter(bool enabled) noexcept : enabled_(enabled) {}

    [[nodiscard]] bool enabled() const noexcept { return enabled_; }
    /// What requests have to ask for.
    [[nodiscard]] dynamodb::return_consumed_capacity wanted() const noexcept {
        return enabled_ ? dynamodb::return_consumed_capacity::total
                        : dynamodb::return_consumed_capacity::none;
    }

    void add_read(double units) noexcept { read_.fetch_add(units, std::memory_order_relaxed); }
    void add_write(double units) noexcept { write_.fetch_add(units, std::memory_order_relaxed); }
    void add_read(const std::optional<dynamodb::consumed_capacity>& told) noexcept {
        if (told) add_read(told->capacity_units);
    }
    void add_write(const std::optional<dynamodb::consumed_capacity>& told) noexcept {
        if (told) add_write(told->capacity_units);
    }

    [[nodiscard]] consumed_units total() const noexcept {
        return {read_.load(std::memory_order_relaxed), write_.load(std::memory_order_relaxed)};
    }

private:
    const bool enabled_;
    std::atomic<double> read_{0};
    std::atomic<double> write_{0};
};

} // namespace codynamo::detail
