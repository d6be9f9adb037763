# shellcheck shell=bash
# SPDX-License-Identifier: BSL-1.0
# What the scripts share: where things are, and how they speak. Sourced, not run.
set -euo pipefail

# Git's hooks and CDPATH must not lead a script astray.
unset CDPATH
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache_dir=${XDG_CACHE_HOME:-${HOME:?neither XDG_CACHE_HOME nor HOME is set}/.cache}/codynamo
dynamodb_local_version=3.1.0
dynamodb_local_dir=$cache_dir/dynamodb-local-$dynamodb_local_version
# The newest one that Debian 12's Go compiles.
toxiproxy_version=2.7.0
toxiproxy_dir=$cache_dir/toxiproxy
# The Python whose venv has the real pynamodb_mate.
venv_dir=$cache_dir/venv
export root cache_dir dynamodb_local_version dynamodb_local_dir venv_dir
export toxiproxy_version toxiproxy_dir

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
step() { printf '\n=== %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}
# Somewhere below 32768, where outgoing connections get theirs; may be taken.
random_port() { echo $((20000 + (RANDOM * 32768 + RANDOM) % 12000)); }
have() { command -v "$1" >/dev/null 2>&1; }

# DynamoDB Local for as long as the calling script runs; exports what a client needs to find it.
# Stopped by its pid, also when the script fails or is interrupted.
use_dynamodb_local() {
    local endpoint
    endpoint=$("$root/tools/dynamodb-local.sh" start)
    # shellcheck disable=SC2064 # the port is known now, and only now
    trap "'$root/tools/dynamodb-local.sh' stop --port '${endpoint##*:}'" EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # Letters and digits: the server refuses an access key with anything else.
    export CODYNAMO_TEST_ENDPOINT=$endpoint AWS_ENDPOINT_URL_DYNAMODB=$endpoint
    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1
    # Nothing of the user's own set-up, and nobody asks the machine who it is.
    unset AWS_SESSION_TOKEN AWS_PROFILE AWS_CA_BUNDLE AWS_RETRY_MODE AWS_MAX_ATTEMPTS \
        AWS_NEW_RETRIES_2026 AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT \
        AWS_ACCOUNT_ID_ENDPOINT_MODE http_proxy https_proxy HTTPS_PROXY
    export AWS_EC2_METADATA_DISABLED=true
}
