// SPDX-License-Identifier: BSL-1.0
// Text that held a secret is overwritten before its memory goes back.
#pragma once

#include <string>

namespace codynamo::aws::detail {

/// Overwrites the whole buffer, since an earlier and longer value may have left its end behind, and
/// leaves the text empty.
void wipe(std::string& secret) noexcept;

/// Wipes a text at the end of a scope.
class wipe_at_end {
public:
    explicit wipe_at_end(std::string& secret) noexcept : secret_(secret) {}
    wipe_at_end(const wipe_at_end&) = delete;
    wipe_at_end& operator=(const wipe_at_end&) = delete;
    ~wipe_at_end() { wipe(secret_); }

private:
    std::string& secret_;
};

} // namespace codynamo::aws::detail
