// SPDX-License-Identifier: BSL-1.0
// DynamoDB's expressions over items of the wire: conditions, updates and projections of top-level
// attributes.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing::detail {

namespace json = boost::json;

/// Becomes the service's ValidationException.
class invalid_expression : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

inline std::string_view text_of(const json::value& v) {
    if (!v.is_string()) throw invalid_expression("a string is expected");
    return {v.get_string().data(), v.get_string().size()};
}

/// Numbers as far as a simulation compares them: 18 digits.
inline long double number_of(std::string_view text) {
    long double n = 0;
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size())
        throw invalid_expression("not a number: " + std::string(text));
    return n;
}

/// Type tag and content of an attribute value: "N", "12".
inline std::pair<std::string_view, const json::value*> tagged(const json::value& v) {
    const json::object* o = v.if_object();
    if (!o || o->size() != 1) throw invalid_expression("an attribute value has one type");
    const auto key = o->begin()->key();
    return {{key.data(), key.size()}, &o->begin()->value()};
}

/// < 0, 0, > 0; nullopt where the values cannot be ordered. Binary values are ordered by their
/// base64, which only equality survives.
inline std::optional<int> compare(const json::value& a, const json::value& b) {
    const auto [type, left] = tagged(a);
    const auto [other_type, right] = tagged(b);
    if (type != other_type) return std::nullopt;
    if (type == "N") {
        const long double x = number_of(text_of(*left));
        const long double y = number_of(text_of(*right));
        return x < y ? -1 : x > y ? 1 : 0;
    }
    if (type == "S" || type == "B") return text_of(*left).compare(text_of(*right));
    if (*left == *right) return 0;
    return std::nullopt;
}

/// What the placeholders of a request stand for; either may be null.
struct placeholders {
    const json::object* names = nullptr;
    const json::object* values = nullptr;
};

/// A cursor over the words of an expression.
class expression_reader {
public:
    expression_reader(std::string_view text, placeholders with) : rest_(text), with_(with) {
        advance();
    }

    [[nodiscard]] bool at_end() const noexcept { return word_.empty(); }
    [[nodiscard]] std::string_view word() const noexcept { return word_; }
    [[nodiscard]] bool is(std::string_view wanted) const noexcept {
        if (word_.size() != wanted.size()) return false;
        for (std::size_t i = 0; i != wanted.size(); ++i)
            if (upper(word_[i]) != upper(wanted[i])) return false;
        return true;
    }
    bool take(std::string_view wanted) {
        if (!is(wanted)) return false;
        advance();
        return true;
    }
    void expect(std::string_view wanted) {
        if (!take(wanted))
            throw invalid_expression("expected " + std::string(wanted) + " before \"" +
                                     std::string(word_) + '"');
    }
    /// A path; those with dots or indexes are not simulated.
    std::string_view path() {
        const std::string_view name = next();
        if (name.starts_with('#')) {
            const json::value* found = with_.names ? with_.names->if_contains(name) : nullptr;
            if (!found) throw invalid_expression("undefined name " + std::string(name));
            return text_of(*found);
        }
        if (name.find_first_of(".[:") != name.npos)
            throw invalid_expression("not simulated: " + std::string(name));
        return name;
    }
    [[nodiscard]] bool at_value() const noexcept { return word_.starts_with(':'); }
    const json::value& value() {
        const std::string_view name = next();
        const json::value* found = with_.values ? with_.values->if_contains(name) : nullptr;
        if (!found) throw invalid_expression("undefined value " + std::string(name));
        return *found;
    }

private:
    static char upper(char c) noexcept {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    std::string_view next() {
        if (word_.empty()) throw invalid_expression("the expression ends too early");
        const std::string_view taken = word_;
        advance();
        return taken;
    }
    void advance() {
        constexpr std::string_view marks = "()=<>,+- \t\r\n";
        rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_not_of(" \t\r\n")));
        std::size_t length = std::min(rest_.size(), rest_.find_first_of(marks));
        if (length == 0 && !rest_.empty()) {
            const std::string_view two = rest_.substr(0, 2);
            length = two == "<>" || two == "<=" || two == ">=" ? 2 : 1;
        }
        word_ = rest_.substr(0, length);
        rest_.remove_prefix(length);
    }

    std::string_view rest_;
    std::string_view word_;
    placeholders with_;
};

/// Whether a condition, filter or key condition holds of an item.
class condition_reader {
public:
    condition_reader(std::string_view text, placeholders with, const json::object& of)
        : words_(text, with), item_(of) {}

