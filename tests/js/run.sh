#!/usr/bin/env bash
# Runs the JavaScript tests of the ArkTS API: tests/js/run.sh node|bun-x86_64|bun-arm64
#
# node is the host build in Node; bun-x86_64 (native) and bun-arm64 (emulated) are the OpenHarmony builds in an engine on musl.
# Starts the echo server, and ends with the line `js ENGINE: N passed, N failed`. NET_WEBSOCKET_TEST_ONLY=TEXT runs the tests whose
# names contain TEXT.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

# The tests have deadlines of their own; this one is for an engine that hangs in native code.
LIMIT_SECONDS=${NET_WEBSOCKET_TEST_LIMIT_SECONDS:-600}

usage() { fail "usage: tests/js/run.sh node|bun-x86_64|bun-arm64"; }
(($# == 1)) || usage
engine=$1
need_setup --tests

case $engine in
    node) abi='' library=$HOST_LIBRARY ;;
    bun-x86_64) abi=x86_64 library=$DIST/x86_64/libnet_websocket.so ;;
    bun-arm64) abi=arm64-v8a library=$DIST/arm64-v8a/libnet_websocket.so ;;
    *) usage ;;
esac
[[ -f $library ]] || fail "there is no $library" 'Run scripts/build.sh first.'

run_engine() {
    if [[ $abi ]]; then
        bun_ohos "$abi" "$@"
    else
        node --expose-gc "$@"
    fi
}

# limited LOG SCRIPT [ARGUMENT...]: runs the engine with its output in LOG. Ends it and its children when it takes too long.
limited() {
    local log=$1
    shift
    # A separate process group, so that an engine in an emulator can be ended with its children.
    set -m
    run_engine "$@" >"$log" 2>&1 </dev/null &
    job=$!
    set +m
    trap 'kill -KILL -- -"$job" 2>/dev/null || true' EXIT
    timeout --foreground "$LIMIT_SECONDS" tail -f /dev/null -s 0.1 --pid="$job" ||
        fail "js $engine: still running after $LIMIT_SECONDS s" "The log is $log; its end:" "$(tail -n 5 "$log")"
    trap - EXIT
    wait "$job"
}

# A module with an NDK client, which the engine loads beside the library.
peer=$TARGET/js-ndk-peer-$engine.node
compile=("${CC:-cc}")
[[ ! $abi ]] || compile=(cc_ohos "$abi")
"${compile[@]}" -std=gnu11 -O1 -Wall -Wextra -Werror -fPIC -shared -I "$ROOT/include" -o "$peer" "$ROOT/tests/js/ndk_peer.c"

declared=$TARGET/js-declared-$engine.json
OHOS_TYPESCRIPT=$NWS_OHOS_TYPESCRIPT node "$ROOT/tests/js/declared.mjs" "$DECLARATIONS" >"$declared"

start_echo_server

# Its own for each run, since two may run at once.
log=$(mktemp "$TARGET/js-$engine.XXXXXX.log")
export NET_WEBSOCKET_LIB=$library NET_WEBSOCKET_NDK_PEER=$peer NET_WEBSOCKET_DECLARED=$declared
# In Bun, `ws` is Bun's own client.
if [[ $engine == node ]]; then
    export NODE_PATH=$NWS_INTEROP/node_modules
else
    echo "skip: npm's ws as a client of the server (Bun has another one by that name)"
fi
status=0
limited "$log" "$ROOT/tests/js/all.js" || status=$?

summary=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1) || true
grep -a '^skip' "$log" || true
# Of a run that passed, not even the library's own log lines matter.
((status == 0)) || grep -avE '^ok |^[0-9]+ passed, ' "$log" || true
[[ $summary ]] || fail "js $engine: the engine ended with status $status and without a summary" "The log is $log."

# Processes that end at a bad moment.
[[ $summary =~ ^([0-9]+)\ passed,\ ([0-9]+) ]]
passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
for moment in listener exception connecting environments; do
    [[ -z ${NET_WEBSOCKET_TEST_ONLY-} ]] || break
    ended=0
    limited "$log.exit" "$ROOT/tests/js/exit.js" "$moment" || ended=$?
    if ((ended == 7)); then
        ((++passed))
    else
        ((++failed))
        printf 'FAIL  exit, %s: status %s instead of 7\n' "$moment" "$ended"
        cat "$log.exit"
        status=1
    fi
    rm -f "$log.exit"
done
# A process without the permission to make sockets.
if [[ $engine == bun-arm64 ]]; then
    echo 'skip: without the permission to make sockets (an emulator preloads nothing for the program it runs)'
elif [[ -z ${NET_WEBSOCKET_TEST_ONLY-} ]]; then
    forbid=$TARGET/js-no-permission-$engine.so
    "${compile[@]}" -std=gnu11 -O1 -Wall -Wextra -Werror -fPIC -shared -o "$forbid" "$ROOT/tests/js/no_permission.c"
    if LD_PRELOAD=$forbid run_engine "$ROOT/tests/js/no_permission.js" >"$log.permission" 2>&1 </dev/null; then
        ((++passed))
    else
        ((++failed))
        printf 'FAIL  without the permission to make sockets\n'
        cat "$log.permission"
        status=1
    fi
    rm -f "$log.permission"
fi
# An app's package and the authorities of users, which lie where a build for OpenHarmony has the device's.
if [[ $engine != node ]]; then
    echo 'skip: whose authorities an app trusts (the build for OpenHarmony has the folders of a device)'
elif [[ -z ${NET_WEBSOCKET_TEST_ONLY-} ]]; then
    stubs=$TARGET/js-platform
    mkdir -p "$stubs"
    "${compile[@]}" -std=gnu11 -fPIC -shared -o "$stubs/libnet_ssl.so" "$ROOT/tests/stubs/net_ssl.c"
    for app in trusts forbids; do
        if SSL_CERT_FILE=$CA_FILE LD_LIBRARY_PATH=$stubs run_engine "$ROOT/tests/js/trust.js" "$app" >"$log.trust" 2>&1 </dev/null; then
            ((++passed))
        else
            ((++failed))
            printf 'FAIL  whose authorities an app trusts, one that %s them\n' "$app"
            cat "$log.trust"
            status=1
        fi
        rm -f "$log.trust"
    done
fi

summary="$passed passed, $failed failed"
printf 'js %s: %s\n' "$engine" "$summary"
[[ $status == 0 || $summary != *' 0 failed' ]] || fail "js $engine: the engine ended with status $status" "The log is $log."
((status != 0)) || rm "$log"
exit "$status"
