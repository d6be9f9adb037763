# SPDX-License-Identifier: BSL-1.0
# Builds and runs the consumer in WORK; HOW is find_package or add_subdirectory.
function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK}/prefix)
set(arguments -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER}
    -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
if(HOW STREQUAL "find_package")
    run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
    file(GLOB_RECURSE headers RELATIVE ${WORK}/prefix/include ${WORK}/prefix/include/*)
    foreach(header IN LISTS headers)
        if(NOT EXISTS ${SOURCE}/include/${header})
            message(FATAL_ERROR "installed although it is no public header: ${header}")
        endif()
    endforeach()
    list(APPEND arguments -DCMAKE_PREFIX_PATH=${WORK}/prefix)
else()
    list(APPEND arguments -DCODYNAMO_SOURCE=${SOURCE} -DBUILD_SHARED_LIBS=ON)
endif()
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${WORK}/build ${arguments})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)
