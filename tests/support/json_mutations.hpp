// SPDX-License-Identifier: BSL-1.0
// A good document with one thing wrong: every value replaced by every other kind of value, every
// member left out.
#pragma once

#include <boost/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace codynamo::testing {

struct mutation {
    std::string what; ///< e.g. "/Item/key := []"
    std::string text;
};

namespace detail {

inline std::string pointer_token(std::string_view name) {
    std::string out;
    for (const char c : name)
        out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
}

inline void collect_pointers(const boost::json::value& v, const std::string& at,
                             std::vector<std::string>& out) {
    out.push_back(at);
    if (const auto* object = v.if_object())
        for (const auto& member : *object)
            collect_pointers(member.value(), at + '/' + pointer_token(member.key()), out);
    if (const auto* array = v.if_array())
        for (std::size_t i = 0; i < array->size(); ++i)
            collect_pointers((*array)[i], at + '/' + std::to_string(i), out);
}

} // namespace detail

inline std::vector<mutation> mutations_of(std::string_view good) {
    namespace json = boost::json;
    static const char* const replacements[] = {"null",
                                               "true",
                                               "7",
                                               "-1",
                                               "1.5",
                                               "1e300",
                                               "18446744073709551615",
                                               R"("")",
                                               R"("text")",
                                               "[]",
                                               "[null]",
                                               R"(["text"])",
                                               R"({})",
                                               R"({"S":"x"})",
                                               R"({"S":7})",
                                               R"({"S":"x","N":"1"})",
                                               R"({"M":{"a":{"L":[{"Q":""}]}}})"};
    const json::value whole = json::parse(good);
    std::vector<std::string> pointers;
    detail::collect_pointers(whole, "", pointers);
    std::vector<mutation> all;
    for (const std::string& pointer : pointers) {
        boost::system::error_code none;
        for (const char* const other : replacements) {
            json::value changed = whole;
            *changed.find_pointer(pointer, none) = json::parse(other);
            all.push_back({pointer + " := " + other, json::serialize(changed)});
        }
        const auto slash = pointer.rfind('/');
        if (slash == std::string::npos) continue;
        json::value changed = whole;
        if (auto* parent = changed.find_pointer(pointer.substr(0, slash), none)->if_object()) {
            parent->erase(pointer.substr(slash + 1));
            all.push_back({pointer + " left out", json::serialize(changed)});
        }
    }
    return all;
}

} // namespace codynamo::testing
