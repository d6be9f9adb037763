#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Which lines and branches of src/ the tests reach:
#     tools/coverage.sh [ARGUMENTS OF CTEST]
# A table by file, least covered first, and a page in build/coverage/report/index.html.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cd "$root"
"$root/tools/install-dependencies.sh" build test coverage
step 'build: coverage'
cmake --preset coverage >/dev/null
cmake --build --preset coverage -j "$(nproc)"
use_local_server
use_local_server moto
find build/coverage -name '*.gcda' -delete
step 'tests: coverage'
ctest --preset coverage -j "$(nproc)" "$@"
step 'report'
mkdir -p build/coverage/report
# What the library's own objects counted. Threads that count at once leave a few negative numbers,
# which gcovr takes for errors.
gcovr --root . --object-directory build/coverage build/coverage/CMakeFiles/codynamo.dir \
    --gcov-ignore-parse-errors --filter 'src/' -j "$(nproc)" \
    --exclude-throw-branches --exclude-unreachable-branches --sort-percentage --print-summary \
    --html-details build/coverage/report/index.html --txt build/coverage/report/table.txt
cat build/coverage/report/table.txt
