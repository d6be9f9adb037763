#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# codynamo's get beside other clients' of DynamoDB; installs and builds what is missing first. What
# is measured, and the JSON's keys: bench/README.md. Options: bench/peers.sh --help
source "$(dirname "${BASH_SOURCE[0]}")/../tools/common.sh"
have python3 || "$root/tools/install-dependencies.sh" bench
exec python3 "$root/bench/peers/run.py" "$@"
