// SPDX-License-Identifier: BSL-1.0
// The grammar of the shared files, and the rules by which two files become one.
#include "aws/profile_paths.hpp"
#include "aws/text.hpp"
#include "aws/wipe.hpp"

#include <codynamo/aws/profile.hpp>
#include <codynamo/error.hpp>

#include <algorithm>
#include <utility>

namespace codynamo::aws {
namespace {

using detail::is_blank;
using detail::trim;

using section_map = std::map<std::string, profile_section, std::less<>>;

enum class section_kind { profile, default_profile, sso_session, services, ignored };
/// What a title says: [profile a] and [profile "a"] are one section, of which each property has its
/// last value.
struct section_id {
    section_kind kind;
    std::string name;
    friend auto operator<=>(const section_id&, const section_id&) = default;
};
using identified_sections = std::map<section_id, profile_section>;

template <class Sections>
void wipe_values(Sections& sections) noexcept {
    for (auto& [id, section] : sections) {
        for (auto& [key, value] : section)
            detail::wipe(value);
    }
}

/// Assignment and append leave nothing of the former text behind.
void assign(std::string& text, std::string_view value) {
    detail::wipe(text);
    text = value;
}

void append_line(std::string& text, std::string_view line) {
    std::string longer;
    longer.reserve(text.size() + 1 + line.size());
    longer.append(text).append("\n").append(line);
    text.swap(longer);
    detail::wipe(longer);
}

bool is_valid_name(std::string_view name) {
    constexpr std::string_view others = "_-/.%@:+";
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
        return detail::is_alphanumeric(c) || others.find(c) != std::string_view::npos;
    });
}

/// One file, line by line, into its sections.
class file_reader {
public:
    using identify = section_id (*)(std::string_view title);

    file_reader(std::string label, identify id_of) : label_(std::move(label)), id_of_(id_of) {}
    file_reader(const file_reader&) = delete;
    file_reader& operator=(const file_reader&) = delete;
    ~file_reader() { wipe_values(sections_); }

    void read(std::string_view text) {
        constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
        if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
        while (!text.empty()) {
            const auto end = text.find('\n');
            ++line_number_;
            read_line(text.substr(0, end));
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        }
    }

    [[nodiscard]] const identified_sections& sections() const noexcept { return sections_; }

private:
    void read_line(std::string_view line) {
        if (trim(line).empty() || line[0] == '#' || line[0] == ';') return;
        if (line[0] == '[') {
            begin_section(line);
        } else if (is_blank(line[0])) {
            continue_property(trim(line));
        } else {
            begin_property(line);
        }
    }

    void begin_section(std::string_view line) {
        line = trim(line.substr(0, end_of_section(line)));
        if (line.back() != ']') fail("a section must end with ']'");
        section_ = &sections_[id_of_(trim(line.substr(1, line.size() - 2)))];
        property_ = nullptr;
    }

    /// Where a comment begins; one character within quotes does not begin any.
    [[nodiscard]] static std::size_t end_of_section(std::string_view line) {
        char quote = 0;
        for (std::size_t i = 0; i != line.size(); ++i) {
            const char c = line[i];
            if (quote != 0) {
                if (c == '\\' && quote == '"') ++i;
                if (c == quote) quote = 0;
                if (i >= line.size()) break;
            } else if (c == '#' || c == ';') {
                return i;
            } else if ((c == '"' || c == '\'') && line.find(c, i + 1) != std::string_view::npos) {
                quote = c;
            }
        }
        return line.size();
    }

    void begin_property(std::string_view line) {
        if (!section_) fail("a property stands before the first section");
        for (std::size_t i = 1; i < line.size(); ++i) {
            if ((line[i] == '#' || line[i] == ';') && is_blank(line[i - 1])) {
                line = line.substr(0, i);
            }
        }
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) fail("'=' is missing after the name of a property");
        const auto name = trim(line.substr(0, equals));
        if (name.empty()) fail("a property has no name");
        property_ = &(*section_)[detail::to_lower(name)];
        assign(*property_, trim(line.substr(equals + 1)));
        nested_ = property_->empty();
    }

    void continue_property(std::string_view line) {
        if (!section_) fail("a continued line stands before the first section");
        if (!property_) fail("a continued line has no property to continue");
        if (nested_) {
            const auto equals = line.find('=');
            if (equals == std::string_view::npos) {
                fail("'=' is missing after the name of a nested property");
            }
            if (trim(line.substr(0, equals)).empty()) fail("a nested property has no name");
        }
        append_line(*property_, line);
    }

    [[noreturn]] void fail(std::string_view what) const {
        throw error(errc::invalid_argument,
                    label_ + " line " + std::to_string(line_number_) + ": " + std::string(what));
    }

    const std::string label_;
    const identify id_of_;
    identified_sections sections_;
    std::size_t line_number_ = 0;
    profile_section* section_ = nullptr;
    std::string* property_ = nullptr;
    /// The property's own value is empty, so its continued lines are properties of their own.
    bool nested_ = false;
};

