#!/usr/bin/env bash
# Tests scripts/device.sh with a stand-in for hdc and the device, which runs the x86_64 library of dist: tests/device/run.sh
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/haps" "$work/empty"
touch "$work/haps/entry-default-signed.hap" "$work/haps/entry-ohosTest-signed.hap"
passed=0 failed=0

# expect LIKE STATUS PATTERN [ARGUMENT...]: how device.sh ends with such a device, and what it says or reports.
expect() {
    local like=$1 wanted=$2 pattern=$3 status=0 path=$PATH
    shift 3
    rm -rf "$work/device" "$work/report.md"
    mkdir "$work/device"
    [[ $like == absent ]] || path=$ROOT/tests/device:$path
    DEVICE_LIKE=$like DEVICE_FOLDER=$work/device PATH=$path NET_WEBSOCKET_DEVICE_ROUNDS=20 \
        bash "$ROOT/scripts/device.sh" --report "$work/report.md" --haps "$work/haps" "$@" >"$work/said" 2>&1 || status=1
    [[ ! -f $work/report.md ]] || cat "$work/report.md" >>"$work/said"
    if [[ $status == "$wanted" && $(<"$work/said") =~ $pattern ]]; then
        ((++passed))
    else
        ((++failed))
        printf 'FAIL %s: status %s, said:\n' "$like $*" "$status"
        sed 's/^/    /' "$work/said"
    fi
}

if command -v hdc >/dev/null; then
    echo 'skip: the case without hdc, since this machine has one'
else
    expect absent 1 'error: there is no hdc on PATH'
fi
expect none 1 'error: no device is attached'
expect offline 1 'error: hdc finds no devices: \[Fail\]Connect server failed'
expect two 1 'error: 2 devices are attached: 0123456789 127.0.0.1:5555'
expect two 1 "error: the device 'other' is not attached" --target other
expect good 1 'error: there are no signed packages' --haps "$work/empty"
expect good 1 "error: unknown argument '--all'" --all
expect full 1 'error: installing entry-default-signed.hap failed.*no room'
expect failing 1 'on-device tests \| 1 passed, 1 failed \|.*- Close.tellsTheCode.*round trip, 32 B \| [0-9.]+ \| [0-9.]+ \|'
expect crashing 1 'ended without a summary: TestFinished-ResultMsg: App died'
expect two 0 'API 12 \|.*on-device tests \| 2 passed, 0 failed \|.*round trip, wss, 1 KiB \| [0-9.]+ \|.*connecting, wss \| [0-9.]+ \|' --target 127.0.0.1:5555

echo "$passed passed, $failed failed"
((failed == 0))
