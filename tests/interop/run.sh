#!/usr/bin/env bash
# Runs tests/tools/interop_client.rs against two independent servers, npm's ws and PyPI's websockets. It tests every combination
# of permessage-deflate's parameters, random messages compared byte for byte, and closes from either side.
#
#   tests/interop/run.sh [ws|websockets]      default: both, side by side
#
# Prints what fails, counts for each server, and as its last line `N passed, N failed`. When nothing it depends on has
# changed since it passed, it says so and leaves it at that.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
cd "$ROOT"

case ${1-} in
    '') servers=(ws websockets) ;;
    ws | websockets) servers=("$1") ;;
    *) fail "unknown server '$1'" 'Known are ws and websockets.' ;;
esac
need_setup --tests
if passed_before interop tests/interop tests/tools/interop_client.rs "$NWS_INTEROP/.stamp"; then
    exit
fi
cargo_host build --quiet --profile tools --example interop_client
export NODE_PATH=$NWS_INTEROP/node_modules PYTHONPATH=$NWS_INTEROP/python

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for server in "${servers[@]}"; do
    case $server in
        ws) command=(node tests/interop/ws_server.mjs) ;;
        websockets) command=(python3 tests/interop/websockets_server.py) ;;
    esac
    "$TARGET/tools/examples/interop_client" "$server" "${command[@]}" >"$work/$server" 2>&1 </dev/null &
done
wait

passed=0 failed=0
for server in "${servers[@]}"; do
    cat "$work/$server"
    # A client that ends without its counts has failed.
    if [[ $(tail -n 1 "$work/$server") =~ ^interop\ $server:\ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        ((passed += BASH_REMATCH[1], failed += BASH_REMATCH[2])) || true
    else
        ((++failed))
    fi
done
((failed != 0 || ${#servers[@]} < 2)) || passed_now "$passed passed, $failed failed"
echo "$passed passed, $failed failed"
((failed == 0))
