// SPDX-License-Identifier: BSL-1.0
// Random items against a model of them: encoding, decoding, size, validation, comparison and
// copies. Spoilt JSON is refused, or decodes to an item that can be encoded.
#include "dynamodb/codec.hpp"
#include "dynamodb/same_value.hpp"
#include "property/check.hpp"
#include "property/item_model.hpp"
#include "property/random_item.hpp"

#include <boost/json/parse.hpp>

#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

using namespace codynamo;
using namespace codynamo::property;
using codynamo::dynamodb::item;
namespace json = boost::json;

namespace {

struct item_operation {
    enum kind {
        add_text,
        add_broken_text,
        add_number,
        add_binary,
        add_boolean,
        add_null,
        add_text_set,
        add_number_set,
        add_binary_set,
        add_list,
        add_map,
        nest,  ///< many lists and maps, one in the other
        fill,  ///< up to the bound of an item
        close, ///< the innermost list or map
        mutate,
        start_over,
    };
    kind action = add_text;
    unsigned name = 0;
    unsigned size = 0;
    std::uint32_t seed = 0; ///< of whatever else is random
};
std::ostream& operator<<(std::ostream& out, const item_operation& of) {
    constexpr const char* words[] = {
        "add_text",       "add_broken_text", "add_number",   "add_binary",
        "add_boolean",    "add_null",        "add_text_set", "add_number_set",
        "add_binary_set", "add_list",        "add_map",      "nest",
        "fill",           "close",           "mutate",       "start_over"};
    return out << words[of.action] << ", name " << of.name << ", size " << of.size << ", seed "
               << of.seed;
}

/// There is no setting.
struct empty_item {
    friend std::ostream& operator<<(std::ostream& out, const empty_item&) {
        return out << "an empty item";
    }
};

rc::Gen<item_operation> any_item_operation() {
    using enum item_operation::kind;
    return rc::gen::map(
        rc::gen::tuple(rc::gen::weightedElement<item_operation::kind>({{60, add_text},
                                                                       {6, add_broken_text},
                                                                       {120, add_number},
                                                                       {30, add_binary},
                                                                       {10, add_boolean},
                                                                       {10, add_null},
                                                                       {20, add_text_set},
                                                                       {20, add_number_set},
                                                                       {20, add_binary_set},
                                                                       {40, add_list},
                                                                       {60, add_map},
                                                                       {10, nest},
                                                                       {1, fill},
                                                                       {40, close},
                                                                       {200, mutate},
                                                                       {20, start_over}}),
                       rc::gen::inRange(0U, 40U),
                       rc::gen::weightedOneOf<unsigned>({{1, rc::gen::just(0U)},
                                                         {6, rc::gen::inRange(0U, 50U)},
                                                         {1, rc::gen::inRange(0U, 300U)}}),
                       rc::gen::inRange<std::uint32_t>(0, 1'000'000'000)),
        [](const auto& of) {
            return item_operation{std::get<0>(of), std::get<1>(of), std::get<2>(of),
                                  std::get<3>(of)};
        });
}

class modelled_item {
public:
    modelled_item() { root_.type = item_node::kind::m; }

    void apply(const item_operation& of) {
        using enum item_operation::kind;
        if (of.action == start_over) {
            root_.children.clear();
            open_.clear();
        } else if (of.action == close) {
            if (!open_.empty()) open_.pop_back();
        } else if (of.action == mutate) {
            check_mutation(of);
        } else {
            const item_node before = root_;
            const std::vector<std::size_t> open_before = open_;
            add(of);
            check();
            // An invalid part is removed, so that the next steps are about other parts.
            if (!problem_of(root_) && of.action != fill) return;
            root_ = before;
            open_ = open_before;
        }
    }

private:
    void add(const item_operation& of) {
        using enum item_operation::kind;
        using enum item_node::kind;
        dice random(of.seed);
        item_node node;
        if (of.action == nest) {
            for (unsigned i = 0; i != of.size % 40; ++i)
                open(random.chance(2) ? l : m, "nested");
        }
        if (of.action == add_list || of.action == add_map)
            return open(of.action == add_list ? l : m, name_of(of.name));
        if (of.action == add_text) node = scalar_of(s, random, of.size);
        if (of.action == add_number) node = scalar_of(n, random, of.size);
        if (of.action == add_binary) node = scalar_of(b, random, of.size);
        if (of.action == add_boolean) node = scalar_of(boolean, random, 0);
        if (of.action == add_text_set) node = set_of(ss, s, random, of.size);
        if (of.action == add_number_set) node = set_of(ns, n, random, of.size);
        if (of.action == add_binary_set) node = set_of(bs, b, random, of.size);
        if (of.action == add_broken_text) {
            node = scalar_of(s, random, of.size);
            node.bytes += '\xff';
        }
        if (of.action == fill) return fill_up(of.seed % 5);
        node.name = name_of(of.name);
        static_cast<void>(innermost().add(std::move(node)));
    }
    item_node& innermost() {
        item_node* at = &root_;
        for (const std::size_t each : open_)
            at = &at->children[each];
        return *at;
    }
    void open(item_node::kind type, std::string name) {
        item_node node;
        node.type = type;
        node.name = std::move(name);
        open_.push_back(innermost().add(std::move(node)));
    }
    /// To two bytes less than the bound, or up to two more.
    void fill_up(std::size_t offset) {
        item_node node;
        node.type = item_node::kind::s;
        node.name = "fill";
        open_.clear();
        const std::size_t at = root_.add(node);
        const std::size_t wanted = 409'598 + offset;
        if (size_of(root_) < wanted) root_.children[at].bytes.assign(wanted - size_of(root_), 'f');
    }

    void check() {
        const item value = item_of(root_);
        RC_ASSERT(dynamodb::item_size(value) == size_of(root_));
        check_copies(value);
        check_same(value);
        std::string sent;
        const dynamodb::put_item_input in{.table_name = "table", .item = value};
        const auto problem = problem_of(root_);
        const bool is_valid = !problem || problem->is_found_on_encoding;
        std::string refusal;
        try {
            dynamodb::validate(in);
            RC_ASSERT(is_valid);
            dynamodb::encode(in, sent);
        } catch (const error& failure) {
            RC_ASSERT(failure.code() == errc::invalid_argument);
            refusal = failure.info().message;
        }
        if (problem) {
            RC_ASSERT(refusal.starts_with(problem->place + ' '));
            RC_ASSERT(refusal.find(problem->words) != std::string::npos);
            return;
        }
        RC_ASSERT(refusal.empty());
        json::parse_options deep;
        deep.max_depth = 100;
        RC_ASSERT(json::parse(sent, json::storage_ptr(), deep) ==
                  json::value({{"TableName", "table"}, {"Item", json_of(root_)}}));
        dynamodb::get_item_output got;
        dynamodb::decode(sent, got);
        RC_ASSERT(got.item == value);
    }

    static void check_copies(const item& value) {
        item copy = value;
        RC_ASSERT(copy == value);
        const item moved = std::move(copy);
        RC_ASSERT(moved == value);
        copy = moved; // a moved-from map can be assigned to
        RC_ASSERT(copy == value);
        if (copy.empty()) return;
        dynamodb::attribute_value& first = copy.begin()->second;
        first = dynamodb::list{first};
        RC_ASSERT_FALSE(copy == value);
        first = dynamodb::list(first.as<dynamodb::list>()).front();
        RC_ASSERT(copy == value);
    }
    void check_same(const item& value) const {
        const item_node other_form = disguised(root_);
        const item other = item_of(other_form);
        RC_ASSERT(dynamodb::same_item(value, other));
        RC_ASSERT(dynamodb::same_item(other, value));
        RC_ASSERT(dynamodb::item_size(value) == dynamodb::item_size(other));
        RC_ASSERT((value == other) == (json_of(root_) == json_of(other_form)));
    }

    /// Spoilt JSON is a bad response, or an item that comes back from the wire.
    void check_mutation(const item_operation& of) {
        if (root_.children.empty() || problem_of(root_)) return;
        std::string text;
        dynamodb::encode(dynamodb::put_item_input{.table_name = "table", .item = item_of(root_)},
                         text);
        dice random(of.seed);
        for (unsigned left = 1 + of.size % 3; left != 0; --left)
            spoil(text, random);
        dynamodb::get_item_output first;
        try {
            dynamodb::decode(text, first);
        } catch (const error& failure) {
            RC_ASSERT(failure.code() == errc::bad_response);
            return;
        }
        if (!first.item) return;
        const dynamodb::put_item_input in{.table_name = "table", .item = *first.item};
        try {
            dynamodb::validate(in);
        } catch (const error& failure) {
            RC_ASSERT(failure.code() == errc::invalid_argument);
            return;
        }
        text.clear();
        dynamodb::encode(in, text);
        dynamodb::get_item_output second;
        dynamodb::decode(text, second);
        RC_ASSERT(second.item == first.item);
        RC_ASSERT(dynamodb::item_size(*second.item) == dynamodb::item_size(*first.item));
    }
    item_node root_;
    std::vector<std::size_t> open_; ///< lists and maps that are being added to, from the root
};

} // namespace

TEST_CASE("items agree with a model of their encoding, size and validity") {
    property::check(rc::gen::just(empty_item()), any_item_operation(), 5'000,
                    [](const empty_item&, const std::vector<item_operation>& operations) {
                        modelled_item m;
                        for (const item_operation& each : operations)
                            m.apply(each);
                        return operations.size();
                    });
}
