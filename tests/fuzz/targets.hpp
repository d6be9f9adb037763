// SPDX-License-Identifier: BSL-1.0
// What is fuzzed: functions that take any bytes and abort when a promise is broken.
#pragma once

#include <codynamo/error.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

// clang-format off
#define CODYNAMO_FOR_EACH_FUZZ_TARGET(X)                                                           \
    X(response) X(attribute_value) X(failure) X(profile) X(credential_document) X(url) X(record)   \
    X(signature) X(serializer)
// clang-format on

namespace codynamo::fuzz {

#define CODYNAMO_DECLARE_FUZZ_TARGET(name) void name(std::string_view input);
CODYNAMO_FOR_EACH_FUZZ_TARGET(CODYNAMO_DECLARE_FUZZ_TARGET)
#undef CODYNAMO_DECLARE_FUZZ_TARGET

/// Ends the program, as a fuzzer wants it, when a promise is broken.
inline void require(bool kept, const char* promise) {
    if (kept) return;
    std::fprintf(stderr, "broken promise: %s\n", promise);
    std::abort();
}

/// Whether `action` returned; when it threw, that it threw what it may.
template <class Action, class... Code>
bool succeeds(Action action, Code... allowed) {
    try {
        action();
        return true;
    } catch (const error& why) {
        require(((why.code() == allowed) || ...), "an error of another kind");
        require(!why.as_failure().message().empty(), "an error has words");
        return false;
    }
}

/// The bytes up to the first `separator`, which are taken from `rest`.
inline std::string_view take_until(std::string_view& rest, char separator) {
    const auto taken = rest.substr(0, rest.find(separator));
    rest.remove_prefix(taken.size() + (taken.size() == rest.size() ? 0 : 1));
    return taken;
}

/// The first byte, 0 when there is none.
inline unsigned char take_byte(std::string_view& rest) {
    if (rest.empty()) return 0;
    const auto taken = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    return taken;
}

} // namespace codynamo::fuzz
