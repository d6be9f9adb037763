// SPDX-License-Identifier: BSL-1.0
// Tables of limits: a sound request, one field broken, the message.
#pragma once

#include "dynamodb/codec.hpp"
#include "support/catch.hpp"

#include <functional>
#include <string>
#include <vector>

namespace codynamo::dynamodb::limits {

template <class Input>
std::string refusal(const Input& in) {
    try {
        validate(in);
    } catch (const codynamo::error& e) {
        CHECK(e.code() == codynamo::errc::invalid_argument);
        return e.info().message;
    }
    return "";
}

/// What breaks, how, and what is said about it; an empty message for what must pass.
template <class Input>
struct limit_case {
    std::function<void(Input&)> change;
    std::string message;
};

template <class Input>
void check_all(const Input& sound, const std::vector<limit_case<Input>>& cases) {
    CHECK(refusal(sound) == "");
    for (const auto& [change, message] : cases) {
        Input in = sound;
        change(in);
        CHECK(refusal(in) == message);
    }
}

inline std::string times(std::size_t count, char c = 'x') {
    return std::string(count, c);
}

} // namespace codynamo::dynamodb::limits
