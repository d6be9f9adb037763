// SPDX-License-Identifier: BSL-1.0
// Every secret that the tests use and that is long enough to be told from a word. The last test of
// a run looks for them in all that was logged, thrown and printed (tests/secrets/scan.py reads this
// list); tests/rules sees to it that new ones are entered here.
#pragma once

#include <string_view>

namespace codynamo::testing_support::secrets {

// For tests that want secrets of their own: nothing else looks like them.
inline constexpr std::string_view key = "SeCrEt/kEy+cAnArY/0123456789abcdefghij+k";
inline constexpr std::string_view token = "SeSsIoNtOkEn//cAnArY++0123456789ABCDEFGHIJKLMNOP==";
inline constexpr std::string_view web_identity = "eyJhbGciOiJub25lIn0.eyJjYW5hcnkiOiJ3ZWIifQ.c2ln";
inline constexpr std::string_view bearer = "bEaReR-cAnArY-0123456789-abcdefghijklmnop";
inline constexpr std::string_view container = "CoNtAiNeR-aUtHoRiZaTiOn-cAnArY-0123456789";
inline constexpr std::string_view metadata = "MeTaDaTaToKeN-cAnArY-0123456789-abcdefgh==";
inline constexpr std::string_view proxy_password = "pRoXy-pAsSwOrD-cAnArY-0123456789";

inline constexpr std::string_view all[] = {
    key,
    token,
    web_identity,
    bearer,
    container,
    metadata,
    proxy_password,
    // The documentation's example key, which the public signing vectors use.
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "TOKENEXAMPLE",
    "SECRETCANARY",
    "s3cret-s3cret",
};

} // namespace codynamo::testing_support::secrets
