# shellcheck shell=bash
# SPDX-License-Identifier: BSL-1.0
# What the scripts share: where things are, and how they speak. Sourced, not run.
set -euo pipefail

# Git's hooks and CDPATH must not lead a script astray.
unset CDPATH
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache_dir=${XDG_CACHE_HOME:-${HOME:?neither XDG_CACHE_HOME nor HOME is set}/.cache}/codynamo
# The local server, and the least Rust that compiles it.
dynoxide_version=3.2.0
dynoxide=$cache_dir/dynoxide-$dynoxide_version/bin/dynoxide
dynoxide_rust=1.88
# The newest one that Debian 12's Go compiles.
toxiproxy_version=2.7.0
toxiproxy_dir=$cache_dir/toxiproxy
# A venv with the real pynamodb_mate, with moto, the second server, with one formatter for all
# distributions, and with matplotlib: Debian 12's needs a Boost that excludes ours.
venv_dir=$cache_dir/venv
moto_version=5.2.5
clang_format_version=16.0.6
clang_tidy_version=23.1.4
matplotlib_version=3.11.2
export root cache_dir dynoxide_version dynoxide dynoxide_rust venv_dir moto_version
export clang_format_version clang_tidy_version matplotlib_version
export toxiproxy_version toxiproxy_dir

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
step() { printf '\n=== %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}
[[ $cache_dir == /* ]] || die "the cache folder is $cache_dir, which depends on the folder you are" \
    'in; set XDG_CACHE_HOME to an absolute path, or unset it'
# Somewhere below 32768, where outgoing connections get theirs; may be taken.
random_port() { echo $((20000 + (RANDOM * 32768 + RANDOM) % 12000)); }
have() { command -v "$1" >/dev/null 2>&1; }
# Prints the distribution's clang++: the fuzzers need it, and one of the toolchains.
find_clang() { command -v clang++-16 || command -v clang++-19 || command -v clang++; }

local_server_ports=()
stop_local_servers() {
    local port
    for port in "${local_server_ports[@]}"; do
        "$root/tools/local-server.sh" stop --port "$port" || true
    done
}

# use_local_server [ENGINE]: a server for as long as the calling script runs; exports what a client
# needs to find it. moto is the second server, which contracts are checked on as well. Stopped by
# its pid, also when the script fails or is interrupted.
use_local_server() {
    local engine=${1:-dynoxide} endpoint
    trap stop_local_servers EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    endpoint=$("$root/tools/local-server.sh" start --engine "$engine")
    local_server_ports+=("${endpoint##*:}")
    say "$engine answers at $endpoint"
    if [[ $engine == moto ]]; then
        export CODYNAMO_TEST_ENDPOINT_MOTO=$endpoint
        return
    fi
    export CODYNAMO_TEST_ENDPOINT=$endpoint AWS_ENDPOINT_URL_DYNAMODB=$endpoint
    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1
    # Nothing of the user's own set-up, and nobody asks the machine who it is.
    unset AWS_SESSION_TOKEN AWS_PROFILE AWS_CA_BUNDLE AWS_RETRY_MODE AWS_MAX_ATTEMPTS \
        AWS_NEW_RETRIES_2026 AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT \
        AWS_ACCOUNT_ID_ENDPOINT_MODE http_proxy https_proxy HTTPS_PROXY
    export AWS_EC2_METADATA_DISABLED=true
}
