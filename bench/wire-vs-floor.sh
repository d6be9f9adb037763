#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# The library's get beside the floor, bare Asio and Beast: both in turns, several rounds, client on
# core 0 and fixed-answer server on core 1; prints medians, spreads and ratios.
#     bench/wire-vs-floor.sh [--rounds N] [--seconds S] [--concurrency N] [--json FILE]
source "$(dirname "${BASH_SOURCE[0]}")/../tools/common.sh"

rounds=5 seconds=3 concurrency=32 json=
while (($#)); do
    case $1 in
    --rounds | --seconds | --concurrency | --json) (($# >= 2)) || die "$1 wants a value" ;;&
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    --concurrency) concurrency=$2 ;;
    --json) json=$(realpath -m "$2") ;;
    *) die "what is $1? There are --rounds, --seconds, --concurrency and --json" ;;
    esac
    shift 2
done

cd "$root"
"$root/tools/install-dependencies.sh" build bench
cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)" --target codynamo_bench codynamo_floor >&2
bin=$root/build/release/bench

mapfile -t server < <(bench/canned.sh start --core "$(($(nproc) > 1 ? 1 : 0))")
((${#server[@]})) || die 'no server'
results=$(mktemp -d)
trap 'bench/canned.sh stop "${server[0]}"; rm -rf "$results"' EXIT
trap 'exit 130' INT TERM
declare "${server[@]:1}"

# measure NAME PROGRAM… : one run, its figures in $results/NAME.
measure() {
    local name=$1
    shift
    taskset -c 0 "$@" --table cache --key 1k --concurrency "$concurrency" --seconds "$seconds" \
        --json "$results/$name" >/dev/null
}

for ((round = 1; round <= rounds; ++round)); do
    say "round $round of $rounds"
    # shellcheck disable=SC2154 # declared above, from what canned.sh says
    measure "plain.floor.$round" "$bin/codynamo-floor" --server "$plain"
    measure "plain.codynamo.$round" "$bin/codynamo-bench" wire --server "$plain"
    # shellcheck disable=SC2154
    measure "tls.floor.$round" "$bin/codynamo-floor" --server "$tls" --tls-ca "$ca"
    measure "tls.codynamo.$round" "$bin/codynamo-bench" wire --server "$tls" --tls-ca "$ca"
done
python3 bench/ratio.py "$results" "$concurrency" ${json:+--json "$json"}
