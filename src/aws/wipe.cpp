// SPDX-License-Identifier: BSL-1.0
// Overwriting that the optimiser may not leave out.
#include "aws/wipe.hpp"

#include "net/wipe.hpp"

namespace codynamo::aws::detail {

void wipe(std::string& secret) noexcept {
    net::wipe(secret);
}

} // namespace codynamo::aws::detail
