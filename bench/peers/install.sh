#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# The drivers of bench/peers, each with the pinned SDK it drives, into build/peers/NAME:
#     bench/peers/install.sh NAME…      or all
# One that cannot be installed has the reason in build/peers/NAME/why-not and is skipped by whoever
# measures; that is no failure. Installed ones are left alone until their sources change.
source "$(dirname "${BASH_SOURCE[0]}")/../../tools/common.sh"

# What a toolchain says when it fails is often more than the reason.
reason() {
    local pattern
    for pattern in error 'requires|not found|denied'; do
        grep -iE "$pattern" "$1" | grep -v 'complete log' | tail -n 1 | cut -c 1-200 && return
    done
    echo "see $1"
}

# needs COMMAND: the reason when it is missing.
needs() { have "$1" || { printf 'there is no %s\n' "$1" >why-not && return 1; }; }

install_python() {
    needs python3 || return 1
    python3 -m venv . && bin/python -m pip install -q --disable-pip-version-check \
        -r "$source/requirements.txt"
}

install_aws-sdk-go-v2() {
    needs go || return 1
    # What Go keeps between builds goes when this is over.
    GOTOOLCHAIN=local GOPATH=$work GOCACHE=$work/cache GOFLAGS='-buildvcs=false -modcacherw' \
        go build -C "$source" -mod=readonly -trimpath -o "$PWD/driver" .
}

install_aws-sdk-rust() {
    needs cargo || return 1
    # In a copy: Cargo writes its lock file beside the manifest, with a registry's address in it.
    cp -r "$source/." "$work"
    CARGO_TARGET_DIR=$work/target cargo build -q --release --manifest-path "$work/Cargo.toml" &&
        cp "$work/target/release/driver" driver
}

install_aws-sdk-js() {
    needs node && needs npm || return 1
    if (($(node -p 'process.versions.node.split(".")[0]') < 20)); then
        printf 'node 20 or newer is needed; here is %s\n' "$(node --version)" >why-not
        return 1
    fi
    cp "$source"/{driver.mjs,package.json,package-lock.json} . &&
        npm ci --loglevel=error --ignore-scripts --no-audit --no-fund
}

# The sources whose change asks for another installation: a Python driver is run where it is.
stamp() {
    case $1 in
    boto3 | aiodynamo | pynamodb_mate) cksum <"$source/requirements.txt" ;;
    *) find "$source" -type f -print0 | LC_ALL=C sort -z | xargs -0 cat | cksum ;;
    esac
}

is_installed() {
    [[ $(cat "$folder/installed" 2>/dev/null) == "$(stamp "$1")" ]] || return 1
    # A venv is of no use any more when its Python has gone.
    [[ ! -e $folder/pyvenv.cfg ]] || "$folder/bin/python" -c '' 2>/dev/null
}

install() {
    local name=$1 how=install_$1 source=$root/bench/peers/$1 folder=$root/build/peers/$1 work
    [[ -d $source ]] || die "there is no peer '$name'"
    declare -F "$how" >/dev/null || how=install_python
    if is_installed "$name"; then return; fi
    step "installing $name ($(if [[ $name == aws-sdk-rust ]]; then
        echo 'fat LTO: minutes'; else echo 'less than a minute'; fi))"
    rm -rf "$folder"
    mkdir -p "$folder"
    work=$(mktemp -d "$root/build/peers/work.XXXXXX")
    # shellcheck disable=SC2064 # this one
    trap "rm -rf '$work'" EXIT
    if (cd "$folder" && "$how" </dev/null >install.log 2>&1); then
        stamp "$name" >"$folder/installed"
    else
        [[ -s $folder/why-not ]] || reason "$folder/install.log" >"$folder/why-not"
        say "$name cannot be installed and will be skipped: $(cat "$folder/why-not")"
    fi
    rm -rf "$work"
}

names=("$@")
if [[ ${names[*]} == all ]]; then
    names=(aws-sdk-go-v2 aws-sdk-rust aiodynamo boto3 aws-sdk-js pynamodb_mate)
fi
for name in "${names[@]}"; do
    install "$name"
done
