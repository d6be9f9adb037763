# SPDX-License-Identifier: BSL-1.0
# cmake -DFOLDER=... -P empty.cmake
file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
