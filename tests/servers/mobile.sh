#!/usr/bin/env bash
# Measures the cost of compression and pings over a mobile link: 60 ms round trip and 1 Mbit/s each way, between two network
# namespaces. Prints the figures of docs/arkts/connecting.md, and as its last line `N passed, N failed`.
#
#   tests/servers/mobile.sh
#
# No suite: it takes six minutes, and needs network namespaces and tun. Where there are none, it says so and counts nothing.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

ROUND_TRIP_MS=60 BITS_PER_SECOND=1000000

if [[ ${1-} != --inside ]]; then
    need_setup --servers
    export NWS_SERVERS NET_WEBSOCKET_LIB=${NET_WEBSOCKET_LIB:-$HOST_LIBRARY}
    if ! why=$(unshare --net ip tuntap add dev phone mode tun 2>&1); then
        echo "skip: no network namespace with tun here ($why)"
        exit
    fi
    exec unshare --net bash "$ROOT/tests/servers/mobile.sh" --inside
fi
ip link set lo up
# The server's namespace lives as long as this process.
unshare --net sleep infinity &
far=$!
trap 'kill "$far"' EXIT
until [[ $(readlink /proc/$far/ns/net) != $(readlink /proc/$$/ns/net) ]]; do :; done
coproc CARRIER { exec python3 "$ROOT/tests/servers/carrier.py" "$far" $((ROUND_TRIP_MS / 2)) $BITS_PER_SECOND; }
read -r line <&"${CARRIER[0]}"
[[ $line == READY ]] || fail 'the carrier did not start'
NODE_PATH=$NWS_SERVERS/node_modules node "$ROOT/tests/servers/mobile.js" "$far"
