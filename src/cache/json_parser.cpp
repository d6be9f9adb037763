// SPDX-License-Identifier: BSL-1.0
// JSON text to value with every number exact: Boost.JSON 1.81's own conversion is off by an ulp for
// 29 % of all doubles, and turns integers beyond 64 bits into doubles.
#include "cache/json_limits.hpp"
#include "cache/utf8.hpp"

#include <codynamo/error.hpp>
#include <codynamo/json_serializer.hpp>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

namespace codynamo::detail {

namespace json = boost::json;

namespace {

constexpr const char* too_big_integer = "an integer beyond 64 bits";
constexpr const char* out_of_range = "a number beyond the range of double";

/// Builds the value while basic_parser calls; converts the text of doubles itself.
class exact_handler {
public:
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = max_object_size;
    static constexpr std::size_t max_string_size = max_object_size;

    /// What was refused; null when it was the parser's own error.
    [[nodiscard]] const char* refused() const noexcept { return refused_; }
    [[nodiscard]] json::value release() { return stack_.release(); }

    bool on_document_begin(boost::system::error_code&) {
        stack_.reset();
        return true;
    }
    bool on_document_end(boost::system::error_code&) { return true; }
    bool on_array_begin(boost::system::error_code&) { return true; }
    bool on_array_end(std::size_t n, boost::system::error_code&) {
        stack_.push_array(n);
        return true;
    }
    bool on_object_begin(boost::system::error_code&) { return true; }
    bool on_object_end(std::size_t n, boost::system::error_code&) {
        stack_.push_object(n);
        return true;
    }
    bool on_key_part(json::string_view s, std::size_t, boost::system::error_code&) {
        stack_.push_chars(s);
        return true;
    }
    bool on_key(json::string_view s, std::size_t, boost::system::error_code&) {
        stack_.push_key(s);
        return true;
    }
    bool on_string_part(json::string_view s, std::size_t, boost::system::error_code&) {
        stack_.push_chars(s);
        return true;
    }
    bool on_string(json::string_view s, std::size_t, boost::system::error_code&) {
        stack_.push_string(s);
        return true;
    }
    bool on_number_part(json::string_view s, boost::system::error_code&) {
        number_.append(s.data(), s.size());
        return true;
    }
    bool on_int64(std::int64_t i, json::string_view s, boost::system::error_code&) {
        const bool is_negative = (number_.empty() ? s.front() : number_.front()) == '-';
        number_.clear();
        if (i == 0 && is_negative)
            stack_.push_double(-0.0); // no integer has this sign; it is read as 0 all the same
        else
            stack_.push_int64(i);
        return true;
    }
    bool on_uint64(std::uint64_t u, json::string_view, boost::system::error_code&) {
        number_.clear();
        stack_.push_uint64(u);
        return true;
    }
    bool on_double(double, json::string_view s, boost::system::error_code& ec) {
        if (number_.empty()) return convert({s.data(), s.size()}, ec);
        number_.append(s.data(), s.size());
        const std::string whole = std::move(number_);
        number_.clear();
        return convert(whole, ec);
    }
    bool on_bool(bool b, boost::system::error_code&) {
        stack_.push_bool(b);
        return true;
    }
    bool on_null(boost::system::error_code&) {
        stack_.push_null();
        return true;
    }
    bool on_comment_part(json::string_view, boost::system::error_code&) { return true; }
    bool on_comment(json::string_view, boost::system::error_code&) { return true; }

private:
    bool convert(std::string_view text, boost::system::error_code& ec) {
        if (text.find_first_of(".eE") == std::string_view::npos) return refuse(too_big_integer, ec);
        double exact = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), exact);
        if (problem != std::errc{} || end != text.data() + text.size())
            return refuse(out_of_range, ec);
        stack_.push_double(exact);
        return true;
    }
    bool refuse(const char* what, boost::system::error_code& ec) {
        refused_ = what;
        ec = json::error::not_exact;
        return false;
    }

    json::value_stack stack_;
    std::string number_;
    const char* refused_ = nullptr;
};

/// Whether the text ends with the escape of a leading surrogate, which nothing followed.
bool ends_with_leading_surrogate(std::string_view text) {
    const std::string_view escape =
        text.substr(text.size() - std::min<std::size_t>(text.size(), 6));
    constexpr std::string_view leading = "89abAB";
    return escape.size() == 6 && escape.starts_with("\\u") && (escape[2] | 0x20) == 'd' &&
           leading.find(escape[3]) != std::string_view::npos;
}

/// What is wrong at `at`, where the parser stopped with `ec`.
std::string describe(std::string_view text, std::size_t at, const boost::system::error_code& ec) {
    const std::string_view rest = text.substr(std::min(at, text.size()));
    if (rest.starts_with("NaN")) return "NaN, which is not JSON,";
    if (rest.starts_with("Infinity")) return "an infinity, which is not JSON,";
    if (ec == json::error::incomplete) return "the text is cut off";
    if (ec == json::error::too_deep) return "nesting deeper than " + std::to_string(max_json_depth);
    if (ec == json::error::exponent_overflow) return out_of_range;
    if (ec == json::error::expected_utf16_escape || ec == json::error::illegal_leading_surrogate ||
        ec == json::error::illegal_trailing_surrogate ||
        ends_with_leading_surrogate(text.substr(0, at)))
        return "a lone surrogate";
    if (!is_utf8(text)) return "invalid UTF-8";
    return ec.message();
}

[[noreturn]] void refuse(const std::string& what, std::size_t at) {
    throw error(errc::deserialize_failed,
                "unreadable JSON: " + what + " at byte " + std::to_string(at));
}

} // namespace

json::value json_value(std::string_view text) {
    json::parse_options options;
    options.max_depth = max_json_depth;
    json::basic_parser<exact_handler> parser(options);
    boost::system::error_code ec;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
    if (const char* what = parser.handler().refused()) refuse(what, read);
    if (ec) refuse(describe(text, read, ec), read);
    if (read < text.size()) refuse("something after the end", read);
    return parser.handler().release();
}

} // namespace codynamo::detail