/// A text of one word in the syntax of a shell, without its quotes; empty when it has several, or
/// an open quote. What stands outside of quotes must be a valid name.
std::string unquoted(std::string_view text) {
    std::string name;
    char quote = 0;
    for (std::size_t i = 0; i != text.size(); ++i) {
        const char c = text[i];
        if (quote == 0 && (c == '"' || c == '\'')) {
            quote = c;
        } else if (quote == 0) {
            if (!is_valid_name(text.substr(i, 1))) return {};
            name += c;
        } else if (c == quote) {
            quote = 0;
        } else if (c == '\\' && quote == '"' && i + 1 != text.size() &&
                   (text[i + 1] == '"' || text[i + 1] == '\\')) {
            name += text[++i];
        } else {
            name += c;
        }
    }
    return quote == 0 ? name : std::string();
}

/// The name in "prefix name" or "prefix 'name'"; empty when the title does not have this prefix.
/// Source: botocore's configloader, which splits the title like a shell.
std::string name_after(std::string_view prefix, std::string_view title) {
    if (!title.starts_with(prefix)) return {};
    const auto rest = title.substr(prefix.size());
    return !rest.empty() && is_blank(rest[0]) ? unquoted(trim(rest)) : std::string();
}

section_id config_section(std::string_view title) {
    if (title == "default") return {section_kind::default_profile, "default"};
    constexpr std::pair<std::string_view, section_kind> prefixes[] = {
        {"profile", section_kind::profile},
        {"sso-session", section_kind::sso_session},
        {"services", section_kind::services}};
    for (const auto& [prefix, kind_of] : prefixes)
        if (std::string name = name_after(prefix, title); !name.empty())
            return {kind_of, std::move(name)};
    return {section_kind::ignored, {}};
}

section_id credentials_section(std::string_view title) {
    return {section_kind::profile, std::string(title)};
}

void merge(section_map& into, std::string_view name, const profile_section& properties) {
    if (name.empty() || std::any_of(name.begin(), name.end(), detail::is_control)) return;
    auto& target = into[std::string(name)];
    for (const auto& [key, value] : properties) {
        if (is_valid_name(key)) assign(target[key], value);
    }
}

void merge_config(profile_files& files, const identified_sections& sections) {
    const bool prefixed_default = sections.contains({section_kind::profile, "default"});
    for (const auto& [id, properties] : sections) {
        switch (id.kind) {
        case section_kind::default_profile:
            if (prefixed_default) break;
            [[fallthrough]];
        case section_kind::profile:
            merge(files.profiles, id.name, properties);
            break;
        case section_kind::sso_session:
            merge(files.sso_sessions, id.name, properties);
            break;
        case section_kind::services:
            merge(files.services, id.name, properties);
            break;
        case section_kind::ignored:
            break;
        }
    }
}

/// Adds "outer.inner" for each nested property. Only nesting makes a value begin with a line feed.
void spread_nested(section_map& sections) {
    for (auto& [name, section] : sections) {
        profile_section spread;
        for (const auto& [outer, value] : section) {
            if (!value.starts_with('\n')) continue;
            for (std::string_view rest = value; !rest.empty();) {
                rest.remove_prefix(1);
                const auto line = rest.substr(0, rest.find('\n'));
                const auto equals = line.find('=');
                spread.insert_or_assign(outer + "." +
                                            detail::to_lower(trim(line.substr(0, equals))),
                                        std::string(trim(line.substr(equals + 1))));
                rest.remove_prefix(line.size());
            }
        }
        section.merge(spread);
    }
}

} // namespace

profile_files& profile_files::operator=(profile_files other) noexcept {
    profiles.swap(other.profiles);
    sso_sessions.swap(other.sso_sessions);
    services.swap(other.services);
    return *this;
}

profile_files::~profile_files() {
    for (auto* sections : {&profiles, &sso_sessions, &services})
        wipe_values(*sections);
}

const profile_section* profile_files::find(std::string_view profile) const {
    const auto found = profiles.find(profile);
    return found == profiles.end() ? nullptr : &found->second;
}

profile_files detail::parse_profile_files(const labelled_text& config_file,
                                          const labelled_text& credentials_file) {
    file_reader config(config_file.label, config_section);
    config.read(config_file.text);
    file_reader credentials(credentials_file.label, credentials_section);
    credentials.read(credentials_file.text);

    profile_files files;
    merge_config(files, config.sections());
    for (const auto& [id, properties] : credentials.sections()) {
        // A name that is valid in quotes only stands without them here.
        if (!is_valid_name(id.name) && !files.find(id.name)) continue;
        merge(files.profiles, id.name, properties);
    }
    spread_nested(files.profiles);
    spread_nested(files.sso_sessions);
    spread_nested(files.services);
    return files;
}

profile_files parse_profile_files(std::string_view config_text, std::string_view credentials_text) {
    return detail::parse_profile_files({config_text, "config file"},
                                       {credentials_text, "credentials file"});
}

} // namespace codynamo::aws
