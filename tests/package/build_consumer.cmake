# SPDX-License-Identifier: BSL-1.0
# Builds and runs the consumer in WORK. HOW is installed, add_subdirectory or FetchContent; OPTIONS
# are arguments for CMake. Without options, what is installed is the build in BUILD.
function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# install(BUILD): into WORK/prefix, and nothing but public headers.
function(install_from build)
    file(REMOVE_RECURSE ${WORK}/prefix)
    run(${CMAKE_COMMAND} --install ${build} --prefix ${WORK}/prefix)
    file(GLOB_RECURSE headers RELATIVE ${WORK}/prefix/include ${WORK}/prefix/include/*)
    if(NOT headers)
        message(FATAL_ERROR "no header was installed")
    endif()
    foreach(header IN LISTS headers)
        if(NOT EXISTS ${SOURCE}/include/${header})
            message(FATAL_ERROR "installed although it is no public header: ${header}")
        endif()
    endforeach()
endfunction()

separate_arguments(options UNIX_COMMAND "${OPTIONS}")
set(arguments -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER}
    -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
set(library_options ${options} -DCODYNAMO_UNITY=ON -DCODYNAMO_WERROR=ON)
if(HOW STREQUAL "installed")
    if(options)
        run(${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/library ${arguments} ${library_options}
            -DCODYNAMO_TESTS=OFF -DCODYNAMO_BENCH=OFF -DCODYNAMO_EXAMPLES=OFF -DCODYNAMO_TOOLS=OFF)
        run(${CMAKE_COMMAND} --build ${WORK}/library)
        install_from(${WORK}/library)
    else()
        install_from(${BUILD})
    endif()
    list(APPEND arguments -DCMAKE_PREFIX_PATH=${WORK}/prefix)
else()
    list(APPEND arguments -DCODYNAMO_SOURCE=${SOURCE} ${library_options})
endif()
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${WORK}/build -DHOW=${HOW} ${arguments})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)
