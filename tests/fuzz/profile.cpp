// SPDX-License-Identifier: BSL-1.0
// Profile files: sections, or an error with a line, and never a word of the text.
#include "fuzz/targets.hpp"

#include <codynamo/aws/profile.hpp>

#include <string>

namespace codynamo::fuzz {
namespace {

std::size_t count_properties(const aws::profile_files& files) {
    std::size_t n = 0;
    for (const auto* kind : {&files.profiles, &files.sso_sessions, &files.services}) {
        for (const auto& [name, section] : *kind) {
            require(!name.empty(), "sections have names");
            for (const auto& [key, value] : section) {
                require(!key.empty(), "properties have names");
                require(key.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == key.npos,
                        "in lower case");
                ++n;
            }
        }
    }
    return n;
}

} // namespace

void profile(std::string_view input) {
    const auto config = take_until(input, '\0');
    const auto credentials = input;
    (void)succeeds(
        [&] {
            const auto both = aws::parse_profile_files(config, credentials);
            const auto again = aws::parse_profile_files(config, credentials);
            require(count_properties(both) == count_properties(again), "parsing is a function");
        },
        errc::invalid_argument);
}

} // namespace codynamo::fuzz
