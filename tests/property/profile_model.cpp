// SPDX-License-Identifier: BSL-1.0
#include "property/profile_model.hpp"

#include <cctype>

namespace codynamo::property {

namespace {

using aws::profile_section;
using section_map = std::map<std::string, profile_section, std::less<>>;

std::string without_blanks(std::string text) {
    constexpr const char* blanks = " \t\r";
    text.erase(0, text.find_first_not_of(blanks));
    text.erase(text.find_last_not_of(blanks) + 1);
    return text;
}

bool has_control_character(std::string_view text) {
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') return true;
    return false;
}

void add(section_map& to, const std::string& name, const profile_section& properties) {
    if (name.empty() || has_control_character(name)) return;
    profile_section& section = to[name];
    for (const auto& [key, value] : properties)
        if (is_plain_name(key)) section[key] = value;
}

void add_nested(section_map& to) {
    for (auto& [name, section] : to) {
        profile_section nested;
        for (const auto& [outer, value] : section) {
            if (value.empty() || value.front() != '\n') continue;
            for (std::size_t at = 0; at != std::string::npos; at = value.find('\n', at + 1)) {
                const std::string line = value.substr(at + 1, value.find('\n', at + 1) - at - 1);
                const std::size_t equals = line.find('=');
                std::string inner = without_blanks(line.substr(0, equals));
                for (char& c : inner)
                    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
                nested[outer + '.' + inner] = without_blanks(line.substr(equals + 1));
            }
        }
        section.insert(nested.begin(), nested.end());
    }
}

} // namespace

void profile_file_model::add_line(std::string_view line) {
    text_ += line;
    ++lines_;
}

void profile_file_model::add_section(std::string_view line, section_kind kind, std::string name) {
    add_line(line);
    section_ = &sections_[{kind, std::move(name)}];
    property_ = nullptr;
    is_nested_ = false;
}

void profile_file_model::add_property(std::string_view line, const std::string& name,
                                      const std::string& value) {
    add_line(line);
    property_ = &(*section_)[name];
    *property_ = value;
    is_nested_ = value.empty();
}

void profile_file_model::add_continuation(std::string_view line, std::string_view content) {
    add_line(line);
    *property_ += '\n';
    *property_ += content;
}

bool is_plain_name(std::string_view name) {
    if (name.empty()) return false;
    for (const char c : name) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && std::string_view("_-/.%@:+").find(c) == std::string::npos)
            return false;
    }
    return true;
}

aws::profile_files merged(const profile_file_model& config, const profile_file_model& credentials) {
    aws::profile_files files;
    for (const auto& [id, properties] : config.contents()) {
        const auto& [kind, name] = id;
        if (kind == section_kind::profile) add(files.profiles, name, properties);
        if (kind == section_kind::sso_session) add(files.sso_sessions, name, properties);
        if (kind == section_kind::services) add(files.services, name, properties);
    }
    // [profile default] stands instead of [default].
    const auto plain = config.contents().find({section_kind::default_profile, "default"});
    if (plain != config.contents().end() &&
        !config.contents().contains({section_kind::profile, "default"}))
        add(files.profiles, "default", plain->second);
    for (const auto& [id, properties] : credentials.contents()) {
        // A name that is odd is one only where the config file has it.
        if (is_plain_name(id.second) || files.profiles.contains(id.second))
            add(files.profiles, id.second, properties);
    }
    for (section_map* each : {&files.profiles, &files.sso_sessions, &files.services})
        add_nested(*each);
    return files;
}

} // namespace codynamo::property
