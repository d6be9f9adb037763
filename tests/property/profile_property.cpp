// SPDX-License-Identifier: BSL-1.0
// Config and credentials files that are written line by line, in every form that a line may have:
// the parser agrees with a model, and names file and number of a malformed line.
#include "property/check.hpp"
#include "property/dice.hpp"
#include "property/profile_model.hpp"

#include <codynamo/aws/profile.hpp>
#include <codynamo/error.hpp>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

using namespace codynamo;
using namespace codynamo::property;

namespace {

struct profile_files_setting {
    bool has_byte_order_marks = false;
};
std::ostream& operator<<(std::ostream& out, const profile_files_setting& of) {
    return out << (of.has_byte_order_marks ? "with" : "without") << " byte order marks";
}

struct line_operation {
    enum kind {
        section,
        property,
        continuation,
        comment,
        blank,
        malformed,  ///< checked, and taken back
        random_end, ///< likewise
    };
    kind action = section;
    bool is_of_credentials = false;
    unsigned name = 0;
    unsigned value = 0;
    std::uint32_t seed = 0; ///< of blanks, quotes and comments
};
std::ostream& operator<<(std::ostream& out, const line_operation& of) {
    constexpr const char* words[] = {"section", "property",  "continuation", "comment",
                                     "blank",   "malformed", "random_end"};
    return out << words[of.action] << " of " << (of.is_of_credentials ? "credentials" : "config")
               << ", name " << of.name << ", value " << of.value << ", seed " << of.seed;
}

rc::Gen<line_operation> any_line_operation() {
    using enum line_operation::kind;
    return rc::gen::map(
        rc::gen::tuple(rc::gen::weightedElement<line_operation::kind>({{20, section},
                                                                       {40, property},
                                                                       {25, continuation},
                                                                       {4, comment},
                                                                       {4, blank},
                                                                       {8, malformed},
                                                                       {8, random_end}}),
                       rc::gen::weightedElement<bool>({{2, false}, {1, true}}),
                       rc::gen::inRange(0U, 60U), rc::gen::inRange(0U, 1'000U),
                       rc::gen::inRange<std::uint32_t>(0, 1'000'000'000)),
        [](const auto& of) {
            return line_operation{std::get<0>(of), std::get<1>(of), std::get<2>(of),
                                  std::get<3>(of), std::get<4>(of)};
        });
}

template <std::size_t Count>
std::string_view any_of(const std::array<std::string_view, Count>& these, dice& random) {
    return these[random.below(Count)];
}

std::string any_blanks(dice& random) {
    constexpr std::array<std::string_view, 5> some = {" ", "", "  ", "\t", " \t "};
    return std::string(any_of(some, random));
}
std::string any_end(dice& random) {
    constexpr std::array<std::string_view, 4> ends = {"\n", "\r\n", " \n", "\t\r\n"};
    return std::string(any_of(ends, random));
}
/// Behind a section or property, with the blank that it needs.
std::string any_comment(dice& random) {
    constexpr std::array<std::string_view, 6> comments = {"",          "",        " # comment",
                                                          "\t; a = 1", " #] [x]", " ;;"};
    return std::string(any_of(comments, random));
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

std::string section_name(unsigned number) {
    constexpr std::array<std::string_view, 16> names = {
        "default",    "a",       "b.c-d/%@:+_9", "A",        "my profile", "a # b;c]", "it's",
        "say \"hi\"", "back\\n", "profile a",    "\xc3\xa4", "[x]",        "\\",       "x=y",
        "",           "a\x01"};
    return std::string(names[number % names.size()]);
}
std::string property_name(unsigned number) {
    constexpr std::array<std::string_view, 12> names = {"region",   "s3",       "S3",   "s3.a",
                                                        "Role_Arn", "a-b/%@:+", "a",    "s3.b",
                                                        "x y",      "\xc3\xa4", "it's", "q\"q\""};
    return std::string(names[number % names.size()]);
}
/// Without blanks around it, and without a comment.
std::string property_value(unsigned number) {
    constexpr std::array<std::string_view, 10> pieces = {
        "v", "a=b", "x y", "\"q\" 'r", "\xc3\xa4", "a#b;c", "[x]", "\x01", "\\", "a\rb"};
    std::string text;
    for (unsigned rest = number; rest != 0; rest /= 10)
        text += pieces[rest % 10];
    return number % 7 == 3 ? '#' + text : text;
}

/// In quotes of any kind, or without where that says the same.
std::string any_quotes(const std::string& name, dice& random) {
    if (is_plain_name(name) && random.chance(2)) return name;
    if (name.find('\'') == std::string::npos && random.chance(2)) return '\'' + name + '\'';
    // Part of it may stand before the quotes.
    const bool is_split = random.chance(3) && !name.empty() && is_plain_name(name.substr(0, 1));
    std::string text = is_split ? name.substr(0, 1) + '"' : "\"";
    for (const char c : name.substr(is_split ? 1 : 0)) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text + '"';
}

class modelled_profiles {
public:
    explicit modelled_profiles(const profile_files_setting& setting)
        : mark_(setting.has_byte_order_marks ? "\xef\xbb\xbf" : "") {}

    void apply(const line_operation& of) {
        dice random(of.seed);
        profile_file_model& file = of.is_of_credentials ? credentials_ : config_;
        switch (of.action) {
        case line_operation::section:
            add_section(file, of, random);
            break;
        case line_operation::property:
            if (file.has_section()) add_property(file, of, random);
            break;
        case line_operation::continuation:
            if (file.has_property()) add_continuation(file, of, random);
            break;
        case line_operation::comment:
            file.add_line((random.chance(2) ? "#" : ";") + property_value(of.value) +
                          any_end(random));
            break;
        case line_operation::blank:
            file.add_line(any_blanks(random) + any_end(random));
            break;
        case line_operation::malformed:
            check_malformed(of, random);
            break;
        case line_operation::random_end:
            check_random_end(of, random);
            break;
        }
        check();
    }

private:
    static void add_section(profile_file_model& file, const line_operation& of, dice& random) {
        std::string name = section_name(of.name);
        std::string title;
        auto kind = section_kind::credentials;
        if (of.is_of_credentials) {
            // No quotes are read there, and a comment begins anywhere.
            if (name.find_first_of("#\"") != std::string::npos) name = "plain";
            title = name;
        } else {
            constexpr std::array<std::string_view, 4> prefixes = {"profile", "sso-session",
                                                                  "services", "other"};
            const unsigned which = of.value % 8;
            kind = which >= 4 ? section_kind::profile
                              : static_cast<section_kind>(
                                    static_cast<unsigned>(section_kind::profile) + which);
            if (which == 3) kind = section_kind::unknown;
            title = std::string(prefixes[which >= 4 ? 0 : which]);
            title += any_of(std::array<std::string_view, 3>{" ", "\t", " \t "}, random);
            title += any_quotes(name, random);
            if (name == "default" && random.chance(2)) {
                kind = section_kind::default_profile;
                title = name;
            }
        }
        file.add_section('[' + any_blanks(random) + title + any_blanks(random) + ']' +
                             any_comment(random) + any_end(random),
                         kind, std::move(name));
    }
    static void add_property(profile_file_model& file, const line_operation& of, dice& random) {
        const std::string name = property_name(of.name);
        const std::string value = random.chance(4) ? std::string() : property_value(of.value);
        const std::string before = value.starts_with('#') ? "" : any_blanks(random);
        file.add_property(name + any_blanks(random) + '=' + before + value + any_comment(random) +
                              any_end(random),
                          lower(name), value);
    }
    static void add_continuation(profile_file_model& file, const line_operation& of, dice& random) {
        std::string content = property_value(of.value);
        if (content.empty()) content = "# no comment";
        if (file.is_nested())
            content =
                property_name(of.name) + any_blanks(random) + '=' + any_blanks(random) + content;
        file.add_continuation((random.chance(2) ? "\t" : " ") + any_blanks(random) + content +
                                  any_end(random),
                              content);
    }

    [[nodiscard]] static aws::profile_files parse(const std::string& config,
                                                  const std::string& credentials) {
        return aws::parse_profile_files(config, credentials);
    }
    void check() const {
        const auto parsed = parse(mark_ + config_.text(), mark_ + credentials_.text());
        const auto expected = merged(config_, credentials_);
        RC_ASSERT(parsed.profiles == expected.profiles);
        RC_ASSERT(parsed.sso_sessions == expected.sso_sessions);
        RC_ASSERT(parsed.services == expected.services);
    }
    /// The error message when `text` follows one of the files; empty when it is valid.
    [[nodiscard]] std::string refusal_of(const std::string& text, bool is_of_credentials) const {
        try {
            (void)parse(config_.text() + (is_of_credentials ? "" : text),
                        credentials_.text() + (is_of_credentials ? text : ""));
        } catch (const error& failure) {
            RC_ASSERT(failure.code() == errc::invalid_argument);
            return failure.info().message;
        }
        return {};
    }
    void check_malformed(const line_operation& of, dice& random) const {
        const profile_file_model& file = of.is_of_credentials ? credentials_ : config_;
        std::string line = "SECRETCANARY";
        std::string_view words = "a property stands before the first section";
        if (random.chance(3)) {
            line = "[SECRETCANARY" + std::string(random.chance(2) ? "" : "] x");
            words = "a section must end with ']'";
        } else if (random.chance(2)) {
            line = ' ' + line;
            words = "a continued line stands before the first section";
            if (file.has_section()) words = "a continued line has no property to continue";
            if (file.has_property()) words = "'=' is missing after the name of a nested property";
            if (file.is_nested() && random.chance(2)) {
                line = " = SECRETCANARY";
                words = "a nested property has no name";
            }
            if (file.has_property() && !file.is_nested()) return; // anything continues it
        } else if (file.has_section()) {
            words = "'=' is missing after the name of a property";
            if (random.chance(2)) line += " # = 1";
            if (random.chance(2)) {
                line = any_blanks(random).empty() ? "=SECRETCANARY" : "= SECRETCANARY";
                words = "a property has no name";
            }
        }
        const std::string rest =
            random.chance(2) ? any_end(random) : any_end(random) + "[default]\na = 1\n";
        RC_ASSERT(refusal_of(line + rest, of.is_of_credentials) ==
                  (of.is_of_credentials ? "credentials" : "config") + std::string(" file line ") +
                      std::to_string(file.lines() + 1) + ": " + std::string(words));
    }
    /// Random text at the end is valid, or refused with the number of one of its lines.
    void check_random_end(const line_operation& of, dice& random) const {
        constexpr std::string_view likely = "[]\"'\\#;=\n\n\n \t\rab-.profile sso-session";
        std::string text;
        for (unsigned left = of.value % 40; left != 0; --left)
            text += random.chance(4) ? static_cast<char>(random.below(256))
                                     : likely[random.below(likely.size())];
        const std::string refusal = refusal_of(text, of.is_of_credentials);
        if (refusal.empty()) return;
        const profile_file_model& file = of.is_of_credentials ? credentials_ : config_;
        const std::string before =
            of.is_of_credentials ? "credentials file line " : "config file line ";
        RC_ASSERT(refusal.starts_with(before));
        const std::size_t line = std::stoul(refusal.substr(before.size()));
        const auto more = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        RC_ASSERT(line > file.lines());
        RC_ASSERT(line <= file.lines() + more + 1);
    }

    const std::string mark_;
    profile_file_model config_;
    profile_file_model credentials_;
};

} // namespace

TEST_CASE("the profile parser agrees with a model, in every form of a line") {
    property::check(
        rc::gen::map(rc::gen::arbitrary<bool>(),
                     [](bool with) { return profile_files_setting{with}; }),
        any_line_operation(), 10'000,
        [](const profile_files_setting& setting, const std::vector<line_operation>& operations) {
            modelled_profiles m(setting);
            for (const line_operation& each : operations)
                m.apply(each);
            return operations.size();
        });
}
