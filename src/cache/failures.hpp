// SPDX-License-Identifier: BSL-1.0
// Telling failures from cancellations.
#pragma once

#include <codynamo/error.hpp>

namespace codynamo::detail {

/// For a catch block: whether what is being handled is a cancellation.
[[nodiscard]] bool is_cancellation() noexcept;

/// For a catch block: the failure now being handled. Rethrows a cancellation, and what is no
/// system_error.
[[nodiscard]] failure failure_or_cancellation();

/// For a catch block: what is being handled, in words for the log.
[[nodiscard]] std::string words_of_current_exception();

/// For a catch block: what kind of failure is being handled, without its words: those may quote
/// keys and values.
[[nodiscard]] std::string kind_of_current_exception();

} // namespace codynamo::detail
