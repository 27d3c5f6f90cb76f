#!/usr/bin/env bash
# Runs libraries from npm, unmodified, on web.WebSocket: tests/libraries/run.sh node|bare|bun-x86_64
#
# node is the host build in Node. bare is the same without the globals of Node that ArkTS has not, but for those that a library needs.
# bun-x86_64 is the OpenHarmony build in an engine on musl. The servers run in Node each time, or are Debian's. Ends with the line `libraries ENGINE: N passed, N failed`. NET_WEBSOCKET_TEST_ONLY=TEXT runs the tests whose names contain TEXT.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

LIMIT_SECONDS=${NET_WEBSOCKET_TEST_LIMIT_SECONDS:-300}

usage() { fail 'usage: tests/libraries/run.sh node|bare|bun-x86_64'; }
(($# == 1)) || usage
engine=$1
need_setup --servers
case $engine in
    node | bare) library=$HOST_LIBRARY ;;
    bun-x86_64) library=$DIST/x86_64/libnet_websocket.so ;;
    *) usage ;;
esac
[[ -f $library ]] || fail "there is no $library" 'Run scripts/build.sh first.'

run_engine() {
    case $engine in
        node) node "$@" ;;
        bare) NET_WEBSOCKET_BARE=yes node "$@" ;;
        *) bun_ohos x86_64 "$@" ;;
    esac
}

log=$(mktemp)
job=''
trap '[[ -z $job ]] || kill -KILL -- -"$job" 2>/dev/null || true; rm -f "$log"' EXIT
export NWS_LIBRARIES NWS_OHOS_TYPESCRIPT NET_WEBSOCKET_LIB=$library
# The servers end when their standard input does, so they go with this script however that ends.
coproc SERVERS { exec node --no-deprecation "$ROOT/tests/libraries/servers.mjs" 2>>"$log"; }
while read -r line <&"${SERVERS[0]}"; do
    [[ $line != READY ]] || break
    export "${line?}"
done
[[ ${LIBRARIES_CONTROL-} ]] || fail 'the servers did not start' "$(<"$log")"

# A separate process group, so that an engine that hangs in native code can be ended.
set -m
run_engine "$ROOT/tests/libraries/all.js" >>"$log" 2>&1 </dev/null &
job=$!
set +m
timeout --foreground "$LIMIT_SECONDS" tail -f /dev/null -s 0.1 --pid="$job" ||
    fail "libraries $engine: still running after $LIMIT_SECONDS s" "$(tail -n 5 "$log")"
status=0
wait "$job" || status=$?
job=''

summary=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1) || true
grep -a '^skip' "$log" || true
((status == 0)) || grep -avE '^ok |^[0-9]+ passed, ' "$log" || true
[[ $summary ]] || fail "libraries $engine: the engine ended with status $status and without a summary"
printf 'libraries %s: %s\n' "$engine" "$summary"
exit "$status"
