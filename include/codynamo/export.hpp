// SPDX-License-Identifier: BSL-1.0
// Which symbols a shared build of the library shows. A static build needs none of it.
#pragma once

#if !defined(CODYNAMO_SHARED)
#define CODYNAMO_API
#elif defined(_WIN32) && defined(codynamo_EXPORTS)
#define CODYNAMO_API __declspec(dllexport)
#elif defined(_WIN32)
#define CODYNAMO_API __declspec(dllimport)
#else
#define CODYNAMO_API __attribute__((visibility("default")))
#endif
