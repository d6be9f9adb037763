// SPDX-License-Identifier: BSL-1.0
// What the other public headers build on: which toolchains are refused, and which symbols a shared
// build of the library shows.
#pragma once

#include <version>

#if !defined(__cpp_impl_coroutine) || !defined(__cpp_concepts)
#error codynamo needs C++20 with coroutines and concepts: compile with -std=c++20 or later
#endif
#if !defined(__cpp_exceptions)
#error codynamo needs exceptions: its awaitables fail by throwing codynamo::error
#endif
// The library recognizes a caller's executor by its type. Asio answers that wrongly, and the
// program crashes, when the library has type information and the program has none.
#if !defined(__cpp_rtti)
#error codynamo needs run-time type information: compile without -fno-rtti
#endif
// It lacks std::from_chars for double before LLVM 20, without which doubles are not read back
// exactly.
#if defined(_LIBCPP_VERSION)
#error codynamo does not support libc++: compile with -stdlib=libstdc++
#endif

#if !defined(CODYNAMO_SHARED)
#define CODYNAMO_API
#elif defined(_WIN32) && defined(codynamo_EXPORTS)
#define CODYNAMO_API __declspec(dllexport)
#elif defined(_WIN32)
#define CODYNAMO_API __declspec(dllimport)
#else
#define CODYNAMO_API __attribute__((visibility("default")))
#endif

#include <codynamo/detail/abi_check.hpp>
