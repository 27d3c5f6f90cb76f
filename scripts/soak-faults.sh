#!/usr/bin/env bash
# Many clients in a release build on this machine, too long for every test run:
#
#   scripts/soak-faults.sh [MINUTES [CLIENTS [SEED]]]     default: 10 minutes, 1000 clients, a new seed, which it prints
#   scripts/soak-faults.sh many [CONNECTIONS [SECONDS]]   default: 10000 connections, 10 s for each kind of them
#   scripts/soak-faults.sh flood [CONNECTIONS [SECONDS]]  default: 100 connections, 5 s for each way of the flood
#   scripts/soak-faults.sh hostile [CONNECTIONS [SECONDS]]  default: 32 connections, 10 s
#
#   - MINUTES of random faults by a proxy, over ws and wss, compressed and not, with and without reconnecting, messages
#     of 57 bytes to 512 KiB: each message that was accepted is followed to its end, here and in the server's own
#     ledger, and the two must agree; memory, threads and descriptors over the time, and what is left of them
#   - so many connections of one process at once, all exchanging messages: memory, threads, fairness
#   - so many connections whose data never end, received, sent, and received by listeners that block: what each gets, and
#     the round trips of a quiet client beside them
#   - so many connections to servers that send without end what brings little: session tickets, empty records, pings, tiny
#     frames, bombs, empty blocks, messages faster than the listener; the round trips of a quiet client beside them, at most
#     20 ms for 99 of 100, and how late the deadlines of the others are, at most 250 ms
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

usage='Usage: scripts/soak-faults.sh [MINUTES [CLIENTS [SEED]]] | many|flood|hostile [CONNECTIONS [SECONDS]]'
if [[ ${1-} == many ]]; then
    arguments=(many "${2-10000}" "${3-10}")
elif [[ ${1-} == flood ]]; then
    arguments=(flood "${2-100}" "${3-5}")
elif [[ ${1-} == hostile ]]; then
    arguments=(hostile "${2-32}" "${3-10}")
else
    [[ ${1-10} =~ ^[1-9][0-9]*$ ]] || fail 'no such number of minutes' "$usage"
    arguments=(faults "$((60 * ${1-10}))" "${2-1000}" "${3-$RANDOM}")
fi
for number in "${arguments[@]:1}"; do
    [[ $number =~ ^[0-9]+$ ]] || fail 'no such number' "$usage"
done
# The peer of the faults has four for each client: those of the proxy, and the server's.
case ${arguments[0]} in
    many | flood | hostile) descriptors=$((arguments[1] + 100)) ;;
    *) descriptors=$((4 * arguments[2] + 100)) ;;
esac
need_setup
ulimit -n "$(ulimit -H -n)"
(($(ulimit -n) >= descriptors)) || fail "the limit of descriptors is $(ulimit -n)" "This takes $descriptors."

step 'Building'
watch 'example' cargo_host build --quiet --release --example fault_soak
step "${arguments[*]}"
case ${arguments[0]} in
    many) kinds=(ws ws-deflate wss wss-deflate) ;;
    flood) kinds=(in out slow) ;;
    *) kinds=('') ;;
esac
status=0
for kind in "${kinds[@]}"; do
    NET_WEBSOCKET_LOG=error "$TARGET/release/examples/fault_soak" "${arguments[@]}" ${kind:+"$kind"} || status=1
done
exit "$status"
