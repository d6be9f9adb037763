// SPDX-License-Identifier: BSL-1.0
// Memory that held a secret is overwritten before it goes back, also when a text grows.
#pragma once

#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace codynamo::net {

/// Overwrites the whole buffer, since an earlier and longer text may have left its end behind, and
/// leaves the text empty.
inline void wipe(std::string& text) noexcept {
    // Within its capacity, so this never allocates.
    text.resize(text.capacity());
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

/// Makes room for `more` bytes behind `text`: a std::string that grows by itself gives its old
/// buffer back as it is.
inline void reserve_wiping(std::string& text, std::size_t more) {
    if (text.capacity() - text.size() >= more) return;
    std::string grown;
    grown.reserve(std::max(text.size() + more, 2 * text.capacity()));
    grown.append(text);
    text.swap(grown);
    wipe(grown);
}

} // namespace codynamo::net
