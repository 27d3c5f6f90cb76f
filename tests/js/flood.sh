#!/usr/bin/env bash
# A flood of 1 GB into a JavaScript listener that takes 1 ms for each message, in Node: the server is held back, memory
# stays, nothing is lost. Too long for every test run; tests/js/delivery.test.js has a small one.
#
#   tests/js/flood.sh [MEGABYTES]     default: 1000
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

megabytes=${1-1000}
[[ $megabytes =~ ^[1-9][0-9]*$ ]] || fail 'no such number' 'Usage: tests/js/flood.sh [MEGABYTES]'
load_environment
export NET_WEBSOCKET_LIB=$DIST/host/net_websocket.node
[[ -f $NET_WEBSOCKET_LIB ]] || fail "there is no $NET_WEBSOCKET_LIB" 'Run scripts/build.sh host first.'
start_echo_server release

for size in 65536 1048576; do
    for path in flood flood-text; do
        for collect in '' collect; do
            node --expose-gc "$ROOT/tests/js/flood.js" "$path" $((megabytes * 1000000 / size)) "$size" $collect
        done
    done
done
