#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# From a fresh clone to a cache at work: installs what is missing, builds Release, starts a local
# server on a free port, runs the quickstart example on it, then measures ten seconds of gets.
#     tools/quickstart.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
(($# == 0)) || die "what is $1? It takes no arguments"
cd "$root"

step 'installing what is missing'
"$root/tools/install-dependencies.sh" build server

step 'building (preset release)'
cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)"

step 'starting the local server'
use_local_server dynoxide

step 'examples/quickstart'
build/release/examples/quickstart --endpoint "$CODYNAMO_TEST_ENDPOINT"

step 'ten seconds of gets, 32 in flight'
build/release/bench/codynamo-bench wire --prepare --endpoint "$CODYNAMO_TEST_ENDPOINT" \
    --table codynamo-bench --key 1k --concurrency 32 --seconds 10

step 'done; stopping the local server'
