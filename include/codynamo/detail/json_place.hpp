// SPDX-License-Identifier: BSL-1.0
// Where in a value a conversion is, and how it reads or refuses what it meets there.
#pragma once

#include <codynamo/error.hpp>
#include <codynamo/export.hpp>

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <typeinfo>

namespace codynamo::detail {

/// A member or element of a value, linked to what it is in; lives on the stack of the conversion.
struct json_place {
    const std::type_info* type = nullptr; ///< of the whole value
    bool strict = false;
    const json_place* outer = nullptr;
    std::size_t depth = 0;
    std::string_view name{}; ///< empty: an element
    std::size_t index = 0;

    [[nodiscard]] json_place member(std::string_view its_name) const noexcept {
        return {type, strict, this, depth + 1, its_name, 0};
    }
    [[nodiscard]] json_place element(std::size_t at) const noexcept {
        return {type, strict, this, depth + 1, {}, at};
    }
};

/// Throws an error that names the member, the type and the problem.
[[noreturn]] CODYNAMO_API void refuse_json(errc code, const json_place& at,
                                           std::string_view problem);
/// In a catch block: likewise, with the words of what a user's conversion threw.
[[noreturn]] CODYNAMO_API void refuse_thrown(errc code, const json_place& at);
/// On the way out: the value of an enumeration has no name.
[[noreturn]] CODYNAMO_API void refuse_enumerator(const json_place& at, long long value,
                                                 const std::type_info& type);
/// On the way out: throws when arrays and objects are nested too deep.
CODYNAMO_API void check_depth(const json_place& at);

/// On the way in. Each throws errc::deserialize_failed unless the value is of that kind and fits.
[[nodiscard]] CODYNAMO_API std::int64_t read_signed(const boost::json::value& value,
                                                    std::int64_t min, std::int64_t max,
                                                    const json_place& at);
[[nodiscard]] CODYNAMO_API std::uint64_t read_unsigned(const boost::json::value& value,
                                                       std::uint64_t max, const json_place& at);
[[nodiscard]] CODYNAMO_API double read_double(const boost::json::value& value,
                                              const json_place& at);
[[nodiscard]] CODYNAMO_API float read_float(const boost::json::value& value, const json_place& at);
[[nodiscard]] CODYNAMO_API bool read_bool(const boost::json::value& value, const json_place& at);
CODYNAMO_API void read_null(const boost::json::value& value, const json_place& at);
[[nodiscard]] CODYNAMO_API std::string_view read_text(const boost::json::value& value,
                                                      const json_place& at);
[[nodiscard]] CODYNAMO_API boost::json::object& read_object(boost::json::value& value,
                                                            const json_place& at);
[[nodiscard]] CODYNAMO_API boost::json::array& read_array(boost::json::value& value,
                                                          const json_place& at);
/// An array of exactly `size` elements.
[[nodiscard]] CODYNAMO_API boost::json::array& read_array(boost::json::value& value,
                                                          std::size_t size, const json_place& at);
/// Throws when the object has a member whose name is not among these.
CODYNAMO_API void check_names(const boost::json::object& object,
                              std::span<const std::string_view> names, const json_place& at);

} // namespace codynamo::detail
