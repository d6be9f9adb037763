#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Everything that has to be right, from nothing to the last test:
#     tools/test.sh [--tidy] [--tsan] [ARGUMENTS OF CTEST]
# Format, a build without warnings, all tests; then unit and net tests again under AddressSanitizer
# and UBSan. --tidy adds clang-tidy, --tsan adds unit, net and stress tests under ThreadSanitizer.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

tidy='' tsan=''
while (($#)); do
    case $1 in
    --tidy) tidy=yes ;;
    --tsan) tsan=yes ;;
    --help | -h)
        sed -nE '3,6s/^# ?//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    *) break ;;
    esac
    shift
done
cd "$root"
jobs=$(nproc)

sources() { git ls-files --cached --others --exclude-standard -- '*.hpp' '*.cpp'; }

check_format() {
    step 'format'
    sources | xargs clang-format-16 --dry-run -Werror
}

# build PRESET [TARGET…]
build() {
    local preset=$1
    shift
    step "build: $preset"
    cmake --preset "$preset" >/dev/null
    cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}

run_tests() {
    local preset=$1
    shift
    step "tests: $preset"
    ctest --preset "$preset" -j "$jobs" "$@"
}

"$root/tools/install-dependencies.sh" build test ${tidy:+tidy}
check_format
build dev
if [[ -n $tidy ]]; then
    step 'clang-tidy'
    run-clang-tidy-16 -quiet -j "$jobs" -p build/dev "$root/(src|tools|examples|bench)/"
fi
use_dynamodb_local
run_tests dev "$@"
build asan unit_tests net_tests
# A filter may well leave nothing for the sanitizers.
only=(${1:+"$@" --no-tests=ignore})
run_tests asan "${only[@]}"
if [[ -n $tsan ]]; then
    build tsan unit_tests net_tests stress_tests
    run_tests tsan "${only[@]}"
fi
