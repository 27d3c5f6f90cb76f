#!/usr/bin/env bash
# Runs the on-device tests (entry/src/ohosTest) and a small benchmark on a device or emulator connected to hdc. Writes a report to
# paste into an issue:
#
#   scripts/device.sh [--target KEY] [--haps FOLDER] [--report FILE]
#
#   --target KEY    one of several devices, as `hdc list targets` names it
#   --haps FOLDER   where the signed packages are; default: where DevEco Studio and hvigorw put them, entry/build
#   --report FILE   default: target/device-report.md
#
# It needs the SDK's hdc on PATH, a device, the libraries of scripts/build.sh, and two signed packages, which entry/README.md
# describes. Without a device it fails with a message. The servers run on this machine, and the device reaches them through hdc.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() { fail "$1" 'Usage: scripts/device.sh [--target KEY] [--haps FOLDER] [--report FILE]'; }
key='' haps=$ROOT/entry/build report=$TARGET/device-report.md
while (($#)); do
    case $1 in
        --target | --haps | --report)
            [[ ${2-} ]] || usage "$1 needs a value"
            case $1 in
                --target) key=$2 ;;
                --haps) haps=$2 ;;
                --report) report=$2 ;;
            esac
            shift 2
            ;;
        *) usage "unknown argument '$1'" ;;
    esac
done

# The device's ports, which the tests name, the app, and a folder where a shell may run programs.
WS_PORT=9001 WSS_PORT=9002
BUNDLE=org.netwebsocket.demo
REMOTE=/data/local/tmp/net_websocket
TEST_LIMIT_SECONDS=300

# --- the device ------------------------------------------------------------------------------------------------------

command -v hdc >/dev/null || fail 'there is no hdc on PATH' \
    "It comes with OpenHarmony's SDK, in the folder toolchains; DevEco Studio has it in sdk/default/openharmony/toolchains."
