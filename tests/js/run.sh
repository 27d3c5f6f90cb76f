#!/usr/bin/env bash
# Runs the JavaScript tests of the ArkTS face: tests/js/run.sh node|bun-x86_64|bun-arm64
#
# node is the host build in Node; bun-x86_64 (native) and bun-arm64 (emulated) are the OpenHarmony builds in an engine on musl.
# Starts the echo server, and ends with the line `js ENGINE: N passed, N failed`. NET_WEBSOCKET_TEST_ONLY=TEXT runs the tests whose
# names contain TEXT.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

# The tests have deadlines of their own; this one is for an engine that hangs in native code.
LIMIT_SECONDS=${NET_WEBSOCKET_TEST_LIMIT_SECONDS:-600}

usage() { fail "usage: tests/js/run.sh node|bun-x86_64|bun-arm64"; }
(($# == 1)) || usage
engine=$1
load_environment

case $engine in
    node) library=$DIST/host/net_websocket.node ;;
    bun-x86_64) library=$(engine_library x86_64) ;;
    bun-arm64) library=$(engine_library arm64-v8a) ;;
    *) usage ;;
esac
[[ -f $library ]] || fail "there is no $library" 'Run scripts/build.sh first.'

run_engine() {
    case $engine in
        node) node "$@" ;;
        bun-*) bun_ohos "${engine#bun-}" "$@" ;;
    esac
}

cargo_host build --quiet --example echo_server
# The server ends when its stdin does, so it does not outlive this script, however that ends.
coproc SERVER { exec "$TARGET/debug/examples/echo_server" --quiet; }
while read -r line <&"${SERVER[0]}"; do
    [[ $line == READY ]] && break
    export "${line?}"
done
[[ ${line:-} == READY ]] || fail 'the echo server did not start'

log=$TARGET/js-$engine.log
# A process group of its own, so that an engine behind an emulator can be ended with all it started.
set -m
NET_WEBSOCKET_LIB=$library run_engine "$ROOT/tests/js/websocket.test.js" >"$log" 2>&1 </dev/null &
job=$!
set +m
trap 'kill -KILL -- -"$job" 2>/dev/null || true' EXIT
timeout --foreground "$LIMIT_SECONDS" tail -f /dev/null -s 0.1 --pid="$job" ||
    fail "js $engine: still running after $LIMIT_SECONDS s" "The log is $log; its end:" "$(tail -n 5 "$log")"
status=0
wait "$job" || status=$?
trap - EXIT

summary=$(tail -n 1 "$log")
grep -v '^ok ' "$log" | head -n -1 || true
if [[ ! $summary =~ ^[0-9]+\ passed,\ [0-9]+\ failed$ ]]; then
    fail "js $engine: the engine ended with status $status and without a summary" "The log is $log."
fi
printf 'js %s: %s\n' "$engine" "$summary"
exit "$status"
