#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# From a fresh clone to a cache at work: installs what is missing, builds a local server and the
# library side by side, starts the server on a free port, runs the quickstart example on it, and ends
# with ten seconds of gets.
#     tools/quickstart.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
(($# == 0)) || die "unknown argument '$1': quickstart.sh takes none"
cd "$root"

step 'installing what is missing'
"$root/tools/install-dependencies.sh" --packages build server
say "packages: done after $SECONDS s"

# Each has times when it keeps only one core busy. The server takes longer, so it goes first.
step 'building the local server, and the library with its example (preset quickstart)'
"$root/tools/install-dependencies.sh" server &
server=$!
trap 'kill "$server" 2>/dev/null; wait' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cmake --preset quickstart >/dev/null
nice -n 10 cmake --build --preset quickstart --target example_quickstart -j "$(nproc)"
say "library and example: done after $SECONDS s"
wait "$server" || die 'the local server could not be built: see above'
trap - EXIT
say "local server: done after $SECONDS s"

step 'starting the local server'
use_local_server dynoxide

step 'examples/quickstart'
build/quickstart/examples/quickstart --endpoint "$CODYNAMO_TEST_ENDPOINT" --measure 10

step "done after $SECONDS s; stopping the local server"
