// SPDX-License-Identifier: BSL-1.0
#include "completion_order.hpp"

#include <algorithm>

namespace bench {

order_figures fairness_of(std::span<const std::uint32_t> order) noexcept {
    order_figures seen;
    std::size_t latest = 0;
    for (std::size_t place = 0; place != order.size(); ++place) {
        const std::size_t number = order[place];
        const std::size_t apart = number > place ? number - place : place - number;
        seen.displacement = std::max(seen.displacement, apart);
        latest = std::max(latest, number);
        seen.overtaking = std::max(seen.overtaking, latest - number);
    }
    return seen;
}

} // namespace bench
