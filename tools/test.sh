#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Everything that has to be right, from nothing to the last test:
#     tools/test.sh [--tsan] [--long] [ARGUMENTS OF CTEST]
# Format, a build without warnings, clang-tidy over what changed since it was clean, all tests; then
# unit, net and property tests and the fuzzers' corpora again under AddressSanitizer and UBSan, and
# the tests of many threads under ThreadSanitizer.
# --tsan adds unit, net and simulation tests under ThreadSanitizer. --long is about two and a half
# hours: clang-tidy over everything, ten times the simulation's seeds, a million steps of each
# property, five minutes of each chaos test, a soak of ten, stress and simulation under
# AddressSanitizer too, --tsan, and every fuzzer for 60 seconds.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

tsan='' long=''
while (($#)); do
    case $1 in
    --tsan) tsan=yes ;;
    --long) tsan=yes long=yes ;;
    --help | -h)
        sed -nE '3,11s/^# ?//p' "${BASH_SOURCE[0]}"
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
    sources | xargs "$venv_dir/bin/clang-format" --dry-run -Werror
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

sanitized=(unit_tests net_tests property_tests fuzz_replay)
suffix=
if [[ -n $long ]]; then
    export CODYNAMO_CHAOS_SECONDS=${CODYNAMO_CHAOS_SECONDS:-300}
    export CODYNAMO_SIMULATION_SEEDS=${CODYNAMO_SIMULATION_SEEDS:-50000}
    export CODYNAMO_PROPERTY_STEPS=${CODYNAMO_PROPERTY_STEPS:-1000000}
    sanitized+=(stress_tests simulation_tests memory_tests)
    suffix=-long
fi

"$root/tools/install-dependencies.sh" build test chaos tidy ${long:+fuzz}
check_format
build dev
# What the gate counts is what is installed; as long again as the build before it.
build release codynamo_bench
step 'clang-tidy'
tools/tidy.py --clang-tidy "$venv_dir/bin/clang-tidy" ${long:+--all}
use_local_server
use_local_server moto
run_tests dev "$@"
# From here on nothing takes that long again, and a filter may well leave nothing to do.
unset CODYNAMO_SIMULATION_SEEDS CODYNAMO_PROPERTY_STEPS
only=(${1:+"$@" --no-tests=ignore})
if [[ -n $long ]]; then
    step 'soak'
    tests/chaos/soak.py build/dev/bench/codynamo-bench 600
    tests/fuzz/run.sh 60
fi
build tsan stress_tests ${tsan:+unit_tests net_tests simulation_tests}
run_tests "tsan${tsan:+-long}" "${only[@]}"
build asan "${sanitized[@]}"
run_tests "asan$suffix" "${only[@]}"
