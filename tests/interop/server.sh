#!/usr/bin/env bash
# Runs a client by PyPI's websockets against the ArkTS API's server in Node: messages of many lengths, fragments, permessage-deflate
# with many offers, pings, closes from either side. Ends with `N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
load_environment

[[ -f $HOST_LIBRARY ]] || fail "there is no $HOST_LIBRARY" 'Run scripts/build.sh host first.'
export NET_WEBSOCKET_LIB=$HOST_LIBRARY PYTHONPATH=$NWS_INTEROP/python
timeout "${NET_WEBSOCKET_TEST_LIMIT_SECONDS:-300}" \
    python3 "$ROOT/tests/interop/websockets_client.py" node "$ROOT/tests/interop/echo_server.js"
