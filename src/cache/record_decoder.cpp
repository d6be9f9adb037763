// SPDX-License-Identifier: BSL-1.0
// The streaming reader of GetItem responses: every get goes through it, so it builds no tree.
#include "cache/record_item.hpp"
#include "dynamodb/base64.hpp"
#include "dynamodb/json_reader.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <string>
#include <utility>

namespace codynamo::detail {

namespace json = boost::json;

namespace {

/// Follows the path Item → attribute → type tag; everything else is skipped.
class handler {
public:
    using error_code = boost::system::error_code;

    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    handler(const record_attributes& names, bool with_value, std::string_view key) noexcept
        : names_(names), builder_(names), asked_(key), with_value_(with_value) {}

    [[nodiscard]] std::optional<record> take() {
        if (!has_item_) return std::nullopt;
        return std::move(builder_).finish(with_value_);
    }

    bool on_object_begin(error_code&) {
        if (depth_ == 1 && in_item_) has_item_ = true;
        if (depth_ == 2) has_tag_ = false;
        if (depth_ == 3) scalar();
        return begin_compound();
    }
    bool on_object_end(std::size_t, error_code&) {
        if (depth_ == 3 && field_ != record_field::none && !has_tag_) bad("an attribute is empty");
        return end_compound();
    }
    bool on_array_begin(error_code&) {
        scalar();
        return begin_compound();
    }
    bool on_array_end(std::size_t, error_code&) { return end_compound(); }
    bool on_key_part(json::string_view part, std::size_t, error_code&) { return append(part); }
    bool on_key(json::string_view last, std::size_t, error_code&) {
        key(whole(last));
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, error_code&) { return append(part); }
    bool on_string(json::string_view last, std::size_t, error_code&) {
        string(whole(last));
        return true;
    }
    bool on_bool(bool, error_code&) { return scalar(); }
    bool on_null(error_code&) { return depth_ == 1 || scalar(); } // a null Item is no item
    bool on_int64(std::int64_t, json::string_view, error_code&) { return scalar(); }
    bool on_uint64(std::uint64_t, json::string_view, error_code&) { return scalar(); }
    bool on_double(double, json::string_view, error_code&) { return scalar(); }
    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

private:
    enum class tag { binary, number, other };

    bool append(json::string_view part) {
        partial_.append(part.data(), part.size());
        return true;
    }

    /// The text with the parts that came before it; valid until the next part.
    std::string_view whole(json::string_view last) {
        joined_.clear();
        if (partial_.empty()) return {last.data(), last.size()};
        partial_.append(last.data(), last.size());
        joined_.swap(partial_);
        return joined_;
    }

    void key(std::string_view name) {
        switch (depth_) {
        case 1:
            in_item_ = name == "Item";
            if (in_item_ && has_item_) bad("two items");
            if (name == "__type") bad("an error document with a status of success");
            break;
        case 2:
            field_ = in_item_ ? builder_.field_of(name) : record_field::none;
            at_key_ = in_item_ && !asked_.empty() && name == names_.key;
            break;
        case 3:
            has_tag_ = true;
            tag_ = name == "B" ? tag::binary : name == "N" ? tag::number : tag::other;
            if (tag_ == tag::other) builder_.other(field_, name);
            break;
        default:
            break;
        }
    }

    void string(std::string_view text) {
        if (depth_ == 3 && at_key_ && text != asked_) bad("the item of another key");
        if (depth_ != 3 || field_ == record_field::none) {
            scalar();
        } else if (tag_ == tag::number) {
            builder_.number(field_, text);
        } else if (tag_ == tag::binary && with_value_) {
            std::string raw;
            if (!dynamodb::decode_base64(text, raw)) bad("a binary attribute is not base64");
            builder_.bytes(field_, std::move(raw));
        }
    }

    /// Whatever is not an object where an object has to be.
    bool scalar() {
        if (depth_ == 0) bad("no JSON object");
        if (depth_ == 3 && field_ != record_field::none && tag_ != tag::other) {
            bad("an attribute's value is no string");
        }
        if (depth_ == 1 && in_item_) bad("\"Item\" is no object");
        if (depth_ == 2 && field_ != record_field::none) bad("an attribute is no object");
        return true;
    }

    bool begin_compound() {
        ++depth_;
        return true;
    }

    bool end_compound() {
        if (--depth_ == 1) in_item_ = false;
        if (depth_ <= 2) field_ = record_field::none;
        return true;
    }

    [[noreturn]] static void bad(const std::string& what) {
        throw error(errc::bad_response, "GetItem response: " + what);
    }

    const record_attributes& names_;
    record_builder builder_;
    std::string_view asked_;
    bool with_value_;
    bool has_tag_ = false;
    bool at_key_ = false;
    bool in_item_ = false;
    bool has_item_ = false;
    int depth_ = 0;
    record_field field_ = record_field::none;
    tag tag_ = tag::other;
    std::string partial_;
    std::string joined_;
};

} // namespace

std::optional<record> decode_record(const record_attributes& names, std::string_view response,
                                    bool with_value, std::string_view key) {
    const bool blank = response.find_first_not_of(" \t\r\n") == response.npos;
    if (blank) return std::nullopt; // stands for {}, as in every other response
    json::parse_options options;
    options.max_depth = dynamodb::most_json_levels;
    json::basic_parser<handler> parser(options, names, with_value, key);
    boost::system::error_code ec;
    const std::size_t read = parser.write_some(false, response.data(), response.size(), ec);
    if (ec || read != response.size()) {
        throw error(errc::bad_response, "GetItem response is not JSON at byte " +
                                            std::to_string(read) +
                                            (ec ? ": " + ec.message() : std::string()));
    }
    return parser.handler().take();
}

} // namespace codynamo::detail
