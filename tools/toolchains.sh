#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Builds and tests this tree with a toolchain of another distribution, in a chroot of its own:
#     tools/toolchains.sh NAME…           the named ones; "all" stands for every one
#     tools/toolchains.sh --list          their names and what is done with each
# The chroots stay in ${XDG_CACHE_HOME:-~/.cache}/codynamo/toolchains, with their packages and the
# compiler's cache, so later runs are faster; remove that folder to begin anew. Needs root,
# debootstrap (installed if missing) and the distribution's packages. A table of the results is in
# docs/toolchains.md.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# name | suite | C++ compiler | packages beside those of install-dependencies.sh | test or compile
toolchains='
debian-12 | bookworm | g++ | | test
debian-13 | trixie | g++ | | test
debian-sid | sid | g++ | | test
clang-16 | bookworm | clang++-16 | clang-16 | compile
clang-19 | trixie | clang++-19 | clang-19 | compile
'
chroots_dir=$cache_dir/toolchains

rows() { sed '/^$/d; s/ *| */|/g' <<<"$toolchains"; }

list() {
    local name suite compiler packages work
    while IFS='|' read -r name suite compiler packages work; do
        printf '%-12s %-10s %-12s %s\n' "$name" "$suite" "$compiler" "$work"
    done < <(rows)
}

# The mirror that debootstrap chose also has the updates of a release; security updates are beside it.
add_updates() {
    local suite=$1 sources=$2/etc/apt/sources.list mirror
    [[ $suite != sid ]] || return 0
    mirror=$(awk '$1 == "deb" { print $2; exit }' "$sources")
    printf 'deb %s %s-updates main\ndeb %s-security %s-security main\n' \
        "$mirror" "$suite" "${mirror%/}" "$suite" >>"$sources"
}

# make_chroot SUITE: a base system and nothing else. Under another name until it is whole.
make_chroot() {
    local suite=$1 chroot=$chroots_dir/$1
    [[ ! -d $chroot ]] || return 0
    step "debootstrap: $suite"
    if ! have debootstrap; then
        have apt-get || die 'debootstrap is missing, and there is no apt-get to install it with'
        apt-get update -qq </dev/null >&2
        apt-get install -y -qq --no-install-recommends debootstrap </dev/null >&2
    fi
    rm -rf "$chroot.new"
    mkdir -p "$chroots_dir"
    debootstrap --variant=minbase "$suite" "$chroot.new" >"$chroots_dir/$suite.log" 2>&1 || {
        tail -n 5 "$chroots_dir/$suite.log" >&2
        die "debootstrap of $suite failed: see $chroots_dir/$suite.log"
    }
    add_updates "$suite" "$chroot.new"
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$chroot.new/etc/hosts"
    # A mirror of sid may be older than the signature's days; the signature itself is checked.
    [[ $suite != sid ]] ||
        echo 'Acquire::Check-Valid-Until "false";' >"$chroot.new/etc/apt/apt.conf.d/99old-mirror"
    # Authorities that this machine trusts beside the public ones.
    local -a authorities
    mapfile -t authorities < <(find /usr/local -path '*/share/ca-certificates/*.crt' 2>/dev/null)
    ((${#authorities[@]} == 0)) ||
        install -D -m 644 -t "$chroot.new/usr/local/share/ca-certificates" "${authorities[@]}"
    mv -T "$chroot.new" "$chroot"
}

# inside SUITE COMMAND…: in the chroot, with the kernel's file systems, in name spaces of its own:
# nothing stays mounted, and no process survives, however this ends.
inside() {
    local chroot=$chroots_dir/$1
    shift
    cp /etc/resolv.conf "$chroot/etc/resolv.conf"
    # shellcheck disable=SC2016 # the inner shell expands it
    unshare --mount --pid --fork --kill-child bash -c '
        set -e
        mount --make-rprivate /
        mount -t proc proc "$0/proc"
        mount --rbind /dev "$0/dev"
        exec chroot "$0" env -i HOME=/root TERM=dumb LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
            PIP_CERT=/etc/ssl/certs/ca-certificates.crt SHELL=/bin/bash \
            PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' \
        "$chroot" "$@"
}

# The tree as it is here, without what is ignored; what was built before stays. Every file counts as
# new: one that was changed here while an older copy was compiled there is older than the result.
copy_tree() {
    local target=$chroots_dir/$1/codynamo
    mkdir -p "$target"
    find "$target" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
    git ls-files -z --cached --others --exclude-standard |
        tar --null --ignore-failed-read -T - -cf - | tar -xmf - -C "$target"
}

# run NAME SUITE COMPILER PACKAGES WORK
run() {
    local name=$1 suite=$2 compiler=$3 packages=$4 work=$5 started=$SECONDS
    make_chroot "$suite"
    copy_tree "$suite"
    step "$name: $work with $compiler on $suite"
    inside "$suite" bash /codynamo/tools/toolchains.sh --inside "$name" "$compiler" "$packages" \
        "$work" </dev/null || die "$name: failed"
    say "$name: all is well after $((SECONDS - started)) s"
}

# What runs in the chroot.
inner() {
    local name=$1 compiler=$2 packages=$3 work=$4
    local -a extra
    read -ra extra <<<"$packages"
    cd "$root"
    if [[ $work == test ]]; then
        tools/install-dependencies.sh build test
    else
        tools/install-dependencies.sh build
    fi
    if ((${#extra[@]})); then
        apt-get install -y -qq --no-install-recommends "${extra[@]}" </dev/null >&2
    fi
    "$compiler" --version | head -n 1 >&2
    local build=build/$name
    local -a options=(-DCMAKE_CXX_COMPILER="$compiler" -DCODYNAMO_UNITY=ON -DCODYNAMO_WERROR=ON
        -DCODYNAMO_BENCH=OFF)
    # Without debug information, a third of the time; the optimizer finds no more in what is only
    # compiled.
    local flags='-O1 -D_GLIBCXX_ASSERTIONS'
    if [[ $work == compile ]]; then
        flags=-O0
        options+=(-DCODYNAMO_TESTS=OFF)
    fi
    options+=(-DCMAKE_CXX_FLAGS_RELWITHDEBINFO="$flags")
    cmake --preset dev -B "$build" "${options[@]}" >/dev/null
    cmake --build "$build" -j "$(nproc)" -- -k 0 # all that does not compile, at once
    [[ $work == test ]] || return 0
    use_local_server
    ctest --test-dir "$build" -j "$(nproc)" --output-on-failure --no-tests=error \
        -L 'unit|net|simulation|live|package'
}

case ${1:-} in
--list) list ;;
--inside)
    shift
    inner "$@"
    ;;
'' | -*)
    sed -nE '3,9s/^# ?//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
*)
    ((EUID == 0)) || die 'a chroot needs root: run this as root or by sudo'
    cd "$root"
    [[ $1 != all ]] || mapfile -t -O 1 all < <(rows | cut -d'|' -f1)
    [[ $1 != all ]] || set -- "${all[@]}"
    for name; do
        row=$(rows | grep "^$name|") || die "no toolchain is called '$name': see --list"
        IFS='|' read -r name suite compiler packages work <<<"$row"
        run "$name" "$suite" "$compiler" "$packages" "$work"
    done
    ;;
esac
