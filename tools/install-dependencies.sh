#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Installs what is missing on a bare Debian 12 or 13, and nothing else:
#     tools/install-dependencies.sh [--packages] [build] [server] [moto] [test] [bench] [chaos]
#                                   [fuzz] [coverage] [tidy] [peers]
# None means build and test; --packages installs the system's packages for them and builds nothing.
# build: compiler, CMake, Boost, OpenSSL. server: dynoxide, which is built with cargo. moto: the
# second server that contracts are checked on. test: server, moto, bench, the formatter, Catch2,
# RapidCheck and the Python ancestor. bench: the fixed-answer server, Google Benchmark, valgrind and
# matplotlib.
# chaos: server and toxiproxy, which is built with Go. fuzz: clang with libFuzzer. coverage: gcovr.
# tidy: clang-tidy. peers: wrk, and the drivers of bench/peers that this machine has the toolchains
# for, into build/peers; CODYNAMO_PEERS names those that are wanted.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

missing=()

# A package is written NAME, NAME>=VERSION, or several of these with | between them: the first that
# the system's release has.

# need_command COMMAND PACKAGE: a command from elsewhere needs no package.
need_command() { have "$1" || missing+=("$2"); }

# need_package PACKAGE: libraries; without dpkg CMake's own search is left to find them.
need_package() {
    have dpkg-query || return 0
    local each
    for each in ${1//|/ }; do
        if is_installed "$each"; then return; fi
    done
    missing+=("$1")
}

# is_new_enough VERSION NAME[>=LEAST]
is_new_enough() {
    [[ -n $1 && $1 != '(none)' ]] || return 1
    [[ $2 != *'>='* ]] || dpkg --compare-versions "$1" ge "${2#*>=}"
}

# is_installed NAME[>=VERSION]
is_installed() {
    local found
    found=$(dpkg-query -W -f='${Status} ${Version}' "${1%%>=*}" 2>/dev/null) || return 1
    [[ $found == 'install ok installed '* ]] && is_new_enough "${found##* }" "$1"
}

# choose PACKAGE: prints the name that the package sources have in a new enough version.
choose() {
    local each candidate
    for each in ${1//|/ }; do
        candidate=$(apt-cache policy "${each%%>=*}" | sed -nE 's/^ +Candidate: ([^ ]+)$/\1/p')
        if is_new_enough "$candidate" "$each"; then
            printf '%s\n' "${each%%>=*}"
            return
        fi
    done
    return 1
}

need_python_venv() {
    need_command python3 python3
    python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
}

collect_build() {
    need_command g++ g++
    need_command cmake cmake
    need_command ninja ninja-build
    need_command ccache ccache
    need_command git git
    local package
    for package in 'libboost1.81-dev|libboost-dev>=1.81' \
        'libboost-json1.81-dev|libboost-json-dev>=1.81' \
        'libboost-url1.81-dev|libboost-url-dev>=1.81' libssl-dev libcli11-dev ca-certificates; do
        need_package "$package"
    done
}

collect_server() {
    [[ ! -x $dynoxide ]] || return 0
    find_cargo >/dev/null || {
        say "dynoxide needs cargo $dynoxide_rust or later"
        # Debian's stable releases have a newer Rust beside their own, in packages whose names end in
        # -web. They replace the older ones, which they conflict with.
        missing+=("cargo>=$dynoxide_rust|cargo-web>=$dynoxide_rust")
    }
    need_command cc gcc # compiles SQLite
    need_package libc6-dev
    need_package ca-certificates
}

collect_test() {
    need_package catch2
    need_package librapidcheck-dev
    collect_bench
}

collect_bench() {
    need_package libbenchmark-dev
    need_command nginx nginx-light
    need_command openssl openssl
    need_command taskset util-linux
    need_command python3 python3
    need_command valgrind valgrind
    need_python_venv
}

collect_chaos() {
    need_command python3 python3
    [[ -f $toxiproxy_dir/$toxiproxy_version ]] || need_command go golang-go
}

collect_fuzz() {
    find_clang >/dev/null || missing+=('clang-16|clang-19|clang')
    need_package 'libclang-rt-16-dev|libclang-rt-19-dev'
}

# No peer is needed: where nothing may be installed, wrk is skipped as the others are.
collect_peers() {
    if ((EUID != 0)) && ! have sudo; then return; fi
    need_command wrk wrk
    need_python_venv
}

install_missing() {
    ((${#missing[@]})) || return 0
    have apt-get || die "missing: ${missing[*]} (Debian's names), and there is no apt-get here"
    local as_root=()
    if ((EUID != 0)); then
        have sudo || die "missing: ${missing[*]}. Run this as root, or install sudo, or ask" \
            "somebody who may: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    step 'reading the package lists'
    "${as_root[@]}" apt-get update -qq </dev/null >&2
    # Which of several names there is is known only now.
    local each name
    local -a names=() unknown=()
    for each in "${missing[@]}"; do
        if name=$(choose "$each"); then names+=("$name"); else unknown+=("${each//|/ or }"); fi
    done
    refuse_unknown "${unknown[@]}"
    mapfile -t names < <(printf '%s\n' "${names[@]}" | sort -u)
    step "installing ${names[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${names[@]}" </dev/null >&2
}

# refuse_unknown PACKAGE…: says all at once that the package sources lack them; none is fine.
refuse_unknown() {
    (($#)) || return 0
    local each
    for each; do say "no package source of this system has $each"; done
    [[ $* != *cargo* ]] || say "dynoxide needs cargo $dynoxide_rust or later: add Debian's security" \
        'updates to the package sources, or install Rust with rustup'
    die 'nothing was installed: add a package source that has them, or install them by other means'
}

# is_rust_new VERSION: whether that Rust compiles dynoxide.
is_rust_new() { printf '%s\n' "$dynoxide_rust" "$1" | sort -VC; }

# Prints a cargo that compiles dynoxide: the one on PATH, or else the system's, which an older one
# may hide. A cargo of rustup's without a toolchain prints no version, and does not count.
find_cargo() {
    local candidate version
    for candidate in cargo /usr/bin/cargo; do
        version=$("$candidate" --version 2>/dev/null | sed -nE 's/^cargo ([0-9.]+).*/\1/p' || true)
        [[ -z $version ]] || ! is_rust_new "$version" || {
            command -v "$candidate"
            return
        }
    done
    return 1
}

# Into a folder of its own and then renamed: an interrupted build leaves nothing half.
build_dynoxide() {
    [[ ! -x $dynoxide ]] || return 0
    step "building dynoxide $dynoxide_version"
    rm -rf "$cache_dir"/dynoxide.*
    local cargo work folder builder
    cargo=$(find_cargo) || die "dynoxide needs cargo $dynoxide_rust or later, and PATH has none"
    work=$(mktemp -d "$cache_dir/dynoxide.XXXXXX")
    folder=$(dirname "$(dirname "$dynoxide")")
    (
        cd "$work" || exit
        # The crate's own profile ends with minutes of link-time optimization on one core.
        export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
        export CARGO_PROFILE_RELEASE_OPT_LEVEL=1
        # cargo looks for rustc on PATH.
        export CARGO_TARGET_DIR=$work/target PATH=${cargo%/*}:$PATH
        exec setsid "$cargo" install dynoxide-rs --version "$dynoxide_version" --locked \
            --no-default-features --features native-sqlite,http-server,cli --root "$work/whole"
    ) </dev/null >"$work/build.log" 2>&1 &
    builder=$!
    # shellcheck disable=SC2064 # the folder and the process are known now, and only now
    trap "kill -- -$builder 2>/dev/null || true; wait; rm -rf '$work'" EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    if ! wait "$builder" || [[ ! -x $work/whole/bin/dynoxide ]]; then
        tail -n 20 "$work/build.log" >&2
        die "dynoxide $dynoxide_version could not be built; above is the end of cargo's output"
    fi
    rm -rf "$folder"
    mv -T "$work/whole" "$folder"
    rm -rf "$work"
    trap - EXIT INT TERM
}

# Marked by a file when it is whole. A machine that cannot build it can still run every other test:
# those that need it say that they are skipped.
fetch_toxiproxy() {
    [[ -f $toxiproxy_dir/$toxiproxy_version ]] && return 0
    step "building toxiproxy $toxiproxy_version"
    rm -rf "$toxiproxy_dir"
    mkdir -p "$toxiproxy_dir"
    # What Go keeps between builds goes when this is over.
    local work
    work=$(mktemp -d "$cache_dir/go.XXXXXX")
    if GOBIN=$toxiproxy_dir GOPATH=$work GOCACHE=$work/cache GOFLAGS='-buildvcs=false -modcacherw' \
        go install "github.com/Shopify/toxiproxy/v2/cmd/server@v$toxiproxy_version" \
        </dev/null >"$toxiproxy_dir/build.log" 2>&1; then
        touch "$toxiproxy_dir/$toxiproxy_version"
    else
        tail -n 20 "$toxiproxy_dir/build.log" >&2
        say 'toxiproxy could not be built; the tests that need it will be skipped'
    fi
    rm -rf "$work"
}

# into_venv REQUIREMENT…: installs together those that no file of their name marks. The folder's own
# name is written into a venv's scripts, so the venv itself is not renamed but marked too.
into_venv() {
    if [[ ! -f $venv_dir/whole ]] || ! "$venv_dir/bin/python" -c '' 2>/dev/null; then
        rm -rf "$venv_dir"
        python3 -m venv "$venv_dir"
        touch "$venv_dir/whole"
    fi
    local each lacking=
    for each; do [[ -f $venv_dir/$each ]] || lacking=yes; done
    [[ -n $lacking ]] || return 0
    step "installing $* into a venv"
    for each; do rm -f "$venv_dir/${each%%==*}=="*; done # another version's mark
    "$venv_dir/bin/python" -m pip install -q --disable-pip-version-check "$@" </dev/null >&2
    for each; do touch "$venv_dir/$each"; done
}

# The release of botocore that the endpoint tables are made from, and compared with.
botocore_version() {
    sed -n 's/.*endpoint_data_version = "\([0-9.]*\)".*/\1/p' "$root/src/aws/endpoint_data.cpp" |
        grep . || die 'src/aws/endpoint_data.cpp does not name its version of botocore'
}

packages_only=
if [[ ${1:-} == --packages ]]; then
    packages_only=yes
    shift
fi
parts=("$@")
((${#parts[@]})) || parts=(build test)
wanted=" ${parts[*]} "
# Tests and chaos need a server.
[[ $wanted != *' test '* && $wanted != *' chaos '* ]] || wanted+='server '
[[ $wanted != *' test '* ]] || wanted+='moto '
read -ra parts <<<"$wanted"
for part in "${parts[@]}"; do
    case $part in
    build) collect_build ;;
    server) collect_server ;;
    moto) need_python_venv ;;
    test) collect_test ;;
    bench) collect_bench ;;
    chaos) collect_chaos ;;
    fuzz) collect_fuzz ;;
    coverage) need_command gcovr gcovr ;;
    peers) collect_peers ;;
    tidy) need_python_venv ;;
    *) die "what is '$part'? There are build, server, moto, test, bench, chaos, fuzz, coverage," \
        "tidy and peers" ;;
    esac
done
mkdir -p "$cache_dir"
# Two of these at once would trip over each other; the second one then finds everything done.
exec 9>"$cache_dir/lock"
flock 9
install_missing
[[ -z $packages_only ]] || exit 0
[[ $wanted != *' server '* ]] || build_dynoxide
[[ $wanted != *' chaos '* ]] || fetch_toxiproxy
[[ $wanted != *' test '* && $wanted != *' bench '* ]] ||
    into_venv "matplotlib==$matplotlib_version"
if [[ $wanted == *' test '* ]]; then
    botocore=$(botocore_version)
    into_venv pynamodb_mate==6.0.1.1 "botocore==$botocore"
    into_venv "clang-format==$clang_format_version"
fi
[[ $wanted != *' tidy '* ]] || into_venv "clang-tidy==$clang_tidy_version"
[[ $wanted != *' moto '* ]] || into_venv "moto[server]==$moto_version"
if [[ $wanted == *' peers '* ]]; then
    read -ra peers <<<"${CODYNAMO_PEERS-all}"
    "$root/bench/peers/install.sh" "${peers[@]}"
fi
