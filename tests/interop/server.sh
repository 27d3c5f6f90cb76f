#!/usr/bin/env bash
# Runs clients by PyPI's websockets and aiohttp against the ArkTS API's server in Node: messages of many lengths, fragments,
# permessage-deflate with many offers, pings, closes from either side. Ends with `N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
need_setup --tests --servers

[[ -f $HOST_LIBRARY ]] || fail "there is no $HOST_LIBRARY" 'Run scripts/build.sh host first.'
export NET_WEBSOCKET_LIB=$HOST_LIBRARY PYTHONPATH=$NWS_INTEROP/python:$NWS_SERVERS/python
passed=0 failed=0
for client in websockets aiohttp; do
    said=$(timeout "${NET_WEBSOCKET_TEST_LIMIT_SECONDS:-300}" \
        python3 -B "$ROOT/tests/interop/${client}_client.py" node "$ROOT/tests/interop/echo_server.js" 2>&1) || true
    # A client that ends without its counts has failed.
    if [[ $(tail -n 1 <<<"$said") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        ((passed += BASH_REMATCH[1], failed += BASH_REMATCH[2])) || true
        said=$(head -n -1 <<<"$said")
    else
        ((++failed))
    fi
    [[ -z $said ]] || printf '%s: %s\n' "$client" "$said"
done
echo "$passed passed, $failed failed"
((failed == 0))
