// SPDX-License-Identifier: BSL-1.0
// A link error, in words, for a program that sees other types behind the same names than the
// library does: another Boost, other macros of Asio's, or the debug mode of libstdc++. Without it
// such a program links, and hangs or crashes.
//
// The name of one symbol of the library says what it was compiled with; a file that
// includes a public header refers to the symbol named after what that file is compiled with.
#pragma once

#include <codynamo/export.hpp>

#include <boost/version.hpp>

// What follows has an effect on the layout of Asio's types or on what their inline functions do.
#if defined(BOOST_ASIO_DISABLE_THREADS) || defined(BOOST_DISABLE_THREADS)
#define CODYNAMO_ABI_THREADS _and_BOOST_ASIO_DISABLE_THREADS
#else
#define CODYNAMO_ABI_THREADS
#endif
#if defined(BOOST_ASIO_DISABLE_STD_ATOMIC)
#define CODYNAMO_ABI_ATOMIC _and_BOOST_ASIO_DISABLE_STD_ATOMIC
#else
#define CODYNAMO_ABI_ATOMIC
#endif
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT) ||                                                 \
    (defined(BOOST_ASIO_HAS_IO_URING) && defined(BOOST_ASIO_DISABLE_EPOLL))
#define CODYNAMO_ABI_REACTOR _and_BOOST_ASIO_HAS_IO_URING_AS_DEFAULT
#elif defined(BOOST_ASIO_HAS_IO_URING)
#define CODYNAMO_ABI_REACTOR _and_BOOST_ASIO_HAS_IO_URING
#elif defined(BOOST_ASIO_DISABLE_EPOLL)
#define CODYNAMO_ABI_REACTOR _and_BOOST_ASIO_DISABLE_EPOLL
#else
#define CODYNAMO_ABI_REACTOR
#endif
#if defined(BOOST_ASIO_DISABLE_EVENTFD)
#define CODYNAMO_ABI_EVENTFD _and_BOOST_ASIO_DISABLE_EVENTFD
#else
#define CODYNAMO_ABI_EVENTFD
#endif
#if defined(BOOST_ASIO_DISABLE_TIMERFD)
#define CODYNAMO_ABI_TIMERFD _and_BOOST_ASIO_DISABLE_TIMERFD
#else
#define CODYNAMO_ABI_TIMERFD
#endif
#if defined(BOOST_ASIO_CUSTOM_HANDLER_TRACKING)
#define CODYNAMO_ABI_TRACKING _and_BOOST_ASIO_CUSTOM_HANDLER_TRACKING
#elif defined(BOOST_ASIO_ENABLE_HANDLER_TRACKING)
#define CODYNAMO_ABI_TRACKING _and_BOOST_ASIO_ENABLE_HANDLER_TRACKING
#else
#define CODYNAMO_ABI_TRACKING
#endif
// Asio enables it by itself in libstdc++'s debug mode.
#if defined(BOOST_ASIO_ENABLE_BUFFER_DEBUGGING) && !defined(_GLIBCXX_DEBUG)
#define CODYNAMO_ABI_BUFFERS _and_BOOST_ASIO_ENABLE_BUFFER_DEBUGGING
#elif defined(BOOST_ASIO_DISABLE_BUFFER_DEBUGGING) && defined(_GLIBCXX_DEBUG)
#define CODYNAMO_ABI_BUFFERS _and_BOOST_ASIO_DISABLE_BUFFER_DEBUGGING
#else
#define CODYNAMO_ABI_BUFFERS
#endif
#if defined(BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING)
#define CODYNAMO_ABI_RECYCLING _and_BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING
#elif defined(BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE) &&                                        \
    BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE != 2 // Asio's default
#define CODYNAMO_ABI_RECYCLING _and_BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE
#else
#define CODYNAMO_ABI_RECYCLING
#endif
#if defined(BOOST_ASIO_NO_TS_EXECUTORS)
#define CODYNAMO_ABI_TS _and_BOOST_ASIO_NO_TS_EXECUTORS
#elif defined(BOOST_ASIO_USE_TS_EXECUTOR_AS_DEFAULT)
#define CODYNAMO_ABI_TS _and_BOOST_ASIO_USE_TS_EXECUTOR_AS_DEFAULT
#else
#define CODYNAMO_ABI_TS
#endif
#if defined(BOOST_ASIO_NO_DEPRECATED)
#define CODYNAMO_ABI_DEPRECATED _and_BOOST_ASIO_NO_DEPRECATED
#else
#define CODYNAMO_ABI_DEPRECATED
#endif
#if defined(_GLIBCXX_DEBUG)
#define CODYNAMO_ABI_DEBUG _and_GLIBCXX_DEBUG
#else
#define CODYNAMO_ABI_DEBUG
#endif

#define CODYNAMO_ABI_JOIN(boost, a, b, c, d, e, f, g, h, i, j, k)                                  \
    codynamo_library_compiled_with_Boost_##boost##a##b##c##d##e##f##g##h##i##j##k
#define CODYNAMO_ABI_NAME(...) CODYNAMO_ABI_JOIN(__VA_ARGS__)
#define CODYNAMO_ABI                                                                               \
    CODYNAMO_ABI_NAME(BOOST_VERSION, CODYNAMO_ABI_THREADS, CODYNAMO_ABI_ATOMIC,                    \
                      CODYNAMO_ABI_REACTOR, CODYNAMO_ABI_EVENTFD, CODYNAMO_ABI_TIMERFD,            \
                      CODYNAMO_ABI_TRACKING, CODYNAMO_ABI_BUFFERS, CODYNAMO_ABI_RECYCLING,         \
                      CODYNAMO_ABI_TS, CODYNAMO_ABI_DEPRECATED, CODYNAMO_ABI_DEBUG)

extern "C" CODYNAMO_API const char CODYNAMO_ABI;

namespace codynamo {
/// The linker drops it if it may, and the error with it.
#if __has_cpp_attribute(gnu::retain)
#define CODYNAMO_ABI_KEEP [[gnu::used, gnu::retain]]
#else
#define CODYNAMO_ABI_KEEP [[gnu::used]]
#endif
/// Not inline: of two files with other settings, one would do for both.
CODYNAMO_ABI_KEEP static const char* const abi_of_this_file = &CODYNAMO_ABI;
} // namespace codynamo
