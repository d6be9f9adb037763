// SPDX-License-Identifier: BSL-1.0
// The main function of Catch2 version 2, alone: it costs ten seconds to compile. Version 3 brings
// its own.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
