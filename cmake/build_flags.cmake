# SPDX-License-Identifier: BSL-1.0
# How everything in this project is compiled. All of it stays in this directory: a project that
# takes codynamo by add_subdirectory keeps its own flags.
if(NOT CMAKE_CXX_STANDARD)
    set(CMAKE_CXX_STANDARD 20)
elseif(CMAKE_CXX_STANDARD LESS 20)
    message(FATAL_ERROR "CMAKE_CXX_STANDARD is ${CMAKE_CXX_STANDARD}: codynamo needs 20 or later")
endif()
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_COMPILE_WARNING_AS_ERROR ${CODYNAMO_WERROR})
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 says it of Asio's coroutine frames wherever it inlines the start of a coroutine.
    add_compile_options(-Wno-mismatched-new-delete)
    # And this one, with optimization, of "literal" + std::string (GCC bug 105651).
    add_compile_options(-Wno-restrict)
    if(CODYNAMO_UNITY)
        # It takes every source of a unity build for a header, and their anonymous namespaces with it.
        add_compile_options(-Wno-subobject-linkage)
    endif()
endif()

if(PROJECT_IS_TOP_LEVEL)
    if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
        set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo" FORCE)
    endif()
    set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
    find_program(CODYNAMO_CCACHE ccache)
    if(CODYNAMO_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
        set(CMAKE_CXX_COMPILER_LAUNCHER ${CODYNAMO_CCACHE})
    endif()
endif()

if(CODYNAMO_SANITIZE STREQUAL "address+undefined")
    set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=undefined)
elseif(CODYNAMO_SANITIZE STREQUAL "thread")
    set(sanitize -fsanitize=thread)
    # Asio counts references with fences, which this sanitizer does not understand.
    add_compile_definitions(BOOST_ASIO_DISABLE_STD_ATOMIC)
elseif(CODYNAMO_SANITIZE)
    message(FATAL_ERROR "CODYNAMO_SANITIZE is '${CODYNAMO_SANITIZE}': "
                        "it can be address+undefined, thread, or empty")
endif()
if(CODYNAMO_FUZZ)
    list(APPEND sanitize -fsanitize=fuzzer-no-link)
endif()
if(CODYNAMO_SANITIZE)
    add_compile_options(${sanitize} -fno-omit-frame-pointer)
    # g++ cannot follow its own instrumentation, and takes much for uninitialized.
    add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    add_link_options(${sanitize})
endif()
