// SPDX-License-Identifier: BSL-1.0
// What somebody else's code has thrown, for people to read.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace codynamo::detail {

/// The words of an exception, of Boost's without the category, number and place in its sources that
/// are appended to them; `otherwise` for what is no std::exception.
[[nodiscard]] std::string words_of(const std::exception_ptr& what, std::string_view otherwise);

} // namespace codynamo::detail
