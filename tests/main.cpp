// SPDX-License-Identifier: BSL-1.0
// Catch's main, alone: it costs ten seconds to compile.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
