// SPDX-License-Identifier: BSL-1.0
// Alone in its object file, so that a program that refers to it needs nothing else of the library.
#include <codynamo/detail/abi_check.hpp>

extern "C" const char CODYNAMO_ABI = 0;
