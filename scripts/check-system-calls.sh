#!/usr/bin/env bash
# Records the system calls of the C programs of tests/ndk with the library, under emulation. Compares them with those that
# OpenHarmony allows to an app. Any other call would end the app.
#
#   scripts/check-system-calls.sh [ABI]... [PROGRAM]...     default: all emulated ABIs in dist/; contract ext threads lifecycle
#
# allowed-system-calls.txt has the names. x86_64 is skipped, because the system has no list for it. The programs' own calls count
# too.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ALLOWED=$ROOT/scripts/allowed-system-calls.txt
abis=() programs=()
for argument; do
    case $argument in
        arm64-v8a | armeabi-v7a) abis+=("$argument") ;;
        x86_64) fail 'OpenHarmony has no list of system calls for x86_64' 'Name arm64-v8a or armeabi-v7a.' ;;
        *) programs+=("$argument") ;;
    esac
done
if ((${#abis[@]} == 0)); then
    for abi in arm64-v8a armeabi-v7a; do
        [[ ! -f $DIST/$abi/libnet_websocket.so ]] || abis+=("$abi")
    done
fi
((${#abis[@]})) || fail "there is no library in $DIST" 'Run scripts/build.sh first.'
((${#programs[@]})) || programs=(contract ext threads lifecycle)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
for abi in "${abis[@]}"; do
    step "$abi: ${programs[*]}"
    # A line `PID name(arguments) = result` for each call, in a file for each program; those that a signal cuts off too.
    mkdir "$work/$abi"
    QEMU_STRACE=1 QEMU_LOG_FILENAME=$work/$abi/%d.log bash "$ROOT/tests/ndk/run.sh" "$abi" "${programs[@]}" >"$work/$abi.out" 2>&1 || {
        cat "$work/$abi.out" >&2
        fail "the programs fail with $abi" 'Their output is above.'
    }
    made=$(sed -nE 's/^[0-9]+ ([a-z_0-9]+)\(.*/\1/p' "$work/$abi"/*.log | LC_ALL=C sort -u)
    # An empty log would pass, so there must be what each program does.
    for name in mmap futex epoll_pwait connect; do
        grep -qE "^$name(2|_time64)?\$" <<<"$made" || fail "no call of $name was seen for $abi" 'Does this qemu write its log of system calls to a file?'
    done
    kind=arm64
    [[ $abi == arm64-v8a ]] || kind=arm
    refused=$(awk -v kind="$kind" 'NR == FNR { if (!/^#/ && ($2 == "all" || $2 == kind)) allowed[$1]; next } !($1 in allowed)' \
        "$ALLOWED" - <<<"$made" | paste -sd ' ')
    if [[ $refused ]]; then
        say "FAILED  not among the allowed ones: $refused"
        ((++failures))
    else
        say "ok      $(wc -l <<<"$made") system calls, all of them allowed: $(paste -sd ' ' <<<"$made")"
    fi
done
((failures == 0)) || fail 'system calls that end an app on OpenHarmony, or that scripts/allowed-system-calls.txt does not know yet'
echo "${#abis[@]} passed, 0 failed"
