// SPDX-License-Identifier: BSL-1.0
// Finds two targets of a batch that are the same item, in n log n.
#include "dynamodb/encode_common.hpp"
#include "dynamodb/validate_common.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

namespace codynamo::dynamodb {
namespace {

using position_pair = std::pair<std::size_t, std::size_t>;

struct keyed {
    std::string key;
    std::size_t position;
};

/// The key as text, taken out of a whole item when need be; empty when the item lacks part of it.
std::string key_text(const target& from, const item& key_names) {
    std::string out;
    const path where("key");
    if (from.is_key) {
        append_item(out, *from.what, where);
        return out;
    }
    item key;
    for (const auto& [name, ignored] : key_names) {
        const auto found = from.what->find(name);
        if (found == from.what->end()) return out;
        key.insert(*found);
    }
    append_item(out, key, where);
    return out;
}

std::optional<position_pair> find_same_key(std::span<const target> targets, const item& key_names) {
    std::vector<keyed> keys;
    keys.reserve(targets.size());
    for (std::size_t i = 0; i < targets.size(); ++i)
        if (std::string text = key_text(targets[i], key_names); !text.empty())
            keys.push_back({std::move(text), i});
    std::sort(keys.begin(), keys.end(), [](const keyed& a, const keyed& b) {
        return std::tie(a.key, a.position) < std::tie(b.key, b.position);
    });
    const auto same = std::adjacent_find(
        keys.begin(), keys.end(), [](const keyed& a, const keyed& b) { return a.key == b.key; });
    if (same == keys.end()) return std::nullopt;
    return position_pair(same->position, (same + 1)->position);
}

/// Items rarely share their first attribute, so that most comparisons are short.
std::optional<position_pair> find_same_item(std::span<const target> targets) {
    for (std::size_t i = 0; i < targets.size(); ++i)
        for (std::size_t j = i + 1; j < targets.size(); ++j)
            if (*targets[i].what == *targets[j].what) return position_pair(i, j);
    return std::nullopt;
}

} // namespace

std::optional<position_pair> find_duplicate(std::span<const target> targets) {
    if (targets.size() < 2) return std::nullopt;
    const auto with_key = std::find_if(targets.begin(), targets.end(),
                                       [](const target& each) { return each.is_key; });
    return with_key == targets.end() ? find_same_item(targets)
                                     : find_same_key(targets, *with_key->what);
}

} // namespace codynamo::dynamodb
