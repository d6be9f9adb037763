#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Everything that is measured, and one page of it, from a clean clone:
#     bench/report.sh [--quick] [--traces FOLDER]
# installs what is missing, builds, runs every measurement into build/results, and writes
# build/report/index.html and report.md. Two hours; --quick has short windows and takes some twenty
# minutes. --traces: files of little-endian 32-bit keys (*.u32), for the hit ratios. What fails is
# named, the rest goes on, and the exit code is 1.
source "$(dirname "${BASH_SOURCE[0]}")/../tools/common.sh"

quick='' traces=''
while (($#)); do
    case $1 in
    --quick) quick=yes ;;
    --traces)
        (($# >= 2)) || die '--traces wants a folder'
        traces=$2
        shift
        ;;
    --help | -h)
        sed -nE '3,8s/^# ?//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    *) die "what is $1? There are --quick and --traces" ;;
    esac
    shift
done
# From here on, shorter is quicker: long VALUE, or short VALUE with --quick.
either() { if [[ -n $quick ]]; then echo "$2"; else echo "$1"; fi; }

[[ -z $traces ]] || traces=$(realpath "$traces")
cd "$root"
results=$root/build/results
logs=$results/logs
rm -rf "$results"
mkdir -p "$logs"
"$root/tools/install-dependencies.sh" build server bench peers
step 'build: release'
cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)"
bin=$root/build/release/bench
bench=$bin/codynamo-bench

server='' failed=()
stop_server() { [[ -z $server ]] || bench/canned.sh stop "$server"; }
trap stop_server EXIT
trap 'exit 130' INT TERM

# measure NAME COMMAND… : its JSON to results/NAME.json. One that fails is noted.
measure() {
    local name=$1
    shift
    step "$name"
    local code=0
    "$@" --json "$results/$name.json" >"$logs/$name" 2> >(tee -a "$logs/$name" >&2) || code=$?
    ((code != 130)) || exit 130
    ((code == 0)) || failed+=("$name (exit code $code; $logs/$name)")
}

# Google Benchmark has its own options.
measure_parts() {
    step micro
    if ! "$bench" micro --benchmark_out="$results/micro.json" --benchmark_out_format=json \
        --benchmark_min_time="$(either 0.5 0.05)" >"$logs/micro" 2>&1; then
        failed+=("micro ($logs/micro)")
    fi
}

closed_and_open_loops() {
    local lines=() pid url
    mapfile -t lines < <(bench/canned.sh start --core "$(($(nproc) > 1 ? 1 : 0))")
    ((${#lines[@]})) || { failed+=('wire, rate (no nginx)') && return; }
    server=${lines[0]}
    url=${lines[1]#plain=}
    local common=(--server "$url" --table cache --key 1k --seconds "$(either 10 2)")
    pid=$(<"$server/nginx.pid")
    for pid in "$pid" $(<"/proc/$pid/task/$pid/children"); do
        common+=(--server-pid "$pid")
    done
    measure wire taskset -c 0 "$bench" wire "${common[@]}"
    local rate
    for rate in 5000 20000; do
        measure "rate-$rate" taskset -c 0 "$bench" rate "${common[@]}" --rate "$rate"
    done
    stop_server
    server=''
}

hit_ratios() {
    step 'hit ratios'
    [[ -n $traces ]] || { say 'no --traces, no hit ratios' && return; }
    if "$bin/codynamo-policies" "$traces"/*.u32 >"$logs/policies.csv" &&
        bench/policies/table.py "$logs/policies.csv" "$logs/policies.svg" \
            "$results/policies.json" >"$logs/policies"; then
        return
    fi
    failed+=("policies ($logs/policies)")
}

for concurrency in 32 1 256; do
    measure "floor-$concurrency" bench/wire-vs-floor.sh --concurrency "$concurrency" \
        --rounds "$(either 9 3)" --seconds "$(either 3 1)"
done
measure gate "$bench" gate --bin "$bench"
measure batching "$bench" batching --rounds "$(either 5 2)" --seconds "$(either 0.5 0.2)"
measure memory "$bench" memory --rounds "$(either 15 5)" --seconds "$(either 0.3 0.1)"
measure inflight "$bench" inflight --gets 100000
measure scale "$bench" scale
measure_parts
measure compile "$bench" compile
closed_and_open_loops
for workload in a b c d f; do
    measure "ycsb-$workload" "$bench" ycsb --workload "$workload" --seconds "$(either 20 3)"
done
hit_ratios
# The longest, last: what was measured so far is there if somebody loses patience.
measure peers "$bench" peers --bin "$bin" --rounds "$(either 5 2)" --seconds "$(either 3 1)"

step 'report'
"$bench" report --results "$results" --out "$root/build/report/index.html"
if ((${#failed[@]})); then
    printf 'failed: %s\n' "${failed[@]}" >&2
    exit 1
fi
