#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Builds the fuzzers and runs each for so many seconds, as many at once as there are cores:
#     tests/fuzz/run.sh [SECONDS] [TARGET…]      (60 seconds, all targets)
# What they learn stays in build/fuzz/corpus, what they break in build/fuzz/crashes. The exit code
# is that of the worst.
source "$(dirname "${BASH_SOURCE[0]}")/../../tools/common.sh"

seconds=60
if [[ ${1-} =~ ^[0-9]+$ ]]; then
    seconds=$1
    shift
fi
cd "$root"
"$root/tools/install-dependencies.sh" build fuzz
step 'build: fuzz'
cmake --preset fuzz -DCMAKE_CXX_COMPILER="$(find_clang)" >/dev/null
cmake --build --preset fuzz -j "$(nproc)"

here=$root/tests/fuzz
out=$root/build/fuzz
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(cd "$here/corpus" && printf '%s\n' *)
mkdir -p "$out/crashes"

# fuzz TARGET: one line of result; 77 is libFuzzer's exit code for a broken promise.
fuzz() {
    local target=$1 log=$out/$1.log status=0
    mkdir -p "$out/corpus/$target"
    "$out/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -rss_limit_mb=2048 -dict="$here/words.dict" -artifact_prefix="$out/crashes/$target-" \
        "$out/corpus/$target" "$here/corpus/$target" >"$log" 2>&1 </dev/null || status=$?
    if ((status == 0)); then
        printf '%-20s %s\n' "$target" "$(grep -E '^Done [0-9]+ runs' "$log")"
        return 0
    fi
    printf '%-20s FAILED (%s); the input is in build/fuzz/crashes\n' "$target" "$status"
    tail -n 30 "$log"
    return 1
}

step "fuzzing ${#targets[@]} targets for $seconds s each"
failed=0 running=0
for target in "${targets[@]}"; do
    if ((running == $(nproc))); then
        wait -n || failed=1
        running=$((running - 1))
    fi
    fuzz "$target" &
    running=$((running + 1))
done
while ((running)); do
    wait -n || failed=1
    running=$((running - 1))
done
exit "$failed"
