#!/usr/bin/env bash
# Debian 12's mosquitto does not start when all its listeners are for WebSockets.
#
# A good guess: `listener 16820` with `protocol websockets` is a broker for browsers and apps. This one opens the
# listener, reports that it could start no listening socket, and ends. It only counts listeners of plain MQTT; one on a
# Unix socket is enough.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian mosquitto=2.0.11-1.2+deb12u2
conf() { printf '%s\n' "$@" "user $(id -un)" 'allow_anonymous true' 'persistence false' 'log_dest stderr' 'log_timestamp false'; }
conf 'listener 16820 127.0.0.1' 'protocol websockets' >"$work/alone.conf"
conf "listener 0 $work/plain" 'listener 16820 127.0.0.1' 'protocol websockets' >"$work/beside.conf"

{
    status=0
    "$work/debian/usr/sbin/mosquitto" -c "$work/alone.conf" >"$work/alone.log" 2>&1 || status=$?
    tail -n 1 "$work/alone.log"
    echo "a listener for WebSockets alone: status $status"
    serve "$work/debian/usr/sbin/mosquitto" -c "$work/beside.conf"
    python3 -c 'from raw import *; print("beside one of plain MQTT:", Raw(16820, "/mqtt", ["Sec-WebSocket-Protocol: mqtt"]).status)'
} | compare "Error: Unable to start any listening sockets, exiting.
a listener for WebSockets alone: status 1
beside one of plain MQTT: HTTP/1.1 101 Switching Protocols"
