// SPDX-License-Identifier: BSL-1.0
// What an answer of the store means, given what was sent and acknowledged.
#pragma once

#include "soak_log.hpp"
#include "soak_value.hpp"

#include <codynamo/dynamodb/attribute_value.hpp>
#include <codynamo/error.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace bench {

enum class read_verdict {
    good,
    absent,  ///< not there, and nobody was promised that it is
    missing, ///< not there although a write was acknowledged
    corrupt, ///< other bytes than anybody wrote
    stale,   ///< older than an acknowledged write
    phantom, ///< newer than anything that was sent
};

/// A strongly consistent read of one key. `acknowledged`: the version that had been acknowledged
/// when the read began; `issued`: the last one that had been sent when it ended; 0 for none.
[[nodiscard]] read_verdict judge_read(const std::optional<codynamo::dynamodb::item>& found,
                                      std::string_view prefix, const soak_identity& who,
                                      std::uint64_t acknowledged, std::uint64_t issued);

/// A write that failed. Its condition is that what is stored is older, so an earlier attempt of its
/// own makes it fail: then the item in the answer is the one that was sent.
/// nullopt: the item in the answer is one that cannot be there, as nobody else writes this key.
[[nodiscard]] std::optional<write_outcome>
judge_write(const codynamo::failure& why, std::string_view prefix, const soak_identity& who);

enum class key_verdict {
    as_acknowledged,
    newer,   ///< a write whose outcome nobody knows, or that a killed run could not log
    nothing, ///< nothing was acknowledged and nothing is there
    lost,    ///< what was acknowledged is not there
    wrong,   ///< damaged, or a version that must not be there
};

/// A strongly consistent read after the run. `who.version` is not looked at.
[[nodiscard]] key_verdict judge_key(const std::optional<codynamo::dynamodb::item>& found,
                                    std::string_view prefix, const soak_identity& who,
                                    const logged_key& logged, bool run_ended);

} // namespace bench
