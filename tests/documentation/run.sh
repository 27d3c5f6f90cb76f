#!/usr/bin/env bash
# Runs the examples of docs/arkts, in both languages, and the programs of examples/ in Node against the echo server; ends with `documentation: N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
need_setup --tests

library=$HOST_LIBRARY
[[ -f $library ]] || fail "there is no $library" 'Run scripts/build.sh first.'
start_echo_server
status=0
OHOS_TYPESCRIPT=$NWS_OHOS_TYPESCRIPT NET_WEBSOCKET_LIB=$library timeout "${NET_WEBSOCKET_TEST_LIMIT_SECONDS:-60}" \
    node "$ROOT/tests/documentation/examples.mjs" || status=$?
exit "$status"
