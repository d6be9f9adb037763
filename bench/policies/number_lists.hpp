// SPDX-License-Identifier: BSL-1.0
// Lists of key numbers, threaded through arrays.
#pragma once

#include "policies/references.hpp"

#include <cstdint>
#include <vector>

namespace bench {

/// Each key is in one list, or in none (list 0).
class number_lists {
public:
    static constexpr key_number none = ~key_number{0};

    number_lists(std::size_t keys, std::size_t lists)
        : newer_(keys, none), older_(keys, none), in_(keys, 0), ends_(lists + 1) {}

    [[nodiscard]] std::uint8_t of(key_number key) const { return in_[key]; }
    [[nodiscard]] key_number oldest(std::uint8_t list) const { return ends_[list].oldest; }
    [[nodiscard]] key_number newer(key_number key) const { return newer_[key]; }
    [[nodiscard]] std::size_t size(std::uint8_t list) const { return ends_[list].size; }
    /// To the newest end of a list; 0 takes it out.
    void move(key_number key, std::uint8_t to) {
        if (in_[key] != 0) unlink(key);
        in_[key] = to;
        if (to == 0) return;
        ends& list = ends_[to];
        older_[key] = list.newest;
        newer_[key] = none;
        (list.newest == none ? list.oldest : newer_[list.newest]) = key;
        list.newest = key;
        ++list.size;
    }

private:
    struct ends {
        key_number newest = none;
        key_number oldest = none;
        std::size_t size = 0;
    };
    void unlink(key_number key) {
        ends& list = ends_[in_[key]];
        (newer_[key] == none ? list.newest : older_[newer_[key]]) = older_[key];
        (older_[key] == none ? list.oldest : newer_[older_[key]]) = newer_[key];
        --list.size;
    }

    std::vector<key_number> newer_;
    std::vector<key_number> older_;
    std::vector<std::uint8_t> in_;
    std::vector<ends> ends_;
};

} // namespace bench