# hdc exits with 0 whatever happens, and ends its lines by CR LF.
listed=$(hdc list targets </dev/null 2>&1 | tr -d '\r')
mapfile -t targets < <(grep -vE '^$|^\[Empty\]' <<<"$listed" || true)
((${#targets[@]})) || fail 'no device is attached' 'Connect one with USB debugging on, or start an emulator, until hdc lists it: hdc list targets'
[[ ${targets[0]} != *' '* ]] || fail "hdc finds no devices: ${targets[0]}"
if [[ $key ]]; then
    printf '%s\n' "${targets[@]}" | grep -qxF -- "$key" || fail "the device '$key' is not attached" "Attached: ${targets[*]}"
else
    ((${#targets[@]} == 1)) || fail "${#targets[@]} devices are attached: ${targets[*]}" 'Choose one by --target KEY.'
    key=${targets[0]}
fi

# on_device ARGUMENTS...: hdc for this device; its words without CR.
on_device() { hdc -t "$key" "$@" </dev/null 2>&1 | tr -d '\r'; }
# done_by WHAT PATTERN ARGUMENTS...: the same, whose words must have the pattern, since its status says nothing.
done_by() {
    local what=$1 pattern=$2 said
    shift 2
    said=$(on_device "$@") || true
    grep -qE -- "$pattern" <<<"$said" || fail "$what failed" "hdc says: $(tail -n 3 <<<"$said" | paste -sd ' ')"
}
parameter() { on_device shell param get "$1" | head -n 1; }

api=$(parameter const.ohos.apiversion)
abis=$(parameter const.product.cpu.abilist)
abi=''
for known in ${abis//,/ }; do
    [[ $abi || ! -f $DIST/$known/libnet_websocket.so ]] || abi=$known
done
[[ $abi ]] || fail "there is no library for this device, whose ABIs are '$abis'" 'Run scripts/build.sh first.'
step "$key: $(parameter const.product.model), API $api, $abi"

app=$(find "$haps" -name '*-signed.hap' -not -name '*ohosTest*' -print -quit 2>/dev/null || true)
tests=$(find "$haps" -name '*ohosTest*-signed.hap' -print -quit 2>/dev/null || true)
[[ $app && $tests ]] || fail "there are no signed packages below $haps" 'entry/README.md says how they are made, with a signing configuration.'

# --- the tests -------------------------------------------------------------------------------------------------------

need_setup --tests
step 'The server, which the device reaches through hdc'
start_echo_server dev
work=$(mktemp -d)
ways=("tcp:$WS_PORT tcp:${WS_URL##*:}" "tcp:$WSS_PORT tcp:${WSS_URL##*:}")
finish() {
    local way
    for way in "${ways[@]}"; do
        on_device fport rm "$way" >/dev/null
    done
    on_device shell rm -r "$REMOTE" >/dev/null
    rm -rf "$work"
}
trap finish EXIT
for way in "${ways[@]}"; do
    read -r from to <<<"$way"
    done_by "the way from the device, $way," 'result:OK' rport "$from" "$to"
done

step 'The on-device tests'
for package in "$app" "$tests"; do
    done_by "installing ${package##*/}" 'successfully' install -r "$package"
done
timeout "$TEST_LIMIT_SECONDS" hdc -t "$key" shell aa test -b "$BUNDLE" -m entry_test -s unittest OpenHarmonyTestRunner -s timeout 30000 \
    </dev/null 2>&1 | tr -d '\r' >"$work/tests" || true
# OHOS_REPORT_STATUS: class=SUITE, then test=NAME, then OHOS_REPORT_STATUS_CODE: 0 for a test that passes, negative for one that does not.
failed=$(awk -F= '
    /^OHOS_REPORT_STATUS: class=/ { suite = $2 }
    /^OHOS_REPORT_STATUS: test=/ { test = $2 }
    /^OHOS_REPORT_STATUS_CODE: -/ { print suite "." test }' "$work/tests" | sort -u)
summary=$(sed -nE 's/.*Tests run: ([0-9]+), Failure: [0-9]+, Error: [0-9]+, Pass: ([0-9]+).*/\1 \2/p' "$work/tests" | tail -n 1)
if [[ $summary ]]; then
    read -r run passed <<<"$summary"
    counts="$passed passed, $((run - passed)) failed"
else
    run=0 passed=0
    counts="ended without a summary: $(tail -n 1 "$work/tests")"
fi
say "$counts"

# --- the benchmark ---------------------------------------------------------------------------------------------------

step 'The benchmark'
cc_ohos "$abi" -std=gnu11 -O2 -Wall -Wextra -Werror -I "$ROOT/include" "$ROOT/benches/peers/c/ours.c" \
    -L "$DIST/$abi" -lnet_websocket -lpthread -o "$work/bench"
on_device shell mkdir -p "$REMOTE" >/dev/null
cp "$DIST/$abi/libnet_websocket.so" "$CA_FILE" "$work/"
for file in bench libnet_websocket.so "${CA_FILE##*/}"; do
    done_by "sending $file" 'FileTransfer finish' file send "$work/$file" "$REMOTE/$file"
done
on_device shell chmod 755 "$REMOTE/bench" >/dev/null
rows=()
# measure TITLE MODE SIZE COUNT URL
measure() {
    local title=$1 said
    shift
    said=$(on_device shell "cd $REMOTE && SSL_CERT_FILE=$REMOTE/${CA_FILE##*/} LD_LIBRARY_PATH=$REMOTE ./bench $*") || true
    if [[ $said != *cpu_ns=* ]]; then
        rows+=("| $title | $(tail -n 1 <<<"$said" | tr '|' ' ') | | |")
        unmeasured+=("$title")
    else
        # value NAME: in microseconds.
        value() { sed -nE "s/.*$1=([0-9.]+).*/\1/p" <<<"$said" | awk '{ printf "%.1f", $1 / 1000 }'; }
        rows+=("| $title | $(value cpu_ns) | $(value p50_ns) | $(value p99_ns) |")
    fi
    say "${rows[-1]}"
}
unmeasured=()
count=${NET_WEBSOCKET_DEVICE_ROUNDS:-2000}
measure 'round trip, 32 B' round-trip 32 "$count" "ws://127.0.0.1:$WS_PORT/"
measure 'round trip, 1 KiB' round-trip 1024 "$count" "ws://127.0.0.1:$WS_PORT/"
measure 'round trip, 64 KiB' round-trip 65536 $((count / 10)) "ws://127.0.0.1:$WS_PORT/"
measure 'round trip, wss, 1 KiB' round-trip 1024 "$count" "wss://127.0.0.1:$WSS_PORT/"
measure 'connecting' connect 0 $((count / 10)) "ws://127.0.0.1:$WS_PORT/"
measure 'connecting, wss' connect 0 $((count / 10)) "wss://127.0.0.1:$WSS_PORT/"

# --- the report ------------------------------------------------------------------------------------------------------

mkdir -p "$(dirname "$report")"
{
    echo '### net_websocket on a device'
    echo
    echo '| | |'
    echo '|---|---|'
    echo "| device | $(parameter const.product.brand) $(parameter const.product.model) |"
    echo "| system | $(parameter const.ohos.fullname), API $api |"
    echo "| kernel | $(on_device shell uname -srm | head -n 1), pages of $(on_device shell getconf PAGESIZE | head -n 1) bytes |"
    echo "| ABI | $abi, of $abis |"
    echo "| library | $(stat -c %s "$DIST/$abi/libnet_websocket.so") bytes, SHA-256 $(sha256sum "$DIST/$abi/libnet_websocket.so" | cut -c 1-16), commit $(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null || echo unknown) |"
    echo "| on-device tests | $counts |"
    echo
    if [[ $failed ]]; then
        printf 'Failed:\n\n'
        printf -- '- %s\n\n' "${failed//$'\n'/$'\n- '}"
    fi
    echo '| µs, the server behind hdc | CPU | median | 99 % |'
    echo '|---|---|---|---|'
    printf '%s\n' "${rows[@]}"
} >"$report"
say "the report: ${report#"$ROOT"/}"
((run > 0 && passed == run)) || fail "on-device tests failed: $counts" "The report has their names: ${report#"$ROOT"/}"
((${#unmeasured[@]} == 0)) || fail "not measured: ${unmeasured[*]}" "The report has the cause: ${report#"$ROOT"/}"
