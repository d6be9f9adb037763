// SPDX-License-Identifier: BSL-1.0
// Numbers against the parts of their text: converted exactly, or refused.
#include "property/check.hpp"
#include "property/random_item.hpp"

#include <codynamo/dynamodb/attribute_value.hpp>
#include <codynamo/error.hpp>

#include <cstdlib>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace codynamo;
using namespace codynamo::property;

namespace {

struct number_form {
    unsigned size = 0; ///< about how many digits
    std::uint32_t seed = 0;
};
std::ostream& operator<<(std::ostream& out, const number_form& of) {
    dice random(of.seed);
    return out << '"' << number_of(random, of.size).text() << '"';
}

rc::Gen<number_form> any_number_form() {
    return rc::gen::map(
        rc::gen::pair(rc::gen::inRange(0U, 42U), rc::gen::inRange<std::uint32_t>(0, 1'000'000'000)),
        [](const auto& of) {
            return number_form{of.first, of.second};
        });
}

/// The digits of an integer without zeros in front; nullopt for what has a fraction, or more digits
/// than any 64-bit integer.
std::optional<std::string> integer_digits(const number_parts& parts) {
    std::string digits = parts.significant();
    if (digits.empty()) return "0";
    const auto count = parts.first_power() + 1;
    if (count < static_cast<std::int64_t>(digits.size()) || count > 20) return std::nullopt;
    digits.resize(static_cast<std::size_t>(count), '0');
    return digits;
}

bool is_at_most(const std::string& digits, std::string_view most) {
    return digits.size() < most.size() || (digits.size() == most.size() && digits <= most);
}

template <class Convert>
auto converted(Convert convert) -> std::optional<decltype(convert())> {
    try {
        return convert();
    } catch (const error& failure) {
        RC_ASSERT(failure.code() == errc::bad_response);
        return std::nullopt;
    }
}

void check_conversions(const number_parts& parts) {
    const dynamodb::number number(parts.text());
    const auto as_signed = converted([&] { return number.to_int64(); });
    const auto as_unsigned = converted([&] { return number.to_uint64(); });
    const auto as_double = converted([&] { return number.to_double(); });
    if (parts.broken) {
        RC_ASSERT_FALSE(as_signed.has_value());
        RC_ASSERT_FALSE(as_unsigned.has_value());
        RC_ASSERT_FALSE(as_double.has_value());
        return;
    }
    RC_ASSERT(as_double == std::strtod(parts.text().c_str(), nullptr));
    const auto digits = integer_digits(parts);
    const bool is_negative = parts.sign == "-" && digits != "0";
    const char* const most_signed = is_negative ? "9223372036854775808" : "9223372036854775807";
    RC_ASSERT(as_signed.has_value() == (digits && is_at_most(*digits, most_signed)));
    RC_ASSERT(as_unsigned.has_value() ==
              (digits && !is_negative && is_at_most(*digits, "18446744073709551615")));
    const std::string sign = is_negative ? "-" : "";
    if (as_signed) RC_ASSERT(std::to_string(*as_signed) == sign + *digits);
    if (as_unsigned) RC_ASSERT(std::to_string(*as_unsigned) == *digits);
}

} // namespace

TEST_CASE("numbers of every form are converted exactly or refused") {
    property::check(rc::gen::just(std::string("conversions")), any_number_form(), 10'000,
                    [](const std::string&, const std::vector<number_form>& forms) {
                        for (const number_form& each : forms) {
                            dice random(each.seed);
                            check_conversions(number_of(random, each.size));
                        }
                        return forms.size();
                    });
}