    bool holds() {
        const bool result = any();
        if (!words_.at_end())
            throw invalid_expression("unexpected \"" + std::string(words_.word()) + '"');
        return result;
    }

private:
    bool any() {
        bool result = all();
        while (words_.take("OR")) {
            const bool next = all();
            result = result || next;
        }
        return result;
    }
    bool all() {
        bool result = one();
        while (words_.take("AND")) {
            const bool next = one();
            result = result && next;
        }
        return result;
    }
    bool one() {
        if (words_.take("NOT")) return !one();
        if (words_.take("(")) {
            const bool inner = any();
            words_.expect(")");
            return inner;
        }
        if (words_.is("attribute_exists") || words_.is("attribute_not_exists")) {
            const bool wanted = words_.is("attribute_exists");
            words_.take(words_.word());
            words_.expect("(");
            const bool there = item_.if_contains(words_.path()) != nullptr;
            words_.expect(")");
            return there == wanted;
        }
        if (words_.take("begins_with")) return begins_with();
        return comparison();
    }
    bool begins_with() {
        words_.expect("(");
        const json::value* subject = operand();
        words_.expect(",");
        const json::value* prefix = operand();
        words_.expect(")");
        if (!subject || !prefix) return false;
        const auto [type, text] = tagged(*subject);
        const auto [prefix_type, start] = tagged(*prefix);
        return type == "S" && prefix_type == "S" && text_of(*text).starts_with(text_of(*start));
    }
    bool comparison() {
        const json::value* left = operand();
        if (words_.take("BETWEEN")) {
            const json::value* low = operand();
            words_.expect("AND");
            const json::value* high = operand();
            return ordered(low, left, false) && ordered(left, high, false);
        }
        if (words_.take("IN")) {
            words_.expect("(");
            bool found = false;
            do {
                const json::value* one_of = operand();
                found = equal(left, one_of) || found;
            } while (words_.take(","));
            words_.expect(")");
            return found;
        }
        for (const std::string_view op : {"=", "<>", "<", "<=", ">", ">="}) {
            if (!words_.take(op)) continue;
            const json::value* right = operand();
            if (op == "=") return equal(left, right);
            if (op == "<>") return !equal(left, right);
            if (op.front() == '<') return ordered(left, right, op.size() == 1);
            return ordered(right, left, op.size() == 1);
        }
        throw invalid_expression("no comparison before \"" + std::string(words_.word()) + '"');
    }
    /// Null when the item has no such attribute.
    const json::value* operand() {
        if (words_.at_value()) return &words_.value();
        return item_.if_contains(words_.path());
    }
    static bool equal(const json::value* a, const json::value* b) {
        return a && b && compare(*a, *b) == 0;
    }
    static bool ordered(const json::value* low, const json::value* high, bool strictly) {
        if (!low || !high) return false;
        const auto order = compare(*low, *high);
        return order && (strictly ? *order < 0 : *order <= 0);
    }

    expression_reader words_;
    const json::object& item_;
};

inline bool condition_holds(std::string_view text, placeholders with, const json::object& of) {
    return text.empty() || condition_reader(text, with, of).holds();
}

/// SET, REMOVE and ADD of numbers; `path`, `:value`, if_not_exists, + and −.
class update_reader {
public:
    update_reader(std::string_view text, placeholders with, const json::object& before)
        : words_(text, with), before_(before), after_(before) {}

    json::object apply() {
        while (!words_.at_end()) {
            if (words_.take("SET"))
                each([this] { set(); });
            else if (words_.take("REMOVE"))
                each([this] { after_.erase(words_.path()); });
            else if (words_.take("ADD"))
                each([this] { add(); });
            else
                throw invalid_expression("not simulated: " + std::string(words_.word()));
        }
        return std::move(after_);
    }

private:
    template <class Clause>
    void each(Clause clause) {
        do
            clause();
        while (words_.take(","));
    }
    void set() {
        const std::string_view path = words_.path();
        words_.expect("=");
        json::value sum = operand();
        for (;;) {
            const bool plus = words_.take("+");
            if (!plus && !words_.take("-")) break;
            sum = added(sum, operand(), plus ? 1 : -1);
        }
        after_[path] = std::move(sum);
    }
    void add() {
        const std::string_view path = words_.path();
        const json::value* old = before_.if_contains(path);
        const json::value zero = {{"N", "0"}};
        after_[path] = added(old ? *old : zero, words_.value(), 1);
    }
    json::value operand() {
        if (words_.at_value()) return words_.value();
        if (words_.take("if_not_exists")) {
            words_.expect("(");
            const json::value* old = before_.if_contains(words_.path());
            words_.expect(",");
            json::value otherwise = operand();
            words_.expect(")");
            return old ? *old : otherwise;
        }
        const json::value* old = before_.if_contains(words_.path());
        if (!old) throw invalid_expression("an attribute of the update is not in the item");
        return *old;
    }
    static json::value added(const json::value& a, const json::value& b, int sign) {
        const auto [type, x] = tagged(a);
        const auto [other, y] = tagged(b);
        if (type != "N" || other != "N") throw invalid_expression("only numbers are added");
        const long double sum = number_of(text_of(*x)) + sign * number_of(text_of(*y));
        char text[64];
        const auto end = std::to_chars(text, text + sizeof text, sum);
        return {{"N", std::string_view(text, static_cast<std::size_t>(end.ptr - text))}};
    }

    expression_reader words_;
    const json::object& before_;
    json::object after_;
};

/// The attributes that a projection names; all of them for an empty one.
inline json::object projected(std::string_view text, placeholders with, const json::object& of) {
    if (text.empty()) return of;
    json::object some;
    expression_reader words(text, with);
    do {
        const std::string_view path = words.path();
        if (const json::value* found = of.if_contains(path)) some[path] = *found;
    } while (words.take(","));
    return some;
}

} // namespace codynamo::testing::detail
