// SPDX-License-Identifier: BSL-1.0
// The streaming reader of GetItem and BatchGetItem responses: every get goes through it, so it
// builds no tree.
#include "cache/record_item.hpp"
#include "dynamodb/base64.hpp"
#include "dynamodb/json_reader.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <string>
#include <utility>

namespace codynamo::detail {

namespace json = boost::json;

namespace {

/// Where in a response the parser is.
enum class section {
    none,  ///< in what is of no interest
    item,  ///< Item → attribute → type tag, of a GetItem
    found, ///< Responses → table → [attribute → type tag], of a BatchGetItem
    left,  ///< UnprocessedKeys → table → Keys → [attribute → type tag]
    spent, ///< ConsumedCapacity → CapacityUnits; of a BatchGetItem a list of such
};

/// Follows those paths; everything else is skipped.
class handler {
public:
    using error_code = boost::system::error_code;

    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    /// For the answer to a GetItem of `key`.
    handler(const record_attributes& names, bool with_value, std::string_view key)
        : names_(names), builder_(std::in_place, names), asked_(key), with_value_(with_value) {}
    /// For the answer to a BatchGetItem.
    handler(const record_attributes& names, batch_answers& to) : names_(names), batch_(&to) {}

    [[nodiscard]] std::optional<record> take() {
        if (!has_item_) return std::nullopt;
        return std::move(*builder_).finish(with_value_);
    }

    /// "No item" is said by an empty list, and not by silence.
    void require_answer() const {
        if (!has_answer_) bad("neither \"Responses\" nor \"UnprocessedKeys\"");
    }

    [[nodiscard]] double consumed() const noexcept { return consumed_; }

    bool on_object_begin(error_code&) { return begin(shape::object); }
    bool on_object_end(std::size_t, error_code&) {
        if (in_item() && inner_depth() == 1 && field_ != record_field::none && !has_tag_)
            bad("an attribute is empty");
        return end();
    }
    bool on_array_begin(error_code&) { return begin(shape::array); }
    bool on_array_end(std::size_t, error_code&) { return end(); }
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
    bool on_bool(bool, error_code&) { return value(shape::scalar); }
    bool on_null(error_code&) { return value(shape::null); }
    bool on_int64(std::int64_t number, json::string_view, error_code&) {
        return plain_number(static_cast<double>(number));
    }
    bool on_uint64(std::uint64_t number, json::string_view, error_code&) {
        return plain_number(static_cast<double>(number));
    }
    bool on_double(double number, json::string_view, error_code&) { return plain_number(number); }
    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

private:
    enum class tag { binary, number, other };
    enum class shape { object, array, null, scalar };
    /// What has to stand at the current place outside of items.
    enum class wanted { anything, object, array, item };

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

    bool plain_number(double number) {
        if (std::exchange(at_units_, false) && section_ == section::spent) {
            consumed_ += number;
            if (batch_) batch_->consumed(number);
        }
        return value(shape::scalar);
    }

    [[nodiscard]] bool in_item() const noexcept { return item_depth_ != 0; }
    /// 0 between the attributes of an item, 1 between the type tags of one.
    [[nodiscard]] int inner_depth() const noexcept { return depth_ - item_depth_; }

    void key(std::string_view name) {
        if (in_item()) return inner_key(name);
        at_units_ =
            section_ == section::spent && depth_ == (batch_ ? 3 : 2) && name == "CapacityUnits";
        if (depth_ == 2 && (section_ == section::found || section_ == section::left))
            require_table(name);
        if (depth_ == 3) at_keys_ = section_ == section::left && name == "Keys";
        if (depth_ != 1) return;
        section_ = section_of(name);
        if (section_ == section::item && has_item_) bad("two items");
        if (section_ == section::found || section_ == section::left) has_answer_ = true;
        if (name == "__type") bad("an error document with a status of success");
    }

    void require_table(std::string_view name) const {
        if (!batch_->is_table(name)) bad("a table that was not asked for");
    }

    [[nodiscard]] section section_of(std::string_view name) const noexcept {
        if (!batch_ && name == "Item") return section::item;
        if (name == "ConsumedCapacity") return section::spent;
        if (!batch_) return section::none;
        if (name == "Responses") return section::found;
        return name == "UnprocessedKeys" ? section::left : section::none;
    }

    void inner_key(std::string_view name) {
        if (inner_depth() == 0) {
            field_ = section_ == section::left ? record_field::none : builder_->field_of(name);
            at_key_ = (batch_ || !asked_.empty()) && name == names_.key;
        } else if (inner_depth() == 1) {
            has_tag_ = true;
            tag_ = name == "B" ? tag::binary : name == "N" ? tag::number : tag::other;
            is_text_ = name == "S";
            if (tag_ == tag::other && field_ != record_field::none)
                build([&] { builder_->other(field_, name); });
        }
    }

    void string(std::string_view text) {
        if (!in_item() || inner_depth() != 1) {
            value(shape::scalar);
            return;
        }
        if (at_key_) key_value(text);
        if (field_ == record_field::none) return;
        if (tag_ == tag::number) {
            build([&] { builder_->number(field_, text); });
        } else if (tag_ == tag::binary && with_value_) {
            std::string raw;
            if (!dynamodb::decode_base64(text, raw)) bad("a binary attribute is not base64");
            build([&] { builder_->bytes(field_, std::move(raw)); });
        }
    }

    void key_value(std::string_view text) {
        if (!batch_) {
            if (text != asked_) bad("the item of another key");
        } else if (is_text_) {
            key_.assign(text);
            has_key_ = true;
        }
    }

    /// What is wrong with one record of a batch is no concern of the others.
    template <class Step>
    void build(Step step) {
        if (!batch_) return step();
        if (broken_) return;
        try {
            step();
        } catch (const error& why) {
            broken_ = why.as_failure();
        }
    }

