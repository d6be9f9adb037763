# SPDX-License-Identifier: BSL-1.0
# What an installed copy consists of: the library, the public headers, and the package that
# find_package(codynamo) finds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(codynamo_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/codynamo)
install(TARGETS codynamo EXPORT codynamo-targets)
install(DIRECTORY include/codynamo DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING
        PATTERN "*.hpp")
install(EXPORT codynamo-targets NAMESPACE codynamo:: DESTINATION ${codynamo_package_dir})
configure_package_config_file(cmake/codynamo-config.cmake.in
    ${CMAKE_CURRENT_BINARY_DIR}/codynamo-config.cmake INSTALL_DESTINATION ${codynamo_package_dir})
write_basic_package_version_file(
    ${CMAKE_CURRENT_BINARY_DIR}/codynamo-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/codynamo-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/codynamo-config-version.cmake
        DESTINATION ${codynamo_package_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/codynamo)
