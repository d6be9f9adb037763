// SPDX-License-Identifier: BSL-1.0
// Runs a property over random lists of operations, as many steps as are wanted.
#pragma once

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <rapidcheck.h>
#include <sstream>
#include <string>
#include <vector>

namespace codynamo::property {

/// CODYNAMO_PROPERTY_STEPS, or what is usual.
inline std::size_t wanted_steps(std::size_t usual) {
    const char* const given = std::getenv("CODYNAMO_PROPERTY_STEPS");
    return given == nullptr ? usual : std::stoull(given);
}

/// `run(world, operations)` returns the number of steps it did, and throws (RC_ASSERT) when
/// something is wrong after one; `world` says what the operations are applied to. Batches of 100
/// lists of up to 400 operations each, until there were `usual` steps or CODYNAMO_PROPERTY_STEPS.
/// The usual run has always the same seeds; a longer one takes new ones, unless RC_PARAMS gives
/// them. Fails with the smallest list found.
template <class World, class Operation, class Run>
void check(const rc::Gen<World>& worlds, const rc::Gen<Operation>& operations, std::size_t usual,
           Run run) {
    rc::detail::TestParams parameters = rc::detail::configuration().testParams;
    if (std::getenv("RC_PARAMS") == nullptr && std::getenv("CODYNAMO_PROPERTY_STEPS") == nullptr)
        parameters.seed = 20'261'130;
    const auto lists = rc::gen::scale(4.0, rc::gen::container<std::vector<Operation>>(operations));
    std::size_t steps = 0;
    for (const std::size_t wanted = wanted_steps(usual); steps < wanted; ++parameters.seed) {
        const auto result = rc::detail::checkTestable(
            [&] {
                const World world = *worlds;
                const std::vector<Operation> list = *lists;
                steps += run(world, list);
            },
            rc::detail::TestMetadata(), parameters);
        if (result.template is<rc::detail::SuccessResult>()) continue;
        std::ostringstream words;
        rc::detail::printResultMessage(result, words);
        INFO("RC_PARAMS=seed=" << parameters.seed << "\n" << words.str());
        FAIL();
    }
    SUCCEED();
}

} // namespace codynamo::property
