// SPDX-License-Identifier: BSL-1.0
// One setting, looked up in its variable and then in the profile's key; blank counts as not set.
#pragma once

#include "aws/profile_paths.hpp"
#include "aws/text.hpp"

#include <codynamo/aws/profile.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace codynamo::aws::detail {

/// A trimmed property; empty when it is not there.
[[nodiscard]] inline std::string_view property(const profile_section* section,
                                               std::string_view name) {
    if (!section) return {};
    const auto found = section->find(name);
    return found == section->end() ? std::string_view() : trim(found->second);
}

struct setting {
    /// Empty when it is not set.
    std::string value{};
    /// Which variable or key it is from, for messages.
    std::string source{};
};

/// `variable` or `key` may be nullptr: there is no such one. `section` may be nullptr.
[[nodiscard]] inline setting find_setting(const environment& env, const profile_section* section,
                                          const char* variable, const char* key) {
    setting found;
    if (variable) found = {trimmed_variable(env, variable), variable};
    if (found.value.empty() && key)
        found = {std::string(property(section, key)), std::string(key) + " of the profile"};
    return found;
}

/// Throws errc::invalid_argument: `AWS_RETRY_MODE = "x": must be …`.
[[noreturn]] inline void refuse_setting(const setting& what, std::string_view bounds) {
    std::string shown = what.value.substr(0, 80);
    std::replace_if(shown.begin(), shown.end(), is_control, '?');
    throw error(errc::invalid_argument,
                what.source + " = \"" + shown + "\": must be " + std::string(bounds));
}

/// "true" or "false" in any case; nullopt when it is not set.
[[nodiscard]] inline std::optional<bool> boolean_of(const setting& what) {
    if (what.value.empty()) return std::nullopt;
    const auto word = to_lower(what.value);
    if (word != "true" && word != "false") refuse_setting(what, "true or false");
    return word == "true";
}

} // namespace codynamo::aws::detail
