#!/usr/bin/env bash
# Tests how a connection reacts to changes of the network, in separate network namespaces: tests/network/run.sh
#
# Two ways lead from the client to the server, each a pair of virtual interfaces; the first is the default. Prints for each
# change how long the client took to detect it and to reconnect, and `N passed, M failed`. Where namespaces are not allowed, it
# says so and counts nothing.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
cd "$ROOT"

CLIENT=nws-client-$$ SERVER=nws-server-$$
URL=ws://10.201.9.9:9000/
DEADLINE_S=30

work=$(mktemp -d)
cleanup() {
    [[ -z ${client_pid-} ]] || kill "$client_pid" 2>/dev/null || true
    [[ -z ${server_pid-} ]] || kill "$server_pid" 2>/dev/null || true
    ip netns del "$CLIENT" 2>/dev/null || true
    ip netns del "$SERVER" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

if ! command -v ip >/dev/null || ! ip netns add "$CLIENT" 2>"$work/why"; then
    echo "skip: no network namespaces here ($(cat "$work/why" 2>/dev/null || echo 'no ip command'))"
    exit 0
fi
ip netns add "$SERVER"
need_setup --tests
cargo_host build --quiet --example reconnect_demo
demo=$TARGET/debug/examples/reconnect_demo

in_client() { ip netns exec "$CLIENT" "$@"; }
in_server() { ip netns exec "$SERVER" "$@"; }

in_client ip link set lo up
in_server ip link set lo up
in_server ip address add 10.201.9.9/32 dev lo
for way in 1 2; do
    ip link add "c$way" netns "$CLIENT" type veth peer name "s$way" netns "$SERVER"
    in_server ip address add "10.201.$way.2/24" dev "s$way"
    in_server ip link set "s$way" up
done

# ways: restores both routes, as at the beginning of each case.
ways() {
    local way
    in_server ip route del blackhole 10.201.1.0/24 metric 1 2>/dev/null || true
    in_client ip route flush type blackhole
    in_client ip route del default metric 0 2>/dev/null || true
    for way in 1 2; do
        in_client ip address replace "10.201.$way.1/24" dev "c$way"
        in_client ip link set "c$way" up
        in_client ip route replace default via "10.201.$way.2" metric "$way"
    done
}
ways
# Not by in_server, whose process number would be that of a shell.
ip netns exec "$SERVER" "$demo" serve 10.201.9.9:9000 >"$work/server" &
server_pid=$!
until grep -q ready "$work/server"; do
    kill -0 "$server_pid" 2>/dev/null || fail 'the server has ended'
    sleep 0.05
done

passed=0 failed=0
now() { date +%s%3N; }

# begin [PING_S PONG_S]: a client with an open connection.
begin() {
    ways
    : >"$work/events"
    mkfifo "$work/stdin"
    ip netns exec "$CLIENT" "$demo" connect "$URL" "$@" <"$work/stdin" >"$work/events" 2>"$work/log" &
    client_pid=$!
    exec {stdin}>"$work/stdin"
    rm "$work/stdin"
    await open
}

end() {
    exec {stdin}>&-
    wait "$client_pid" 2>/dev/null || true
    client_pid=
}

# await PATTERN [FILE]: waits for a line.
await() {
    local until=$((SECONDS + DEADLINE_S))
    until grep -q "$1" "${2:-$work/events}"; do
        if ((SECONDS >= until)); then
            say "no line '$1'"
            return 1
        fi
        sleep 0.02
    done
}

# since START PATTERN: the milliseconds from START to the first line that matches.
since() {
    local at
    at=$(grep -m 1 "$2" "$work/events") || { echo '-' && return; }
    echo $((${at%% *} - $1))
}

# check NAME COMMAND...: one case.
check() {
    local name=$1
    shift
    if "$@"; then
        ((++passed))
        printf '    ok      %-52s %s\n' "$name" "$(<"$work/result")"
    else
        ((++failed))
        printf '    FAILED  %s\n' "$name"
        sed 's/^/            /' "$work/events" "$work/log"
    fi
    end
}

# comes_back [PING_S PONG_S] -- CHANGE...: a change after which the connection is another one.
comes_back() {
    local options=() start
    while [[ $1 != -- ]]; do options+=("$1") && shift; done
    shift
    begin "${options[@]}"
    start=$(now)
    "$@"
    await reconnected || return 1
    echo "noticed after $(since "$start" reconnecting) ms, connected after $(since "$start" reconnected) ms" >"$work/result"
}

# survives -- CHANGE...: a change that the connection outlasts; it is probed, and that is all.
survives() {
    shift
    begin
    "$@"
    await 'probing the peer' "$work/log" || return 1
    sleep 4 # the probe's time is 3 s
    echo 'probed, and the same connection' >"$work/result"
    [[ $(grep -c . "$work/events") == 1 ]]
}

address_removed() { in_client ip address del 10.201.1.1/24 dev c1; }
link_down() { in_client ip link set c1 down; }
route_switched() { in_client ip route replace default via 10.201.2.2 metric 0; }
carrier_lost() { in_server ip link set s1 down; }
carrier_back() { in_server ip link set s1 up; }

# A way that swallows everything, without a word to the client.
silent_black_hole() {
    in_server ip route add blackhole 10.201.1.0/24 metric 1
    in_server ip route del 10.201.1.0/24 dev s1
    await reconnecting || return 1
    in_server ip route del blackhole 10.201.1.0/24 metric 1
    in_server ip route add 10.201.1.0/24 dev s1
}

black_hole_comes_and_goes() {
    in_client ip route add blackhole 10.201.9.9
    sleep 0.5
    in_client ip route del blackhole 10.201.9.9
}

# Both routes are down until the client has lost the connection. Then it must wait for the first route, without attempts.
no_network_at_all() {
    local attempts start
    begin 1 1
    in_client ip link set c1 down
    in_client ip link set c2 down
    await 'waits for a network' "$work/log" || return 1
    attempts=$(grep -c reconnecting "$work/events")
    sleep 3
    if [[ $(grep -c reconnecting "$work/events") != "$attempts" ]]; then
        say 'it tries although there is no network'
        return 1
    fi
    start=$(now)
    in_client ip link set c1 up
    in_client ip route replace default via 10.201.1.2 metric 1
    await reconnected || return 1
    echo "waited without attempts, connected $(since "$start" reconnected) ms after the link" >"$work/result"
}

step 'Changes of the network'
check 'address removed' comes_back -- address_removed
check 'link down, the other way takes over' comes_back -- link_down
check 'carrier lost and another default route' comes_back -- eval 'carrier_lost; route_switched'
carrier_back
check 'route switched, both ways lead there' survives -- route_switched
check 'black hole route for half a second' survives -- black_hole_comes_and_goes
check 'silent black hole (ping 1 s, pong 2 s)' comes_back 1 2 -- silent_black_hole
check 'no network, and then one again' no_network_at_all
echo "$passed passed, $failed failed"
((failed == 0))