    bool value(shape what) {
        if (in_item()) {
            inner_value(what);
            return true;
        }
        const wanted here = wanted_here();
        if (here == wanted::anything) return true;
        if (here == wanted::item && what == shape::object) {
            begin_item();
            return true;
        }
        const bool may_be_null = depth_ > 0 && (here != wanted::item || !batch_);
        const bool fits = what == shape::null ? may_be_null
                                              : (here == wanted::object && what == shape::object) ||
                                                    (here == wanted::array && what == shape::array);
        if (!fits) refuse_here();
        return true;
    }

    [[nodiscard]] wanted wanted_here() const noexcept {
        if (depth_ == 0) return wanted::object;
        switch (section_) {
        case section::none:
        case section::spent:
            break;
        case section::item:
            return depth_ == 1 ? wanted::item : wanted::anything;
        case section::found:
            return depth_ == 1 ? wanted::object : depth_ == 2 ? wanted::array : wanted::item;
        case section::left:
            if (depth_ <= 2) return wanted::object;
            if (!at_keys_) break;
            return depth_ == 3 ? wanted::array : wanted::item;
        }
        return wanted::anything;
    }

    [[noreturn]] void refuse_here() const {
        if (depth_ == 0) bad("no JSON object");
        if (section_ == section::item) bad("\"Item\" is no object");
        bad(section_ == section::found ? "\"Responses\" has something else than items"
                                       : "\"UnprocessedKeys\" has something else than keys");
    }

    /// Whatever is not an object where an object has to be, or no string where a string has to.
    void inner_value(shape what) const {
        if (inner_depth() == 1 && field_ != record_field::none && tag_ != tag::other)
            bad("an attribute's value is no string");
        if (inner_depth() == 0 && field_ != record_field::none && what != shape::object)
            bad("an attribute is no object");
    }

    void begin_item() {
        has_item_ = true;
        has_key_ = at_key_ = false;
        field_ = record_field::none;
        item_depth_ = depth_ + 1;
        if (!batch_) return;
        broken_.reset();
        if (section_ == section::found) builder_.emplace(names_);
    }

    bool begin(shape what) {
        const bool is_attribute = in_item() && inner_depth() == 0 && what == shape::object;
        value(what);
        if (is_attribute) has_tag_ = is_text_ = false;
        ++depth_;
        return true;
    }

    bool end() {
        --depth_;
        if (in_item() && inner_depth() <= 0) field_ = record_field::none;
        if (in_item() && inner_depth() < 0) {
            item_depth_ = 0;
            if (batch_) end_of_batch_item();
        }
        if (depth_ == 1) section_ = section::none;
        return true;
    }

    void end_of_batch_item() {
        if (!has_key_) bad("an item without its key");
        if (section_ == section::left) return batch_->left(key_);
        if (!broken_) {
            try {
                return batch_->found(key_, std::move(*builder_).finish(true));
            } catch (const error& why) {
                broken_ = why.as_failure();
            }
        }
        batch_->found(key_, {boost::system::in_place_error, *std::move(broken_)});
    }

    [[noreturn]] void bad(const std::string& what) const {
        throw error(errc::bad_response,
                    std::string(batch_ ? "BatchGetItem" : "GetItem") + " response: " + what);
    }

    const record_attributes& names_;
    std::optional<record_builder> builder_;
    batch_answers* batch_ = nullptr;
    std::string_view asked_;
    bool with_value_ = true;
    bool has_tag_ = false;
    bool is_text_ = false; ///< the tag is that of a string
    bool at_key_ = false;
    bool at_keys_ = false;  ///< in the list of unprocessed keys
    bool at_units_ = false; ///< the next number is of units
    bool has_item_ = false;
    bool has_answer_ = false; ///< of a batch: about any key
    bool has_key_ = false;
    int depth_ = 0;
    int item_depth_ = 0; ///< depth of the names of its attributes; 0: in no item
    section section_ = section::none;
    record_field field_ = record_field::none;
    tag tag_ = tag::other;
    double consumed_ = 0;
    std::optional<failure> broken_; ///< why the item at hand is no record
    std::string key_;               ///< of the item at hand
    std::string partial_;
    std::string joined_;
};

/// Reads the whole response, then calls end(handler).
template <class End, class... Arguments>
void read(std::string_view operation, std::string_view response, End end,
          Arguments&&... arguments) {
    if (response.find_first_not_of(" \t\r\n") == response.npos)
        throw error(errc::bad_response, std::string(operation) + " response has an empty body");
    json::parse_options options;
    options.max_depth = dynamodb::most_json_levels;
    json::basic_parser<handler> parser(options, std::forward<Arguments>(arguments)...);
    boost::system::error_code ec;
    const std::size_t size = parser.write_some(false, response.data(), response.size(), ec);
    if (ec || size != response.size()) {
        throw error(errc::bad_response, std::string(operation) + " response is not JSON at byte " +
                                            std::to_string(size) +
                                            (ec ? ": " + ec.message() : std::string()));
    }
    end(parser.handler());
}

} // namespace

std::optional<record> decode_record(const record_attributes& names, std::string_view response,
                                    bool with_value, std::string_view key, double* consumed) {
    std::optional<record> found;
    read(
        "GetItem", response,
        [&](handler& parsed) {
            found = parsed.take();
            if (consumed) *consumed = parsed.consumed();
        },
        names, with_value, key);
    return found;
}

void decode_batch(const record_attributes& names, std::string_view response, batch_answers& to) {
    read(
        "BatchGetItem", response, [](handler& parsed) { parsed.require_answer(); }, names, to);
}

} // namespace codynamo::detail
