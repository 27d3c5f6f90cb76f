#!/usr/bin/env bash
# Opens a page in headless Chromium (Debian's chromium-headless-shell, 224 MB, installed the first time) against the ArkTS API's server
# in Node: text and bytes, permessage-deflate, a refused request, closes from either side. Ends with `N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
need_setup --run

[[ -f $HOST_LIBRARY ]] || fail "there is no $HOST_LIBRARY" 'Run scripts/build.sh host first.'
command -v chromium-headless-shell >/dev/null || install_packages chromium-headless-shell
chromium-headless-shell --version
NET_WEBSOCKET_LIB=$HOST_LIBRARY timeout "${NET_WEBSOCKET_TEST_LIMIT_SECONDS:-120}" \
    node "$ROOT/tests/interop/chromium.js" "$(command -v chromium-headless-shell)"
