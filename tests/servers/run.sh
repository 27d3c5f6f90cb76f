#!/usr/bin/env bash
# Tests real servers and proxies through the ArkTS API in Node, and three of them through C.
#
#   tests/servers/run.sh [--all] [--record] [--report FILE] [NAME...]      default: those of scripts/test.sh, side by side
#   tests/servers/run.sh --ohos bun-x86_64|bun-arm64                       those with TLS, by the library for OpenHarmony
#
#   --all       those too that scripts/test.sh leaves out; they are installed first
#   --record    what is seen becomes what is expected (expected.json)
#   --report    writes what is seen as JSON
#
# catalog.js has the servers, points.js the points. Prints what is not as expected, and as its last line `N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

if [[ " $* " == *' --all '* ]]; then
    need_setup --all-servers
    export NWS_SERVERS_LONG NWS_SERVERS_BUILT
else
    need_setup --servers
    [[ ! -d $NWS_SERVERS_LONG ]] || export NWS_SERVERS_LONG NWS_SERVERS_BUILT
fi
if (($# == 0)) && passed_before servers tests/servers tests/js/load.js tests/ndk/check.h include "$NWS_SERVERS/.stamp"; then
    exit
fi
export NWS_SERVERS NWS_BUN NWS_MUSL NET_WEBSOCKET_LIB=${NET_WEBSOCKET_LIB:-$HOST_LIBRARY}
[[ -f $NET_WEBSOCKET_LIB ]] || fail "there is no $NET_WEBSOCKET_LIB" 'Run scripts/build.sh host first.'
if [[ ${1-} != --ohos ]]; then
    # The library without the ArkTS API, which has no engine to ask for its functions.
    folder=${NET_WEBSOCKET_C_LIB_FOLDER:-$TARGET/debug}
    [[ ${NET_WEBSOCKET_C_LIB_FOLDER-} ]] || cargo_host build --quiet --lib --manifest-path "$ROOT/Cargo.toml"
    export NWS_C_CLIENT=$TARGET/servers-client
    mkdir -p "$TARGET"
    "${CC:-cc}" -std=gnu99 -Wall -Wextra -Werror -I "$ROOT/include" "$ROOT/tests/servers/client.c" \
        -L "$folder" -Wl,-rpath,"$folder" -lnet_websocket -lpthread -o "$NWS_C_CLIENT"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
node "$ROOT/tests/servers/runner.js" "$@" | tee "$log"
(($#)) || passed_now "$(tail -n 1 "$log")"
