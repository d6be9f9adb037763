// SPDX-License-Identifier: BSL-1.0
// Verdicts; the one place that decides what counts as lost or wrong.
#include "soak_judge.hpp"

#include <codynamo/dynamodb/failure_details.hpp>

namespace bench {

namespace db = codynamo::dynamodb;

read_verdict judge_read(const std::optional<db::item>& found, std::string_view prefix,
                        const soak_identity& who, std::uint64_t acknowledged,
                        std::uint64_t issued) {
    if (!found) return acknowledged == 0 ? read_verdict::absent : read_verdict::missing;
    const auto version = soak_version(*found, prefix, who);
    if (!version) return read_verdict::corrupt;
    if (*version < acknowledged) return read_verdict::stale;
    return *version > issued ? read_verdict::phantom : read_verdict::good;
}

std::optional<write_outcome> judge_write(const codynamo::failure& why, std::string_view prefix,
                                         const soak_identity& who) {
    if (!why.info) return write_outcome::unknown;
    if (why.code != codynamo::errc::conditional_check_failed) {
        return why.info->outcome_unknown ? write_outcome::unknown : write_outcome::failed;
    }
    // A compatible store may not tell which item it was.
    if (!why.info->details || why.info->details->old_item.empty()) return write_outcome::unknown;
    const auto version = soak_version(why.info->details->old_item, prefix, who);
    if (version == who.version) return write_outcome::acknowledged;
    return std::nullopt;
}

key_verdict judge_key(const std::optional<db::item>& found, std::string_view prefix,
                      const soak_identity& who, const logged_key& logged, bool run_ended) {
    if (!found) return logged.acknowledged == 0 ? key_verdict::nothing : key_verdict::lost;
    const auto version = soak_version(*found, prefix, who);
    if (!version || logged.failed.contains(*version)) return key_verdict::wrong;
    if (*version < logged.acknowledged) return key_verdict::lost;
    if (*version == logged.acknowledged) return key_verdict::as_acknowledged;
    if (logged.unknown.contains(*version) || !run_ended) return key_verdict::newer;
    return key_verdict::wrong;
}

} // namespace bench
