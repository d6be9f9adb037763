// SPDX-License-Identifier: BSL-1.0
// A config or credentials file that is written line by line, and its contents.
#pragma once

#include <codynamo/aws/profile.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace codynamo::property {

enum class section_kind {
    default_profile, ///< [default]
    profile,         ///< [profile name]
    sso_session,
    services,
    credentials, ///< [name], of a credentials file
    unknown,
};

class profile_file_model {
public:
    using sections = std::map<std::pair<section_kind, std::string>, aws::profile_section>;

    /// A comment or a blank line; each line with its end.
    void add_line(std::string_view line);
    /// A line that begins a section.
    void add_section(std::string_view line, section_kind kind, std::string name);
    /// A line that sets a property; the name in lower case. There is a section.
    void add_property(std::string_view line, const std::string& name, const std::string& value);
    /// A line that continues the property; without the blanks around it.
    void add_continuation(std::string_view line, std::string_view content);

    [[nodiscard]] bool has_section() const noexcept { return section_ != nullptr; }
    [[nodiscard]] bool has_property() const noexcept { return property_ != nullptr; }
    /// The next continuation is a property of its own.
    [[nodiscard]] bool is_nested() const noexcept { return is_nested_; }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] std::size_t lines() const noexcept { return lines_; }
    /// Nested properties as text.
    [[nodiscard]] const sections& contents() const noexcept { return sections_; }

private:
    std::string text_;
    std::size_t lines_ = 0;
    sections sections_;
    aws::profile_section* section_ = nullptr;
    std::string* property_ = nullptr;
    bool is_nested_ = false;
};

/// Letters, digits and _-/.%@:+
[[nodiscard]] bool is_plain_name(std::string_view name);

/// The contents of both files together.
[[nodiscard]] aws::profile_files merged(const profile_file_model& config,
                                        const profile_file_model& credentials);

} // namespace codynamo::property
