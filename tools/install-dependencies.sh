#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Installs what is missing on a bare Debian 12, and nothing else:
#     tools/install-dependencies.sh [build] [server] [test] [bench] [chaos] [fuzz]
#                                   [coverage] [tidy] [peers]
# None means build and test. build: compiler, CMake, Boost, OpenSSL. server: DynamoDB Local. test:
# that and bench, the formatter, Catch2 and the Python ancestor. bench: the fixed-answer server,
# Google Benchmark, valgrind and matplotlib. chaos: DynamoDB Local and toxiproxy, which is built with
# Go. fuzz: clang with libFuzzer. coverage: gcovr. tidy: clang-tidy. peers: wrk, and the drivers of
# bench/peers that this machine has the toolchains for, into build/peers; CODYNAMO_PEERS names those
# that are wanted.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

missing=()

# need_command COMMAND PACKAGE: whoever has the command from elsewhere needs no package.
need_command() { have "$1" || missing+=("$2"); }

# need_package PACKAGE: libraries; without dpkg CMake's own search is left to find them.
need_package() {
    have dpkg-query || return 0
    [[ $(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) == 'install ok installed' ]] ||
        missing+=("$1")
}

need_java() {
    local version=0
    if have java; then
        version=$(java -version 2>&1 | sed -nE 's/.*version "([0-9]+).*/\1/p' | head -n 1)
    fi
    ((${version:-0} >= 17)) || missing+=(openjdk-17-jre-headless)
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
    for package in libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libssl-dev \
        libcli11-dev ca-certificates; do
        need_package "$package"
    done
}

collect_server() {
    need_java
    [[ -d $dynamodb_local_dir ]] || need_command mvn maven
}

collect_test() {
    need_package catch2
    need_command clang-format-16 clang-format-16
    need_python_venv
    collect_bench
}

collect_bench() {
    need_package libbenchmark-dev
    need_command nginx nginx-light
    need_command openssl openssl
    need_command taskset util-linux
    need_command python3 python3
    need_command valgrind valgrind
    python3 -c 'import matplotlib' 2>/dev/null || need_package python3-matplotlib
}

collect_chaos() {
    need_command python3 python3
    [[ -f $toxiproxy_dir/$toxiproxy_version ]] || need_command go golang-go
}

collect_fuzz() {
    need_command clang++-16 clang-16
    need_package libclang-rt-16-dev
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
    step "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -qq </dev/null >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >&2
}

# Into a folder of its own and then renamed: an interrupted fetch leaves nothing half.
fetch_dynamodb_local() {
    [[ -d $dynamodb_local_dir ]] && return 0
    step "fetching DynamoDB Local $dynamodb_local_version"
    local work
    work=$(mktemp -d "$cache_dir/fetch.XXXXXX")
    cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>codynamo</groupId><artifactId>fetch</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>software.amazon.dynamodb</groupId><artifactId>DynamoDBLocal</artifactId>
    <version>$dynamodb_local_version</version>
  </dependency></dependencies>
</project>
POM
    mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$work/lib" </dev/null >&2
    mv -T "$work/lib" "$dynamodb_local_dir"
    rm -rf "$work"
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

# The folder's own name is written into a venv's scripts, so this one is marked when it is whole, with
# a file for each package. botocore is the release that the endpoint tables are from.
make_venv() {
    local botocore package wanted
    botocore=$(sed -n 's/.*endpoint_data_version = "\([0-9.]*\)".*/\1/p' \
        "$root/src/aws/endpoint_data.cpp")
    wanted=(pynamodb_mate==6.0.1.1 "botocore==${botocore:?not named in src/aws/endpoint_data.cpp}")
    local whole=yes
    for package in "${wanted[@]}"; do
        [[ -f $venv_dir/$package ]] || whole=
    done
    [[ -n $whole ]] && "$venv_dir/bin/python" -c '' 2>/dev/null && return 0
    step "installing ${wanted[*]} into a venv"
    rm -rf "$venv_dir"
    python3 -m venv "$venv_dir"
    "$venv_dir/bin/python" -m pip install -q --disable-pip-version-check "${wanted[@]}" \
        </dev/null >&2
    for package in "${wanted[@]}"; do
        touch "$venv_dir/$package"
    done
}

parts=("$@")
((${#parts[@]})) || parts=(build test)
with_server=
for part in "${parts[@]}"; do
    case $part in
    build) collect_build ;;
    test | server | chaos) with_server=yes ;;&
    server) ;;
    test) collect_test ;;
    bench) collect_bench ;;
    chaos) collect_chaos ;;
    fuzz) collect_fuzz ;;
    coverage) need_command gcovr gcovr ;;
    peers) collect_peers ;;
    tidy) need_command clang-tidy-16 clang-tidy-16 ;;
    *) die "what is '$part'? There are build, server, test, bench, chaos, fuzz, coverage," \
        "tidy and peers" ;;
    esac
done
[[ -z $with_server ]] || collect_server
mkdir -p "$cache_dir"
# Two of these at once would trip over each other; the second one then finds everything done.
exec 9>"$cache_dir/lock"
flock 9
install_missing
[[ -z $with_server ]] || fetch_dynamodb_local
[[ " ${parts[*]} " != *' chaos '* ]] || fetch_toxiproxy
[[ " ${parts[*]} " != *' test '* ]] || make_venv
if [[ " ${parts[*]} " == *' peers '* ]]; then
    read -ra peers <<<"${CODYNAMO_PEERS-all}"
    "$root/bench/peers/install.sh" "${peers[@]}"
fi
