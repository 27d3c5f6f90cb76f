#!/usr/bin/env bash
# Name lookups that go wrong, with a name server of our own: tests/network/lookup.sh host|x86_64...
#
# A network namespace has that server at port 53, and a mount namespace the resolver's files. Prints `N passed, M failed`.
# Where namespaces are not allowed, it says so and counts nothing. host has glibc's resolver, x86_64 that of musl, and takes
# the library in dist/; both at once take no longer than one.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
cd "$ROOT"

usage='usage: tests/network/lookup.sh host|x86_64...'
arch=${1:?$usage}

# In the namespaces: FOLDER holds what was built.
inside() {
    local work=$1 servers status=0 passed=0 failed=0 counts name_server
    export NET_WEBSOCKET_LOG=off
    ip link set lo up
    echo 'hosts: files dns' >"$work/nsswitch.conf"
    mount --bind "$work/nsswitch.conf" /etc/nsswitch.conf
    # The cache of another name service.
    [[ ! -d /run/nscd ]] || mount -t tmpfs none /run/nscd
    touch "$work/resolv.conf"
    mount --bind "$work/resolv.conf" /etc/resolv.conf

    coproc NAME_SERVER { exec "$TARGET/debug/examples/name_server"; }
    read -r name_server <&"${NAME_SERVER[0]}"
    [[ $name_server == ready ]]

    # servers NAME ADDRESS...: what the program knows them as, and what the resolver does.
    servers() {
        local name=$1
        shift
        { printf 'nameserver %s\n' "$@" && echo 'options timeout:1 attempts:1'; } >"$work/resolv.conf"
        status=0
        if [[ $arch == host ]]; then
            LD_LIBRARY_PATH=$TARGET/debug "$work/lookup" "$name" >"$work/output" 2>&1 || status=$?
        else
            run_ohos "$arch" "$work/lookup" "$name" >"$work/output" 2>&1 || status=$?
        fi
        counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$work/output" | tail -n 1) || counts='0 passed, 1 failed'
        [[ $counts =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]
        ((passed += BASH_REMATCH[1], failed += BASH_REMATCH[2])) || true
        if ((status != 0 && BASH_REMATCH[2] == 0)); then ((++failed)); fi
        sed "s/^/    $arch, $name: /" "$work/output"
    }
    servers all 127.0.0.1
    servers no-tcp 127.0.0.2
    servers second 127.0.0.4 127.0.0.1
    servers none 127.0.0.5
    echo "$passed passed, $failed failed"
    ((failed == 0))
}

if [[ $arch == --inside ]]; then
    arch=$2
    load_environment
    inside "$3"
    exit
fi
for arch; do
    [[ $arch == host || $arch == x86_64 ]] || fail "unknown architecture '$arch'" "$usage"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! command -v ip >/dev/null; then
    echo 'skip: no ip command to set up a network namespace with (iproute2)'
    exit 0
fi
# As root, or as one's own.
namespaces=(unshare --net --mount)
if ! "${namespaces[@]}" ip link set lo up 2>"$work/why"; then
    namespaces+=(--user --map-root-user)
    if ! "${namespaces[@]}" ip link set lo up 2>"$work/why"; then
        echo "skip: no network namespaces here ($(tail -n 1 "$work/why"))"
        exit 0
    fi
fi

need_setup --tests
cargo_host build --quiet --example name_server
running=()
for arch; do
    mkdir "$work/$arch"
    flags=(-std=c99 -g -Wall -Wextra -Wpedantic -Werror -I include tests/network/lookup.c -lnet_websocket -lpthread -o "$work/$arch/lookup")
    if [[ $arch == host ]]; then
        cargo_host build --quiet --lib
        "${CC:-cc}" "${flags[@]}" -L "$TARGET/debug"
    else
        [[ -f $DIST/x86_64/libnet_websocket.so ]] || fail "there is no $DIST/x86_64/libnet_websocket.so" 'Run scripts/build.sh first.'
        cc_ohos "$arch" "${flags[@]}" -L "$DIST/x86_64"
    fi
    "${namespaces[@]}" bash "${BASH_SOURCE[0]}" --inside "$arch" "$work/$arch" &
    running+=($!)
done
status=0
for job in "${running[@]}"; do
    wait "$job" || status=1
done
exit "$status"
