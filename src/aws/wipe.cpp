// SPDX-License-Identifier: BSL-1.0
// Overwriting that the optimiser may not leave out.
#include "aws/wipe.hpp"

#include <openssl/crypto.h>

namespace codynamo::aws::detail {

void wipe(std::string& secret) noexcept {
    // Within its capacity, so this never allocates.
    secret.resize(secret.capacity());
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

} // namespace codynamo::aws::detail
