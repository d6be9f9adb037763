# SPDX-License-Identifier: BSL-1.0
# What codynamo does not support is refused by its first header, with the reason.
file(MAKE_DIRECTORY ${WORK})
file(WRITE ${WORK}/user.cpp "#include <codynamo/cache.hpp>\n")
separate_arguments(boost UNIX_COMMAND "${BOOST}")
list(TRANSFORM boost PREPEND "-I")

# compile(FLAGS EXPECTED): EXPECTED is part of the error, or empty when it has to compile.
function(compile flags expected)
    execute_process(COMMAND ${COMPILER} ${flags} -fsyntax-only -I${SOURCE}/include ${boost}
                            ${WORK}/user.cpp
                    RESULT_VARIABLE status ERROR_VARIABLE words)
    if(expected STREQUAL "" AND NOT status EQUAL 0)
        message(FATAL_ERROR "${flags} does not compile: ${words}")
    elseif(NOT expected STREQUAL "" AND (status EQUAL 0 OR NOT words MATCHES "${expected}"))
        message(FATAL_ERROR "${flags}: expected \"${expected}\", got ${status}: ${words}")
    endif()
endfunction()

compile("-std=c++20" "")
compile("-std=c++20;-fno-rtti" "codynamo needs run-time type information")
compile("-std=c++20;-fno-exceptions" "codynamo needs exceptions")
compile("-std=c++17" "codynamo needs C\\+\\+20")
# As with -stdlib=libc++, whose headers may not be on this machine.
compile("-std=c++20;-D_LIBCPP_VERSION=190000" "codynamo does not support libc\\+\\+")
