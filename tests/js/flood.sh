#!/usr/bin/env bash
# Sends a flood of 1 GB to a JavaScript listener in Node that takes 1 ms for each message. The server must be paused, the memory
# stay constant, and no message be lost. And a message of that length each way, in pieces, there and in Bun with the OpenHarmony
# binary. Too long for every test run; tests/js/delivery.test.js and pieces.test.js have small ones.
#
#   tests/js/flood.sh [MEGABYTES]     default: 1000
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

megabytes=${1-1000}
[[ $megabytes =~ ^[1-9][0-9]*$ ]] || fail 'no such number' 'Usage: tests/js/flood.sh [MEGABYTES]'
need_setup --tests
export NET_WEBSOCKET_LIB=$HOST_LIBRARY
[[ -f $NET_WEBSOCKET_LIB ]] || fail "there is no $NET_WEBSOCKET_LIB" 'Run scripts/build.sh host first.'
start_echo_server release

node --expose-gc "$ROOT/tests/js/stream.js" $((megabytes * 1000000))
if [[ -f $DIST/x86_64/libnet_websocket.so ]]; then
    NET_WEBSOCKET_LIB=$DIST/x86_64/libnet_websocket.so bun_ohos x86_64 "$ROOT/tests/js/stream.js" $((megabytes * 1000000))
else
    say 'skip: a message in pieces through the OpenHarmony binary, which scripts/build.sh x86_64 builds'
fi
for size in 65536 1048576; do
    for path in flood flood-text; do
        for collect in '' collect; do
            node --expose-gc "$ROOT/tests/js/flood.js" "$path" $((megabytes * 1000000 / size)) "$size" $collect
        done
    done
done
