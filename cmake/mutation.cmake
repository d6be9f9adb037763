# SPDX-License-Identifier: BSL-1.0
# How tools/mutate.py builds; it includes this by CMAKE_PROJECT_codynamo_INCLUDE. The tests are
# compiled as in the development build, so that ccache has them; the library, of which a file
# is compiled for each mutant, as fast as possible, and without the warnings that mutants cause.
cmake_language(DEFER CALL target_compile_options codynamo PRIVATE -O0 -g0 -w)
cmake_language(DEFER CALL set_target_properties codynamo PROPERTIES COMPILE_WARNING_AS_ERROR OFF)
add_link_options(-Wl,--strip-debug)
# Listing the tests after each link runs the program, and a mutant can crash there.
set(CMAKE_CATCH_DISCOVER_TESTS_DISCOVERY_MODE PRE_TEST)
